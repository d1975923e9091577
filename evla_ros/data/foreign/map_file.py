# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The map file: which columns of a foreign dataset are which parts of a robot (strict YAML).

A column, or some of its numbers, is written as `observation.state[0:3]`, `action[6]`, `qpos`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationError, model_validator

from evla_ros.data.foreign.source import Array, ForeignEpisode, ForeignError
from evla_ros.embodiment.fields import Count, Identifier, Number, Section
from evla_ros.reading.yaml_files import read_yaml
from evla_ros.settings_errors import problems

_REFERENCE = re.compile(r"(?P<name>[^\[\]]+?)(\[(?P<start>\d+)(?P<range>:(?P<stop>\d+)?)?\])?")
RotationKind = Literal[
    "rpy", "axis_angle", "quaternion_xyzw", "quaternion_wxyz", "rotation_6d_rows",
    "rotation_6d_columns", "matrix",
]  # fmt: skip
ROTATIONS: dict[RotationKind, int] = {
    "rpy": 3, "axis_angle": 3, "quaternion_xyzw": 4, "quaternion_wxyz": 4,
    "rotation_6d_rows": 6, "rotation_6d_columns": 6, "matrix": 9,
}  # fmt: skip


def _checked(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError(f"{text!r} is no column; write name, name[3] or name[0:3]")
    return text


Reference = Annotated[str, AfterValidator(_checked)]


def column_of(reference: str) -> str:
    """Return the name of the column that a reference takes numbers of."""
    found = _REFERENCE.fullmatch(reference)
    return found["name"] if found else reference


def numbers_of(episode: ForeignEpisode, reference: str, width: int | None, what: str) -> Array:
    """Return the numbers of a reference: float64 [T, W].

    Args:
        episode: Where they are.
        reference: Such as `action[0:3]`.
        width: W, how many there must be; None: any.
        what: What they are, for messages.

    Raises:
        ForeignError: The column is missing, has other numbers, or one is not finite.
    """
    found = _REFERENCE.fullmatch(reference)
    name = found["name"] if found else reference
    values = np.asarray(episode.numbers(name), dtype=np.float64).reshape(episode.length, -1)
    if found and found["start"] is not None:
        start = int(found["start"])
        stop = start + 1
        if found["range"]:
            stop = int(found["stop"]) if found["stop"] else values.shape[1]
        if not start < stop <= values.shape[1]:
            raise ForeignError(
                f"{what}: {reference!r} goes beyond the {values.shape[1]} numbers of {name!r}"
            )
        values = values[:, start:stop]
    if width is not None and values.shape[1] != width:
        raise ForeignError(f"{what}: {reference!r} has {values.shape[1]} numbers, not {width}")
    if not np.isfinite(values).all():
        frame = int(np.argwhere(~np.isfinite(values))[0][0])
        raise ForeignError(f"{what}: {reference!r} is not finite in frame {frame}")
    return values


class Kinematics(Section):
    """A pose that is computed from joint positions."""

    joints: Reference = Field(description="columns of the joint positions")
    urdf: str = Field(description="file, from the map file's folder")
    names: list[str] = Field(min_length=1, description="joint of each number, as the URDF has them")
    frames: list[str] = Field(min_length=2, max_length=2, description="[base frame, tool frame]")
    degrees: bool = Field(False, description="the numbers are degrees, not radians")


class PoseMap(Section):
    """A tool pose: position and rotation columns, or joints and a URDF."""

    position: Reference | None = Field(None, description="three numbers")
    rotation: Reference | None = Field(None, description="as `rotation_as` says")
    rotation_as: RotationKind | None = Field(
        None, description="rpy: fixed-axis XYZ in radians, as in ROS; matrix: by rows"
    )
    metres: Number = Field(1.0, gt=0, description="length of one unit of `position` [m]")
    kinematics: Kinematics | None = Field(None, description="instead: joints and a URDF")

    @model_validator(mode="after")
    def _one_way(self) -> PoseMap:
        if (self.position is None) == (self.kinematics is None):
            raise ValueError("takes 'position' (with 'rotation'), or 'kinematics'")
        if (self.rotation is None) != (self.rotation_as is None):
            raise ValueError("'rotation' and 'rotation_as' go together")
        if self.kinematics is not None and self.rotation is not None:
            raise ValueError("'rotation' has no effect beside 'kinematics'")
        return self


class DeltaMap(Section):
    """Actions that are end-effector deltas already, in the robot's base frame."""

    position: Reference = Field(description="three numbers: dx dy dz")
    rotation: Reference | None = Field(None, description="three; left out: the tool never turns")
    rotation_as: Literal["rpy", "axis_angle"] = Field("rpy", description="of `rotation`")
    metres: Number = Field(1.0, gt=0, description="length of one unit of `position` [m]")
    radians: Number = Field(1.0, gt=0, description="angle of one unit of `rotation` [rad]")


class NumberMap(Section):
    """A gripper: the numbers when it is open and when it is closed."""

    column: Reference = Field(description="one number, or several whose mean counts")
    open: Number = Field(description="its value when open")
    closed: Number = Field(description="its value when closed")

    @model_validator(mode="after")
    def _differ(self) -> NumberMap:
        if self.open == self.closed:
            raise ValueError(f"'open' and 'closed' are both {self.open}; they must differ")
        return self


class ArmMap(Section):
    """One arm."""

    pose: PoseMap | None = Field(
        None, description="the measured tool pose, in the robot's base frame"
    )
    goal: PoseMap | None = Field(None, description="the commanded tool pose, where there is one")
    delta: DeltaMap | None = Field(None, description="instead of `goal`: commanded deltas")
    gripper: NumberMap | None = Field(None, description="the measured opening")
    gripper_command: NumberMap | None = Field(None, description="the commanded opening")
    joints: Reference | None = Field(None, description="joint positions, for proprio [rad]")

    @model_validator(mode="after")
    def _one_command(self) -> ArmMap:
        if self.pose is None:
            raise ValueError(
                "'pose' is missing; a dataset of joint positions has none: give `pose: {kinematics:"
                " {joints: ..., urdf: ..., names: [...], frames: [base, tool]}}`, to compute it"
            )
        if self.goal is not None and self.delta is not None:
            raise ValueError("takes 'goal' or 'delta', not both")
        return self


class BaseMap(Section):
    """A mobile base."""

    velocity: Reference = Field(description="three numbers: vx vy [m/s], wz [rad/s], measured")
    command: Reference | None = Field(None, description="the same, commanded")
    pose: Reference | None = Field(None, description="x y [m], yaw [rad]; for proprio base_pose")


class AxisMap(Section):
    """A single joint."""

    position: Reference = Field(description="measured [m or rad]")
    command: Reference | None = Field(None, description="commanded")


class MapFile(Section):
    """The whole file."""

    embodiment: str = Field(description="the robot: a file, or the name of a shipped one")
    rate_hz: Number | None = Field(
        None, gt=0, le=1000, description="frames a second, where the dataset does not say"
    )
    every: Count = Field(1, ge=1, le=1000, description="keep each n-th frame")
    cameras: dict[Identifier, str] = Field(min_length=1, description="robot's name: dataset's name")
    instruction: str | None = Field(None, min_length=1, description="one text for every episode")
    arms: dict[Identifier, ArmMap] = Field(min_length=1, description="by the robot's name")
    base: BaseMap | None = None
    axes: dict[Identifier, AxisMap] = Field(default_factory=dict)
    ignore: list[str] = Field(
        default_factory=list, description="columns and cameras left out on purpose"
    )


def read_map(path: Path) -> MapFile:
    """Read a map file.

    Raises:
        ForeignError: It is no YAML, or not the schema; each problem is a line.
    """
    tree: Any = read_yaml(path, ForeignError)
    if not isinstance(tree, dict):
        raise ForeignError(f"{path} holds {type(tree).__name__}; a map file is a mapping of keys")
    try:
        return MapFile.model_validate(tree)
    except ValidationError as error:
        found = [f"{path}: {problem}" for problem in problems(error, MapFile)]
        raise ForeignError("\n".join(found)) from error
