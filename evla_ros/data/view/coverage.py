# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coverage plots: where the arms went, how actions are distributed, lengths and instructions."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.summary import EpisodeSummary
from evla_ros.errors import EvlaError

MOST_INSTRUCTIONS = 12
MANY_PATHS = 100


def write_coverage(
    episodes: Sequence[EpisodeSummary], context: SetContext, folder: Path
) -> list[Path]:
    """Draw where the arms went, how the actions are spread, and how long the episodes are.

    Args:
        episodes: Summaries of all episodes.
        context: What is known about the dataset.
        folder: Where `workspace.png`, `actions.png` and `episodes.png` go; made if need be.

    Returns:
        The paths that were written; no workspace where no state holds positions.

    Raises:
        EvlaError: There are no episodes, or matplotlib is not installed.
    """
    if not episodes:
        raise EvlaError("no readable episodes to plot")
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "workspace.png": _workspace(episodes, context),
        "actions.png": _actions(episodes, context),
        "episodes.png": _episodes(episodes, context),
    }
    written = []
    for name, figure in figures.items():
        if figure is not None:
            figure.savefig(folder / name, dpi=110)
            written.append(folder / name)
    return written


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise EvlaError(
            "coverage plots need matplotlib, which is not installed: pip install 'evla_ros[data]'"
        ) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _workspace(episodes: Sequence[EpisodeSummary], context: SetContext) -> Any:
    """Top and side view of every path, one row per arm; starts and ends marked."""
    arms = [arm for arm in context.arms if arm.state_position is not None]
    if not arms:
        return None
    figure = _figure(11, 5.2 * len(arms))
    grid = figure.subplots(len(arms), 2, squeeze=False)
    alpha = float(np.clip(15 / len(episodes), 0.04, 0.4))
    size = 4.0 if len(episodes) < MANY_PATHS else 1.5
    for row, arm in zip(grid, arms, strict=True):
        paths = [arm.positions(episode.state) for episode in episodes]
        for axes, (a, b), view in zip(row, ((0, 1), (0, 2)), ("top", "side"), strict=True):
            for path in paths:
                if path is not None and len(path):
                    axes.plot(path[:, a], path[:, b], color="tab:blue", alpha=alpha, linewidth=1)
                    axes.plot(*path[0, [a, b]], "o", color="tab:green", markersize=size)
                    axes.plot(*path[-1, [a, b]], "s", color="tab:red", markersize=size)
            _draw_box(axes, context, arm.name, a, b)
            axes.set_xlabel(f"{'xyz'[a]} [m]")
            axes.set_ylabel(f"{'xyz'[b]} [m]")
            axes.set_title(f"{arm.name}: {view} view (green start, red end)")
            axes.set_aspect("equal", adjustable="datalim")
            axes.grid(alpha=0.3)
    figure.suptitle(f"{context.name}: {len(episodes)} paths in the base frame")
    return figure


def _draw_box(axes: Any, context: SetContext, name: str, a: int, b: int) -> None:
    if context.embodiment is None:
        return
    limits = next(arm.limits for arm in context.embodiment.arms if arm.name == name)
    low, high = limits.workspace_min_m, limits.workspace_max_m
    corners = ((low[a], low[b]), (high[a], low[b]), (high[a], high[b]), (low[a], high[b]))
    closed = np.array([*corners, corners[0]])
    axes.plot(closed[:, 0], closed[:, 1], "--", color="gray", linewidth=1)


def _actions(episodes: Sequence[EpisodeSummary], context: SetContext) -> Any:
    """Histogram per action number, with q01 and q99 that training maps to -1 and 1."""
    names = context.action_names
    if not names:
        return None
    actions = np.concatenate([episode.action for episode in episodes])
    actions = actions[np.isfinite(actions).all(axis=1)]
    columns = min(7, len(names))
    rows = -(-len(names) // columns)
    figure = _figure(2.3 * columns, 2.5 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name, values in zip(grid.flat, names, actions.T, strict=False):
        axes.hist(values, bins=41, color="tab:blue")
        for quantile in np.quantile(values, [0.01, 0.99]):
            axes.axvline(quantile, color="tab:red", linewidth=1, linestyle="--")
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)
        axes.set_title(name, fontsize=10)
        axes.tick_params(labelsize=7)
        axes.locator_params(axis="x", nbins=4)
    figure.suptitle(f"{context.name}: {len(actions)} actions (dashed: q01 and q99; log counts)")
    return figure


def _episodes(episodes: Sequence[EpisodeSummary], context: SetContext) -> Any:
    """Episode lengths and how often each instruction occurs."""
    figure = _figure(11, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
    lengths = [len(episode) for episode in episodes]
    spread = max(lengths) - min(lengths) + 1
    edges = np.arange(min(lengths), max(lengths) + 2, max(1, spread // 30)) - 0.5
    left.hist(lengths, bins=list(edges), color="tab:blue", edgecolor="white")
    left.set_xlim(max(0, min(lengths) - 3), max(lengths) + 3)
    for axis in (left.xaxis, left.yaxis, right.xaxis):
        axis.get_major_locator().set_params(integer=True)
    left.set_xlabel("steps")
    left.set_ylabel("episodes")
    left.set_title("episode length")
    counts = Counter(text or "(none)" for e in episodes for text in e.instructions)
    top = counts.most_common(MOST_INSTRUCTIONS)[::-1]
    labels = ["\n".join(textwrap.wrap(text, 38)[:2]) for text, _ in top]
    right.barh(range(len(top)), [count for _, count in top], color="tab:blue")
    right.set_yticks(range(len(top)), labels, fontsize=8)
    right.set_xlabel("episodes")
    more = f", {len(top)} shown" if len(counts) > len(top) else ""
    right.set_title(f"{len(counts)} different instructions{more}")
    figure.suptitle(f"{context.name}: {len(episodes)} episodes, {sum(lengths)} steps")
    return figure
