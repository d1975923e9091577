# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A map file to fill in: every column of a dataset as a comment, and the likeliest in its place."""

from __future__ import annotations

from evla_ros.data.foreign.source import ForeignColumn, ForeignDataset

_POSES = ("eef_pos", "ee_pos", "ee_position", "cartesian_position", "position")
_TURNS = {"quat": "quaternion_xyzw", "rot_axis_angle": "axis_angle", "rpy": "rpy", "euler": "rpy"}


def proposed_map(dataset: ForeignDataset) -> str:
    """Return the text; what is a guess says CHECK."""
    position = _first(dataset, _POSES, 3) or _column(dataset, "0:3")
    rotation, kind = _rotation(dataset)
    gripper = _first(dataset, ("gripper",), 1) or _column(dataset, "6")
    cameras = dataset.cameras or ("CAMERA",)
    lines = [
        f"# Which columns of {dataset.where} are which part of the robot.",
        "# Judge each line with CHECK.",
        "# A column, or some of its numbers, is written as name, name[3] or name[0:3].",
        "#",
        *(f"# column {column.line()}" for column in dataset.columns.values()),
        *(f"# camera {camera}" for camera in dataset.cameras),
        *(f"# unread {feature}" for feature in dataset.unread),
        "",
        "embodiment: my_robot.yaml  # CHECK: the robot's file, or the name of a shipped one",
    ]
    if dataset.rate_hz is None:
        lines.append("rate_hz: 10.0  # CHECK: frames a second, the dataset does not say")
    lines += ["every: 1  # keep each n-th frame, so that the rate is the robot's", "cameras:"]
    lines += [
        f"  {'primary' if index == 0 else f'camera_{index}'}: {camera}  # CHECK"
        for index, camera in enumerate(cameras)
    ]
    lines += [
        '# instruction: "pick up the cup"  # one text for all, where the dataset has none',
        "arms:",
        "  arm:  # CHECK: the arm's name in the robot's file",
        "    pose:  # measured, in the robot's base frame",
        f"      position: {position}  # CHECK",
        f"      rotation: {rotation}  # CHECK",
        f"      rotation_as: {kind}  # CHECK: rpy, axis_angle, quaternion_xyzw, quaternion_wxyz,",
        "      #   rotation_6d_rows, rotation_6d_columns, matrix",
        "      metres: 1.0  # CHECK: length of one unit [m]",
        "    # instead, from joints:",
        "    # pose:",
        "    #   kinematics:",
        "    #     joints: NAME[0:6]",
        "    #     urdf: robot.urdf",
        "    #     names: [joint1, joint2, joint3, joint4, joint5, joint6]",
        "    #     frames: [base_link, tool0]",
        "    # goal: like pose, where goals are recorded;",
        "    # delta:  # where actions are deltas already",
        "    #   position: action[0:3]",
        "    #   rotation: action[3:6]",
        "    gripper:",
        f"      column: {gripper}  # CHECK",
        "      open: 1.0  # CHECK: its value when open",
        "      closed: 0.0  # CHECK",
        "    # gripper_command: like gripper, where commands are recorded",
        "ignore: []  # columns and cameras that are left out on purpose",
        "",
    ]
    return "\n".join(lines)


def _first(dataset: ForeignDataset, words: tuple[str, ...], width: int) -> str:
    for word in words:
        for column in dataset.columns.values():
            if word in column.name.lower() and column.width == width:
                return column.name
    return ""


def _rotation(dataset: ForeignDataset) -> tuple[str, str]:
    for word, kind in _TURNS.items():
        for column in dataset.columns.values():
            if word in column.name.lower() and column.width in (3, 4):
                return column.name, kind
    return _column(dataset, "3:6"), "rpy"


def _column(dataset: ForeignDataset, numbers: str) -> str:
    def score(column: ForeignColumn) -> tuple[bool, int]:
        return "state" in column.name, column.width

    if not dataset.columns:
        return f"NAME[{numbers}]"
    return f"{max(dataset.columns.values(), key=score).name}[{numbers}]"
