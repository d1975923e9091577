# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`make gpu-check`: what has to work on a CUDA GPU, in one table and one file, in ten minutes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.bench.report import Printed, Row, to_json
from evla_ros.errors import EvlaError
from evla_ros.options import Option

EXAMPLES = """\
example: python -m benchmarks gpu
the whole list without a GPU, to try the list itself: python -m benchmarks gpu --device cpu \\
    --preset evla-nano --seconds 0.2"""
FAILED = "gpu.failed"


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """Where and on what the list runs."""

    device: Annotated[str, Option("cuda, cuda:1; cpu tries the list itself")] = "cuda"
    preset: Annotated[str, Option("the network that is timed and trained")] = "evla-1b"
    small: Annotated[str, Option("the network of the longer training")] = "evla-nano"
    actions: Annotated[tuple[str, ...], Option("action shapes", "KxD")] = ("1x7", "8x7", "8x14")
    seconds: Annotated[float, Option("per figure", "S", above=0)] = 3.0
    out: Annotated[Path, Option("the file with the rows", "JSON")] = Path("outputs/gpu_check.json")


Check = Callable[[], Iterator[Row]]


def rows(options: Options) -> Iterator[Row]:
    """Run the list; a check that fails is a row, and the rest goes on.

    Raises:
        EvlaError: There is no such GPU; nothing was checked.
    """
    check_device(options.device)
    from benchmarks import gpu_checks

    found: list[Row] = []
    for name, check in gpu_checks.checks(options):
        for row in _guarded(name, check, options.device):
            found.append(row)
            yield row
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(to_json(found) + "\n")


def exit_code(found: Sequence[Row]) -> int:
    """Return 1 when a check failed, else 0."""
    return int(any(row.name == FAILED for row in found))


def check_device(device: str) -> None:
    """Check that a device can be used here.

    Raises:
        EvlaError: It cannot; says why.
    """
    import torch

    if not device.startswith("cuda") or torch.cuda.is_available():
        return
    if torch.version.cuda is None:
        why = f"torch {torch.__version__} is built for CPUs; docs/gpu.md says how to get the other"
    else:
        why = f"torch {torch.__version__} finds no GPU; does `nvidia-smi` list one?"
    raise EvlaError(f"nothing was checked: no CUDA device can be used here ({why})")


def _guarded(name: str, check: Check, device: str) -> Iterator[Row]:
    """Yield the rows of a check and how long it took; an error becomes a row."""
    began = time.monotonic()
    context: dict[str, object] = {"check": name, "device": device}
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - the next check may still tell something
        sentence = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        yield Row(FAILED, math.nan, "", context={**context, "error": sentence[:300]})
    yield Row("gpu.check.seconds", time.monotonic() - began, "s", context=context)
