# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench model`: joint beside autoregressive, against the roofline of the same run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from evla_ros.bench.model_options import TIMED, Options
from evla_ros.bench.report import Row
from evla_ros.errors import EvlaError, nearest

__all__ = ["EXAMPLES", "Options", "rows"]

EXAMPLES = """examples:
  evla bench model --preset evla-nano --dtypes fp32 --threads 1
  evla bench model --preset evla-nano --runtimes torch openvino onnx --dtypes fp32 --markdown"""


def rows(options: Options) -> Iterable[Row]:
    """Measure each dtype, action shape and runtime, or how far int8 moves a checkpoint."""
    import torch

    from evla_ros.bench import model_agreement

    if options.threads > 0:
        torch.set_num_threads(options.threads)
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        raise EvlaError("no CUDA device is available; use --device cpu")
    if options.agreement.checkpoint or options.agreement.dataset:
        yield from model_agreement.rows(options.agreement, options.device)
    else:
        yield from _speed_rows(options)


def _speed_rows(options: Options) -> Iterable[Row]:
    import torch

    from evla_ros.bench.model_rows import ModelBench
    from evla_ros.bench.model_runtimes import RUNS, RuntimeBench
    from evla_ros.bench.roofline import measure

    if options.clock == "cpu" and (torch.get_num_threads() > 1 or options.device != "cpu"):
        raise EvlaError("--clock cpu measures one thread; add --threads 1")
    for part in options.only:
        if not any(name.startswith(part) for name in TIMED):
            raise EvlaError(f"--only {part!r}: no such row; {nearest(part, TIMED)}")
    _check_runtimes(options, RUNS)
    for dtype in options.dtypes:
        roofline = measure(dtype, options.device)
        context = {"dtype": dtype, "threads": torch.get_num_threads(), "device": options.device}
        yield Row("model.roofline.matmul", roofline.flops_per_s / 1e9, "GFLOP/s", context=context)
        yield Row("model.roofline.copy", roofline.bytes_per_s / 1e9, "GB/s", context=context)
        for shape, runtime in product(options.actions, options.runtimes):
            if runtime == "torch":
                yield from ModelBench(options, dtype, shape, roofline).rows()
            elif dtype in RUNS[runtime]:
                yield from RuntimeBench(options, runtime, dtype, shape, roofline).rows()


def _check_runtimes(options: Options, runs: Mapping[str, Sequence[str]]) -> None:
    """Refuse what a runtime cannot do before the first row is measured."""
    others = [runtime for runtime in options.runtimes if runtime != "torch"]
    if others and (options.device != "cpu" or options.clock == "cpu"):
        raise EvlaError(
            f"{others[0]} is measured on the CPU by the wall clock: leave --device and --clock"
        )
    for runtime in others:
        if not set(options.dtypes) & set(runs[runtime]):
            raise EvlaError(
                f"--runtimes {runtime} has no effect: it computes in {', '.join(runs[runtime])}, "
                f"not in {', '.join(options.dtypes)}"
            )
    from evla_ros.model.runtimes.libraries import load

    for runtime, module in (("openvino", "openvino"), ("onnx", "onnxruntime")):
        if runtime in others:
            load(module, runtime, f"--runtimes {runtime}")
    if "openvino" in others and "int8" in options.dtypes:
        load("nncf", "int8", "--runtimes openvino in int8")
