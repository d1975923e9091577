# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Threads, number format and attention kernel of a run: what makes a step of this network faster.

They are measured by a few forward and backward passes before the first step, all ranks at once. A
run keeps what it began with, so that ranks and resumed runs agree.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from evla_ros.training.distributed import ProcessGroup, is_sharded

_WORTH = 1.08  # so many times as fast has the second of two choices to be
_REPEATS, _PATIENCE_S, _HOPELESS = 3, 10.0, 3.0


class Choice(NamedTuple):
    """How a pass is computed."""

    threads: int
    precision: str
    attention: str


Attempt = Callable[[str, str], None]  # makes a forward and a backward pass: precision, attention


@dataclass(frozen=True)
class Arithmetic:
    """How a run computes.

    Attributes:
        threads: CPU threads of a rank.
        precision: Number format of the matrix products, `fp32` or `bf16`.
        attention: The attention kernel, `sdpa` or `eager`.
        seconds: What a forward and backward pass of the tried samples took.
        why: What was chosen and why, in words.
    """

    threads: int
    precision: str
    attention: str
    seconds: float
    why: str

    @property
    def kept(self) -> dict[str, Any]:
        """What the saved state of the run holds of it."""
        names = ("threads", "precision", "attention")
        return {name: getattr(self, name) for name in names}


def choose_arithmetic(
    config: Any, kept: dict[str, Any], attempt: Attempt, group: ProcessGroup
) -> Arithmetic:
    """Measure what is not fixed, choose, and set the threads.

    Args:
        config: The settings of a run of either phase; what they name is not tried against others.
        kept: What the saved state of a resumed run holds, which wins over `auto`.
        attempt: Makes one pass.
        group: The ranks, which measure together and choose alike.
    """
    on_cpu = group.device.type == "cpu"
    precision = fixed_precision(config, kept, group)
    attention = _fixed(config.model.attention, kept.get("attention"))
    if not attention and (not on_cpu or is_sharded(config, group)):
        attention = "sdpa"
    threads = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        threads = int(kept.get("threads", threads))
    taken = Choice(threads, precision or "fp32", attention or "sdpa")
    others: dict[str, Any] = {}
    if other := _other_threads(threads, kept, on_cpu=on_cpu):
        others["threads"] = other
    others |= {} if precision else {"precision": "bf16"}
    others |= {} if attention else {"attention": "eager"}
    seconds, why = float("nan"), dict.fromkeys(Choice._fields, "")
    for name, value in others.items():
        pair = (taken, taken._replace(**{name: value}))
        found = _seconds(attempt, pair, group)
        taken, left = pair[::-1] if found[pair[1]] * _WORTH < found[pair[0]] else pair
        seconds = found[taken]
        why[name] = _reason(getattr(left, name), found[left] / seconds)
    if not others:
        seconds = _seconds(attempt, [taken], group)[taken]
    torch.set_num_threads(taken.threads)
    words = [
        f"{taken.precision}{why['precision']}",
        f"attention {taken.attention}{why['attention']}",
    ]
    if on_cpu:
        words.append(f"{taken.threads} CPU thread{'s' * (taken.threads != 1)}{why['threads']}")
    return Arithmetic(*taken, seconds, "; ".join(words))


def _other_threads(now: int, kept: dict[str, Any], *, on_cpu: bool) -> int:
    """Return a number of threads to try as well; 0 when it is fixed.

    On a machine that does other work, threads wait for each other at every layer, and one alone may
    be many times as fast. OMP_NUM_THREADS and `--threads` fix the number.
    """
    fixed = "threads" in kept or "OMP_NUM_THREADS" in os.environ
    return 1 if on_cpu and now > 1 and not fixed else 0


def _reason(left: str | int, factor: float) -> str:
    if not math.isfinite(factor):
        return f" (the memory does not suffice for {left})"
    if factor < _WORTH:
        return f" (measured: {left} is no faster)"
    return f" (measured: {factor:.2f} times the speed of {left})"


def fixed_precision(config: Any, kept: dict[str, Any], group: ProcessGroup) -> str:
    """Return the number format where nothing is left to measure, else an empty name.

    A GPU takes bf16 where it has it. The format of a sharded network is how its parts are gathered,
    so `auto` takes fp32 on a CPU.
    """
    given = _fixed(config.optimizer.precision, kept.get("precision"))
    if given or (group.device.type == "cpu" and not is_sharded(config, group)):
        return given
    if group.device.type == "cpu":
        return "fp32"
    return "bf16" if torch.cuda.is_bf16_supported() else "fp32"


def computing(
    device: torch.device, precision: str, *, sharded: bool
) -> contextlib.AbstractContextManager[Any]:
    """Return the context of a forward pass; the weights of a sharded network bring their format."""
    return contextlib.nullcontext() if sharded else autocast(device, precision)


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """Return the context in which products have a precision, `fp32` or `bf16`."""
    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def _fixed(setting: str, kept: str | None) -> str:
    return setting if setting != "auto" else kept or ""


def _seconds(
    attempt: Attempt, choices: Sequence[Choice], group: ProcessGroup
) -> dict[Choice, float]:
    """Return the seconds of the fastest of a few passes by choice, as a mean over the ranks.

    The choices take turns, so that another load of the machine meets all of them. One that is much
    slower than another gets no second turn; one for which the memory does not suffice takes
    infinitely long. One alone is warmed and timed once.
    """
    repeats = _REPEATS if len(choices) > 1 else 1
    best = dict.fromkeys(choices, float("inf"))
    began = time.perf_counter()
    for turn in range(repeats + 1):
        if turn > 1 and group.any(here=time.perf_counter() - began > _PATIENCE_S):
            break
        least = min(best.values())
        for choice in choices:
            if turn and best[choice] > _HOPELESS * least:
                continue
            with contextlib.suppress(torch.OutOfMemoryError):
                took = _timed(attempt, choice, group.device)
                best[choice] = took if turn < 2 else min(best[choice], took)  # the first one warms
    means = group.total(torch.tensor(list(best.values()), device=group.device)) / group.ranks
    return dict(zip(choices, means.tolist(), strict=True))


def _timed(attempt: Attempt, choice: Choice, device: torch.device) -> float:
    torch.set_num_threads(choice.threads)
    started = time.perf_counter()
    attempt(choice.precision, choice.attention)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started
