# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The README.md of an exported dataset: the card that the Hugging Face hub shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evla_ros.data.lerobot.layout import VERSION, Column


def card(
    name: str,
    robot: str,
    licence: str,
    episodes: int,
    frames: int,
    fps: int,
    columns: Mapping[str, Column],
    tasks: Sequence[str],
) -> str:
    """Return the Markdown text.

    Args:
        name: Of the RLDS dataset.
        robot: Name of the embodiment; may be empty.
        licence: As the hub spells it, such as `cc-by-4.0`; empty: nobody has chosen one.
        episodes: How many.
        frames: In all of them.
        fps: Frames a second.
        columns: The features.
        tasks: The instructions.
    """
    lines = [
        "---",
        *([f"license: {licence}"] if licence else []),
        "task_categories:",
        "- robotics",
        "tags:",
        "- LeRobot",
        "configs:",
        "- config_name: default",
        "  data_files: data/*/*.parquet",
        "---",
        "",
        f"# {name}",
        "",
        f"{episodes} episodes, {frames} frames at {fps} Hz"
        + (f", recorded on {robot}" if robot else "")
        + f". LeRobot dataset {VERSION}, written by `evla dataset export`.",
        "",
        "| feature | type | shape | numbers |",
        "|---|---|---|---|",
    ]
    for column in columns.values():
        shape = "x".join(map(str, column.shape))
        lines.append(f"| `{column.name}` | {column.dtype} | {shape} | {', '.join(column.labels)} |")
    lines += ["", f"{len(tasks)} instructions:", ""]
    lines += [f"- {task}" for task in tasks[:50]]
    lines += [f"- and {len(tasks) - 50} more"] if len(tasks) > 50 else []
    if not licence:
        lines += ["", "No licence is chosen: ask the owner before you use it."]
    return "\n".join(lines) + "\n"
