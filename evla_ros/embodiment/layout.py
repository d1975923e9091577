# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The columns that an embodiment implies: name, place and unit of every number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evla_ros.embodiment.schema import Embodiment
from evla_ros.errors import EvlaError, nearest

Kind = Literal["delta_position", "delta_rotation", "gripper", "position", "quaternion", "joint"]


@dataclass(frozen=True)
class Feature:
    """Columns [start, stop) of one kind and unit of one arm; `labels` names each column."""

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
    """Consecutive features; every question about "which number is what" is answered here."""

    features: tuple[Feature, ...]

    @property
    def size(self) -> int:
        """Numbers in one vector."""
        return self.features[-1].stop if self.features else 0

    @property
    def names(self) -> tuple[str, ...]:
        """One name per number, such as `right_dx`."""
        return tuple(label for feature in self.features for label in feature.labels)

    @property
    def units(self) -> tuple[str, ...]:
        """One unit per number: m, rad, or 1 (a fraction or a quaternion part)."""
        return tuple(feature.unit for feature in self.features for _ in feature.labels)

    @property
    def gripper_indices(self) -> tuple[int, ...]:
        """Columns that hold a gripper opening (1 = open)."""
        return tuple(f.start for f in self.features if f.kind == "gripper")

    @property
    def normalization_mask(self) -> tuple[bool, ...]:
        """True where statistics normalise a number; grippers are not (OpenVLA's convention)."""
        return tuple(feature.kind != "gripper" for feature in self.features for _ in feature.labels)

    def slice_of(self, name: str) -> slice:
        """Return the columns of a feature; raises EvlaError naming the nearest one."""
        for feature in self.features:
            if feature.name == name:
                return slice(feature.start, feature.stop)
        hint = nearest(name, [feature.name for feature in self.features])
        raise EvlaError(f"no feature {name!r} in this layout; {hint}")


def action_layout(embodiment: Embodiment) -> FeatureLayout:
    """Return the action layout: per arm, in file order, 3 m + 3 rad + 1 opening."""
    parts: list[tuple[str, str, Kind, str, Sequence[str]]] = []
    for arm in embodiment.arms:
        n = arm.name
        parts.append((n, "position", "delta_position", "m", [f"{n}_d{a}" for a in "xyz"]))
        angles = ("droll", "dpitch", "dyaw")
        parts.append((n, "rotation", "delta_rotation", "rad", [f"{n}_{a}" for a in angles]))
        parts.append((n, "gripper", "gripper", "1", [f"{n}_gripper"]))
    return _lay_out(parts)


def proprio_layout(embodiment: Embodiment) -> FeatureLayout:
    """Return the proprio layout: entries in file order, each for every arm in file order."""
    parts: list[tuple[str, str, Kind, str, Sequence[str]]] = []
    for entry in embodiment.proprio:
        for arm in embodiment.arms:
            n = arm.name
            if entry == "ee_pose":
                parts.append((n, "ee_position", "position", "m", [f"{n}_{a}" for a in "xyz"]))
                quaternion = [f"{n}_q{a}" for a in "xyzw"]
                parts.append((n, "ee_quaternion", "quaternion", "1", quaternion))
            elif entry == "gripper":
                parts.append((n, "gripper", "gripper", "1", [f"{n}_gripper"]))
            else:
                parts.append((n, "joints", "joint", "rad", [f"{n}_{j}" for j in arm.joints]))
    return _lay_out(parts)


def proprio_columns_of_arms(embodiment: Embodiment) -> tuple[tuple[int, ...], ...]:
    """Return the columns of the proprio vector that belong to each arm, arms in file order."""
    features = proprio_layout(embodiment).features
    return tuple(
        tuple(i for f in features if f.arm == arm.name for i in range(f.start, f.stop))
        for arm in embodiment.arms
    )


def _lay_out(parts: Sequence[tuple[str, str, Kind, str, Sequence[str]]]) -> FeatureLayout:
    features: list[Feature] = []
    start = 0
    for arm, name, kind, unit, labels in parts:
        features.append(Feature(f"{arm}_{name}", arm, kind, unit, tuple(labels), start))
        start = features[-1].stop
    return FeatureLayout(tuple(features))
