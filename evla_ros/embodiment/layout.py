# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which number of an action or proprio vector means what: names, columns and units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from evla_ros.embodiment.schema import ARM_NUMBERS, Arm, Embodiment
from evla_ros.errors import EvlaError, nearest

Kind = Literal[
    "delta_position", "delta_rotation", "gripper", "position", "quaternion", "joint",
    "velocity", "angular_velocity", "heading", "axis",
]  # fmt: skip
# What stays in force when an episode is over; everything else is a change, over when it is done.
_ABSOLUTE: tuple[Kind, ...] = ("gripper", "axis")


BASE_NUMBERS = ("vx", "vy", "wz")
_Part = tuple[str, str, Kind, str, Sequence[str]]  # of whom, name, kind, unit, labels


@dataclass(frozen=True)
class Feature:
    """Consecutive columns of one kind and unit that belong to one arm, the base or an axis.

    Attributes:
        name: unique in its layout, such as `right_position`.
        arm: the arm's or the axis's name in the embodiment file, or `base`.
        kind: what the numbers are.
        unit: m, rad, m/s, rad/s, or 1 (a fraction or a part of a quaternion).
        labels: one name per column, such as `right_dx`.
        start: the first column.
    """

    name: str
    arm: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    start: int

    @property
    def stop(self) -> int:
        """One past the last column."""
        return self.start + len(self.labels)


@dataclass(frozen=True)
class FeatureLayout:
    """The consecutive features of a vector; says what each of its numbers means."""

    features: tuple[Feature, ...]

    @property
    def size(self) -> int:
        """The length of the vector."""
        return self.features[-1].stop if self.features else 0

    @property
    def names(self) -> tuple[str, ...]:
        """One name per number, such as `right_dx`."""
        return tuple(label for feature in self.features for label in feature.labels)

    @property
    def units(self) -> tuple[str, ...]:
        """One unit per number: m, rad, m/s, rad/s, or 1 (a fraction, a part of a quaternion)."""
        return tuple(feature.unit for feature in self.features for _ in feature.labels)

    @property
    def normalization_mask(self) -> tuple[bool, ...]:
        """One flag per number: True where dataset statistics scale it.

        Gripper openings are not scaled, which is OpenVLA's convention.
        """
        return tuple(feature.kind != "gripper" for feature in self.features for _ in feature.labels)

    @property
    def absolute_mask(self) -> tuple[bool, ...]:
        """One flag per number of an action: True where it says what is, not what changes."""
        return tuple(feature.kind in _ABSOLUTE for feature in self.features for _ in feature.labels)

    def slice_of(self, name: str) -> slice:
        """Return the columns of a feature.

        Raises:
            EvlaError: there is no such feature; the message names the nearest one.
        """
        for feature in self.features:
            if feature.name == name:
                return slice(feature.start, feature.stop)
        hint = nearest(name, [feature.name for feature in self.features])
        raise EvlaError(f"no feature {name!r} in this layout; {hint}")


class ActionColumns(NamedTuple):
    """Where the numbers of an action are.

    Attributes:
        size: numbers of an action.
        arms: the seven columns of each arm.
        base: the columns of vx vy wz; None without a base.
        axes: the column of each axis.
    """

    size: int
    arms: tuple[slice, ...]
    base: slice | None = None
    axes: tuple[int, ...] = ()

    @property
    def grippers(self) -> tuple[int, ...]:
        """The column of each arm's gripper."""
        return tuple(arm.stop - 1 for arm in self.arms)

    @property
    def absolute(self) -> tuple[int, ...]:
        """The columns that say what is, not what changes: grippers and axes."""
        return (*self.grippers, *self.axes)


def action_columns(embodiment: Embodiment) -> ActionColumns:
    """Return the columns of an action, which `action_layout` names."""
    arms = columns_of_arms(len(embodiment.arms)).arms
    start = arms[-1].stop
    base = None if embodiment.base is None else slice(start, start + len(BASE_NUMBERS))
    first = start if base is None else base.stop
    size = first + len(embodiment.axes)
    return ActionColumns(size, arms, base, tuple(range(first, size)))


