# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an adaptation found: a table, a plot and the figures, beside its runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evla_ros.recipes.adaptation_settings import Adaptation


def table(results: Sequence[dict[str, Any]], tasks: Sequence[str]) -> str:
    """Return success per task as Markdown, with the CPU time of all trainings so far."""
    names = [*tasks, "all"]
    lines = [
        f"| network | demonstrations a task | corrected | {' | '.join(names)} | CPU |",
        f"|---|---|---|{'---|' * len(names)}---|",
    ]
    for result in results:
        cells = [_rate(result["sim"].get(name)) for name in names]
        spent = result["train"]["cpu_s"] + result.get("cpu_s_before", 0.0)
        counts = [str(result["demonstrations"]), str(result["corrected"])]
        row = [result["start"], *counts, *cells, f"{spent / 60:.0f} min"]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def plot(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw success over all tasks against the demonstrations, with 95 % intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axis = figure.subplots()
    for start, corrected in dict.fromkeys((r["start"], r["corrected"]) for r in results):
        points = [
            (r["demonstrations"], 100 * r["sim"]["all"]["rate"], r["sim"]["all"]["wilson_95"])
            for r in results
            if (r["start"], r["corrected"]) == (start, corrected)
            and r["sim"].get("all", {}).get("rate") is not None
        ]
        if points:
            label = f"{start}, {corrected} corrected" if corrected else start
            counts, rates, spans = zip(*points, strict=True)
            below = [rate - 100 * span[0] for rate, span in zip(rates, spans, strict=True)]
            above = [100 * span[1] - rate for rate, span in zip(rates, spans, strict=True)]
            axis.errorbar(counts, rates, yerr=[below, above], marker="o", capsize=3, label=label)
    axis.set_xlabel("demonstrations per task")
    axis.set_ylabel("success, all tasks (%)")
    axis.set_ylim(-3, 103)
    axis.grid(alpha=0.3)
    if axis.has_data():
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def write(adaptation: Adaptation, results: Sequence[dict[str, Any]]) -> str:
    """Write adaptation.json, adaptation.md and success.png; returns the table."""
    folder, text = adaptation.folder, table(results, adaptation.tasks)
    content = {"world": adaptation.world, "start": adaptation.start, "results": list(results)}
    (folder / "adaptation.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "adaptation.md").write_text(text + "\n")
    plot(results, folder / "success.png")
    return text


def _rate(score: dict[str, Any] | None) -> str:
    if not score or score["rate"] is None:
        return "-"
    low, high = score["wilson_95"]
    return f"{100 * score['rate']:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
