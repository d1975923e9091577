# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The known datasets as a table for people: `python -m evla_ros.data.open_x.table`."""

from __future__ import annotations

from evla_ros.data.open_x.dataset import OpenXDataset
from evla_ros.data.open_x.datasets import DATASETS
from evla_ros.data.open_x.grippers import (
    GripperRule,
    clipped_closedness,
    clipped_opening,
    closedness,
    closing_moves,
    opening,
    settled_opening,
)
from evla_ros.data.open_x.pieces import Column, Constant, Piece

_RULES: dict[GripperRule, str] = {
    opening: "as stored",
    closedness: "1 - stored",
    clipped_opening: "stored, cut to 0..1",
    clipped_closedness: "1 - stored, cut to 0..1",
    settled_opening: "stored, in between: what is reached next",
    closing_moves: "stored moves added up: +1 closes, -1 opens",
}
_ACTIONS = {"pose": "6 + 1", "pose_r6": "9 + 1", "joints": "7 + 1 joints"}
_HEAD = ("dataset", "cameras", "action", "gripper (1 = open)", "state", "frame", "Hz")


def dataset_table() -> str:
    """Return a Markdown table with a row for every known dataset, in the order of their names."""
    rows = [_row(name, DATASETS[name]) for name in sorted(DATASETS)]
    return "\n".join(_line(row) for row in (_HEAD, ("---",) * len(_HEAD), *rows)) + "\n"


def _row(name: str, dataset: OpenXDataset) -> tuple[str, ...]:
    cameras = ", ".join(f"{camera} `{key}`" for camera, key in dataset.cameras.items())
    rate = "" if dataset.rate_hz is None else f"{dataset.rate_hz:g}"
    kind = dataset.state_kind.replace("_", " ")
    return (
        f"`{name}`",
        cameras or "not published",
        _ACTIONS[dataset.action],
        _gripper(dataset.gripper, dataset.gripper_rule),
        kind,
        dataset.frame,
        rate,
    )


def _gripper(piece: Piece, rule: GripperRule) -> str:
    if isinstance(piece, Constant):
        return f"always {piece.value:g}"
    where = f"`{piece.name}`" if isinstance(piece, Column) else "computed"
    return f"{where}: {_RULES[rule]}"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(dataset_table(), end="")