def columns_of_arms(arms: int) -> ActionColumns:
    """Return the columns of an action of a robot that has that many arms and nothing else."""
    width = len(ARM_NUMBERS)
    return ActionColumns(
        width * arms, tuple(slice(width * i, width * i + width) for i in range(arms))
    )


def action_layout(embodiment: Embodiment) -> FeatureLayout:
    """Return the layout of an action: seven numbers per arm, arms in the order of the file.

    Each arm has three position differences [m], three rotation differences [rad] and the gripper's
    opening (0 to 1). A base follows with vx vy [m/s] and wz [rad/s] in its own frame, then every
    axis with its position [m or rad].
    """
    parts: list[_Part] = []
    for arm in embodiment.arms:
        n = arm.name
        parts.append((n, "position", "delta_position", "m", [f"{n}_d{a}" for a in "xyz"]))
        angles = ("droll", "dpitch", "dyaw")
        parts.append((n, "rotation", "delta_rotation", "rad", [f"{n}_{a}" for a in angles]))
        parts.append((n, "gripper", "gripper", "1", [f"{n}_gripper"]))
    if embodiment.base is not None:
        parts += _base_velocity()
    parts += _axes(embodiment)
    return _lay_out(parts)


def proprio_layout(embodiment: Embodiment) -> FeatureLayout:
    """Return the layout of the proprio vector, in the order of the file.

    The entries of `proprio` follow each other; each holds every arm in turn. So all poses come
    before all grippers when the file lists `[ee_pose, gripper]`.
    """
    parts = [part for entry in embodiment.proprio for part in _proprio_parts(entry, embodiment)]
    return _lay_out(parts)


def _proprio_parts(entry: str, embodiment: Embodiment) -> list[_Part]:
    if entry == "base_velocity":
        return _base_velocity()
    if entry == "base_pose":
        return [
            ("base", "position", "position", "m", ["base_x", "base_y"]),
            ("base", "heading", "heading", "rad", ["base_yaw"]),
        ]
    if entry == "axes":
        return _axes(embodiment)
    return [part for arm in embodiment.arms for part in _arm_state(entry, arm)]


def _arm_state(entry: str, arm: Arm) -> list[_Part]:
    n = arm.name
    if entry == "ee_pose":
        return [
            (n, "ee_position", "position", "m", [f"{n}_{a}" for a in "xyz"]),
            (n, "ee_quaternion", "quaternion", "1", [f"{n}_q{a}" for a in "xyzw"]),
        ]
    if entry == "gripper":
        return [(n, "gripper", "gripper", "1", [f"{n}_gripper"])]
    return [(n, "joints", "joint", "rad", [f"{n}_{j}" for j in arm.joints])]


def _base_velocity() -> list[_Part]:
    return [
        ("base", "linear", "velocity", "m/s", ["base_vx", "base_vy"]),
        ("base", "angular", "angular_velocity", "rad/s", ["base_wz"]),
    ]


def _axes(embodiment: Embodiment) -> list[_Part]:
    return [(axis.name, "axis", "axis", axis.unit, [axis.name]) for axis in embodiment.axes]


def proprio_columns_of_arms(embodiment: Embodiment) -> tuple[tuple[int, ...], ...]:
    """Return which columns of the proprio vector belong to each arm, one tuple per arm.

    Those of a base and of axes belong to no arm.
    """
    features = proprio_layout(embodiment).features
    return tuple(
        tuple(i for f in features if f.arm == arm.name for i in range(f.start, f.stop))
        for arm in embodiment.arms
    )


def _lay_out(parts: Sequence[_Part]) -> FeatureLayout:
    features: list[Feature] = []
    start = 0
    for arm, name, kind, unit, labels in parts:
        features.append(Feature(f"{arm}_{name}", arm, kind, unit, tuple(labels), start))
        start = features[-1].stop
    return FeatureLayout(tuple(features))
