# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Success per task as a bar chart: one bar per policy, the 95 % interval as a whisker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.sim.evaluation.score import ALL_TASKS, Score, short_name

_COLOURS = {"expert": "#4a9a5b", "random": "#d08a2e", "hold": "#8d8d8d"}
_POLICY_COLOUR = "#1f6fb2"


def write_plot(path: Path, scores: Sequence[Score], title: str) -> None:
    """Write a PNG; raises EvlaError when matplotlib is missing."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise EvlaError(
            "the plot needs matplotlib, which is not installed: pip install 'evla_ros[sim]'"
        ) from error
    tasks = [t for t in dict.fromkeys(s.task for s in scores) if t != ALL_TASKS]
    if any(s.task == ALL_TASKS for s in scores):
        tasks = [ALL_TASKS, *tasks]
    policies = list(dict.fromkeys(s.policy for s in scores))
    height = 1.4 + len(tasks) * (0.16 * len(policies) + 0.18)
    figure = Figure(figsize=(8.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    thickness = 0.8 / len(policies)
    for rank, policy in enumerate(policies):
        _bars(axes, [s for s in scores if s.policy == policy], tasks, rank, thickness)
    axes.set_yticks(range(len(tasks)), [fill(task, 24) for task in tasks])
    axes.set_ylim(len(tasks) - 0.45, -0.55)
    axes.set_xlim(0, 113)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("success [%], whiskers: 95 % Wilson interval")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#e6e6e6")
    axes.set_axisbelow(True)
    figure.suptitle(title, fontsize=11)
    figure.legend(
        loc="outside lower center", ncols=min(4, len(policies)), frameon=False, fontsize=9
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    figure.savefig(partial, format="png", dpi=130)
    partial.replace(path)


def _bars(
    axes: Any, scores: Sequence[Score], tasks: Sequence[str], rank: int, thickness: float
) -> None:
    label = scores[0].policy
    colour = _COLOURS.get(label, _POLICY_COLOUR)
    axes.barh([0], [0], color=colour, label=short_name(label))
    for score in scores:
        y = tasks.index(score.task) - 0.4 + (rank + 0.5) * thickness
        if score.rate is None:
            axes.text(1, y, "not scored", va="center", fontsize=7, color="#a03030")
            continue
        low, high = (100 * x for x in score.interval)
        rate = 100 * score.rate
        axes.barh(y, rate, thickness * 0.85, color=colour, alpha=0.55)
        axes.plot([low, high], [y, y], color=colour, lw=1.5)
        axes.plot([rate], [y], "o", color=colour, ms=4, clip_on=False)
        axes.text(102.5, y, f"{score.successes}/{score.trials}", va="center", fontsize=7)
