# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench paper`: Table I of the EVLA paper, latency and memory, on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from evla_ros.bench.paper_options import PUBLISHED, Options
from evla_ros.bench.report import Row
from evla_ros.errors import EvlaError

__all__ = ["EXAMPLES", "Options", "rows", "table"]

EXAMPLES = """examples:
  evla bench paper
  evla bench paper --device cuda --json
  evla bench paper --models evla-nano --actions 8x7 --dtype fp32

A network of random weights answers one observation: a camera, 24 prompt tokens. What is too large
for this machine is estimated: single blocks are timed and multiplied by their number."""
ANSWERS = {"evla-1b": "joint", "openvla-7b": "autoregressive"}  # how each is published
MODES = ("joint", "autoregressive")


def rows(options: Options) -> Iterable[Row]:
    """Yield latency and memory of each network in both ways of decoding, then the ratios."""
    import torch

    from evla_ros.bench.paper_network import time_network

    if options.threads:
        torch.set_num_threads(options.threads)
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        raise EvlaError("no CUDA device is available; use --device cpu")
    if options.clock == "cpu" and (torch.get_num_threads() > 1 or options.device != "cpu"):
        raise EvlaError("--clock cpu measures one thread; add --threads 1")
    latencies: dict[tuple[str, str], float] = {}
    for preset in options.models:
        found = time_network(options, preset)
        for mode in MODES:
            latencies[preset, mode] = found.best_ms[mode]
            context = {**found.context, **_published(options, preset, mode, 0, "ms")}
            yield Row(
                f"paper.{_key(preset)}.{mode}.latency",
                found.best_ms[mode],
                "ms",
                None,
                None,
                context,
            )
        context = {
            **found.context,
            "memory": found.memory_is,
            **_published(options, preset, ANSWERS.get(preset, ""), 1, "GB"),
        }
        yield Row(f"paper.{_key(preset)}.memory", found.memory_gb, "GB", None, None, context)
    yield from _ratios(options, latencies)


def table(found: Sequence[Row]) -> str:
    """Return the rows as Table I: a line for each network and way of decoding."""
    values = {row.name: row for row in found}
    head = f"{'network':<12} {'decoding':<15} {'latency':>11} {'paper':>8} {'memory':>9}"
    lines = [f"{head} {'paper':>7}  how"]
    for row in found:
        parts = row.name.split(".")
        if parts[-1] != "latency":
            continue
        memory, context = values[f"paper.{parts[1]}.memory"], row.context
        paper_ms = f"{context['paper']:g} ms" if "paper" in context else "-"
        paper_gb = f"{memory.context['paper']:g} GB" if "paper" in memory.context else "-"
        lines.append(
            f"{context['preset']:<12} {parts[2]:<15} {row.value:>8.1f} ms {paper_ms:>8} "
            f"{memory.value:>6.2f} GB {paper_gb:>7}  {context['how']}, {context['dtype']}, "
            f"{_where(context)}"
        )
    for row in found:
        if row.unit == "x":
            paper = f", paper {row.context['paper']}" if "paper" in row.context else ""
            lines.append(f"{row.name}: {row.value:.2f} x{paper}")
    return "\n".join([*lines, "paper: A100-40GB; OpenVLA with FlashAttention-2, EVLA eager"])


def _where(context: Mapping[str, Any]) -> str:
    """Return the device of a row, and of a CPU its threads and clock."""
    if context["device"] != "cpu":
        return f"{context['device']}, {context['mode']}"
    threads, clock = context["threads"], context["clock"]
    return f"cpu, {threads} thread{'s' * (threads != 1)}{', processor time' * (clock == 'cpu')}"


def _ratios(options: Options, latencies: dict[tuple[str, str], float]) -> Iterator[Row]:
    where = {"actions": options.actions, "dtype": options.dtype, "device": options.device}
    for preset in options.models:
        gain = latencies[preset, "autoregressive"] / latencies[preset, "joint"]
        paper = {"paper": "6 to 7"} if preset == "evla-1b" and options.actions == "1x7" else {}
        yield Row(f"paper.{_key(preset)}.joint_speedup", gain, "x", None, None, {**where, **paper})
    large, small = ("openvla-7b", "autoregressive"), ("evla-1b", "joint")
    if large in latencies and small in latencies:
        paper = {"paper": "4"} if options.actions == "1x7" else {}
        gain = latencies[large] / latencies[small]
        yield Row("paper.speedup", gain, "x", None, None, {**where, **paper})


def _published(options: Options, preset: str, mode: str, column: int, unit: str) -> dict[str, Any]:
    """Return what the paper's table says, for the way of decoding and the action that it has."""
    if preset not in PUBLISHED or mode != ANSWERS[preset] or options.actions != "1x7":
        return {}
    return {"paper": PUBLISHED[preset][column], "paper_unit": unit, "paper_device": "A100-40GB"}


def _key(preset: str) -> str:
    return preset.replace("-", "_").replace(".", "_")
