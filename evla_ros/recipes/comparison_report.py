# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a comparison found: a table, curves and the figures, beside its runs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evla_ros.training.metrics import DECODED, accuracy_of, read_metrics

_COLUMNS = (
    "decoding",
    "seeds",
    "steps",
    "held-out token accuracy",
    "decoded tokens equal",
    "decoded L1, first three",
    "closed-loop success",
    "decode",
    "CPU a run",
)


def modes_of(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return the ways of decoding, in the order in which they were trained."""
    return list(dict.fromkeys(result["mode"] for result in results))


def table(results: Sequence[dict[str, Any]]) -> str:
    """Return the comparison as Markdown: means over seeds, and the spread where it matters."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    for mode in modes_of(results):
        mine = [result for result in results if result["mode"] == mode]
        cells = [
            mode + (" (teacher-forced accuracy)" if mode == "autoregressive" else ""),
            str(len(mine)),
            f"{statistics.mean(r['steps'] for r in mine):.0f}",
            _percent([_accuracy(r["held_out"]) for r in mine]),
            _percent([r["offline"]["token_accuracy"] for r in mine]),
            _millimetres(mine),
            _percent([r["sim"]["all"]["rate"] for r in mine if "all" in r["sim"]]),
            f"{statistics.mean(r['offline']['inference_ms'] for r in mine):.0f} ms",
            f"{statistics.mean(r['train']['cpu_s'] for r in mine) / 60:.1f} min",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def plot(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw loss, accuracy and L1 over the steps: a line a run, a colour a network."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(18, 3.6), layout="constrained")
    panels = (
        (_taught, "loss", "training loss"),
        (_taught, DECODED, "training token accuracy"),
        (_curve, DECODED, "held-out token accuracy"),
        (_curve, "loss", "held-out loss"),
        (_curve, "normalized_l1", "held-out L1 (range -1..1)"),
    )
    for axis, (curve, key, title) in zip(figure.subplots(1, 5), panels, strict=True):
        for number, mode in enumerate(modes_of(results)):
            runs = [result for result in results if result["mode"] == mode]
            for i, run in enumerate(runs):
                points = curve(Path(run["checkpoint"]).parent, key)
                label = mode if i == 0 else None
                axis.plot(*zip(*points, strict=True), color=f"C{number}", lw=1.2, label=label)
        axis.set_title(title)
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def write(results: Sequence[dict[str, Any]], question: dict[str, Any], folder: Path) -> str:
    """Write comparison.json, comparison.md and curves.png; returns the table."""
    text = table(results)
    content = {"question": question, "results": list(results)}
    (folder / "comparison.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "comparison.md").write_text(text + "\n")
    plot(results, folder / "curves.png")
    return text


def _taught(run: Path, key: str) -> list[tuple[int, float]]:
    entries = [entry for entry in read_metrics(run) if "loss" in entry]
    return [(entry["step"], _number(entry, key)) for entry in entries] or [(0, float("nan"))]


def _curve(run: Path, key: str) -> list[tuple[int, float]]:
    held_out = [entry for entry in read_metrics(run) if "val" in entry]
    return [
        (e["step"], statistics.mean(_number(v, key) for v in e["val"].values())) for e in held_out
    ] or [(0, float("nan"))]


def _number(entry: dict[str, Any], key: str) -> float:
    return accuracy_of(entry) if key == DECODED else float(entry[key])


def _accuracy(held_out: dict[str, Any]) -> float | None:
    values = [accuracy_of(entry) for entry in held_out.values()]
    return statistics.mean(values) if values else None


def _percent(values: Sequence[float | None]) -> str:
    known = [100 * value for value in values if value is not None]
    if not known:
        return "-"
    return f"{statistics.mean(known):.1f} % ({min(known):.1f} to {max(known):.1f})"


def _millimetres(results: Sequence[dict[str, Any]]) -> str:
    firsts = [statistics.mean(list(r["offline"]["l1"].values())[:3]) for r in results]
    return f"{1e3 * statistics.mean(firsts):.2f} mm"
