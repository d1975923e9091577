# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch, the devices it sees and the instruction sets it can use."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator

from evla_ros.bench.report import machine
from evla_ros.doctor.finding import Finding, note, ok, red


def check() -> Iterator[Finding]:
    """Look at torch and the processor; without torch only remote policies work."""
    facts = machine()
    sets = [name for name, key in (("AMX", "amx"), ("AVX-512", "avx512")) if facts[key]]
    yield ok(
        "torch", "processor", f"{facts['processor']}; {', '.join(sets) or 'no AMX, no AVX-512'}"
    )
    if importlib.util.find_spec("torch") is None:
        fix = "pip install 'evla_ros[model]'; not needed on a robot whose policy runs elsewhere"
        yield note("torch", "torch", "not installed", fix)
        return
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        yield red("torch", "torch", f"cannot be imported: {error}", "reinstall torch==2.13.0")
        return
    capability = torch.backends.cpu.get_cpu_capability()
    seen = f"{torch.__version__}, {torch.get_num_threads()} threads, kernels for {capability}"
    yield ok("torch", "torch", seen)
    yield from _devices(torch)


def _devices(torch: object) -> Iterator[Finding]:
    cuda = torch.cuda  # type: ignore[attr-defined]
    if not cuda.is_available():
        built = torch.version.cuda  # type: ignore[attr-defined]
        seen = (
            "none: this is a CPU build" if built is None else f"none, though built for CUDA {built}"
        )
        if built is None:
            yield ok("torch", "GPU", seen)
        else:
            yield note("torch", "GPU", seen, "check the driver with `nvidia-smi`")
        return
    for index in range(cuda.device_count()):
        properties = cuda.get_device_properties(index)
        memory = f"{properties.total_memory / 2**30:.0f} GiB"
        seen = f"{properties.name}, {memory}, compute {properties.major}.{properties.minor}"
        yield ok("torch", f"cuda:{index}", seen)
