# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a map file fits both ends: the foreign dataset and the robot. Nothing is left unsaid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel

from evla_ros.data.foreign.episodes import needed_arms
from evla_ros.data.foreign.map_file import Kinematics, MapFile, column_of
from evla_ros.data.foreign.source import ForeignDataset
from evla_ros.embodiment import Embodiment
from evla_ros.errors import nearest

_SAME_RATE = 0.01


def map_problems(settings: MapFile, dataset: ForeignDataset, embodiment: Embodiment) -> list[str]:
    """Return what does not fit, a sentence each; empty when everything does."""
    found = _names("cameras", settings.cameras, embodiment.cameras)
    found += _names("arms", settings.arms, [arm.name for arm in embodiment.arms])
    found += _names("axes", settings.axes, [axis.name for axis in embodiment.axes])
    if (settings.base is None) != (embodiment.base is None):
        found.append(
            "base is missing: the robot has one"
            if settings.base is None
            else "base has no effect: the robot has none"
        )
    base = settings.base
    if base is not None and "base_pose" in embodiment.proprio and base.pose is None:
        found.append("base.pose is missing: proprio lists base_pose")
    found += needed_arms(settings.arms, embodiment)
    for where, reference in references(settings):
        name = column_of(reference)
        if name not in dataset.columns:
            found.append(f"{where}: no column {name!r}; {nearest(name, dataset.columns)}")
    for name, camera in settings.cameras.items():
        if camera not in dataset.cameras:
            hint = nearest(camera, dataset.cameras)
            found.append(f"cameras.{name}: no camera {camera!r}; {hint}")
    return [*found, *_rate(settings, dataset, embodiment)]


def unused(settings: MapFile, dataset: ForeignDataset) -> list[str]:
    """Return the columns and cameras that nothing takes, and that `ignore` does not name."""
    taken = {column_of(reference) for _, reference in references(settings)}
    taken |= {*settings.cameras.values(), *settings.ignore}
    return [name for name in (*dataset.columns, *dataset.cameras) if name not in taken]


def references(part: BaseModel, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted path, reference) of every column that a map names."""
    plain = ("embodiment", "instruction", "rotation_as", "urdf")
    for name in type(part).model_fields:
        value = getattr(part, name)
        where = f"{path}.{name}" if path else name
        if isinstance(value, BaseModel):
            yield from references(value, where)
        elif isinstance(value, dict) and name != "cameras":
            for key, inner in value.items():
                yield from references(inner, f"{where}.{key}")
        elif isinstance(value, str) and name not in plain:
            yield where, value


def kinematics_of(settings: MapFile) -> list[Kinematics]:
    """Return every chain that poses are computed with."""
    poses = [pose for arm in settings.arms.values() for pose in (arm.pose, arm.goal)]
    return [pose.kinematics for pose in poses if pose is not None and pose.kinematics is not None]


def _names(what: str, given: Mapping[str, object], needed: Iterable[str]) -> list[str]:
    wanted = list(needed)
    missing = [
        f"{what}.{name} is missing: the robot has it" for name in wanted if name not in given
    ]
    extra = [
        f"{what}.{name} has no effect: the robot has no {name!r}; {nearest(name, wanted)}"
        for name in given
        if name not in wanted
    ]
    return [*missing, *extra]


def _rate(settings: MapFile, dataset: ForeignDataset, embodiment: Embodiment) -> list[str]:
    told, rate = settings.rate_hz, dataset.rate_hz
    if rate is None and told is None:
        return ["rate_hz is missing: the dataset does not say how many frames a second it has"]
    if rate is not None and told is not None and abs(rate - told) > _SAME_RATE * rate:
        return [f"rate_hz is {told:g}, the dataset says {rate:g}: leave it out"]
    kept = (rate or told or 0.0) / settings.every
    if abs(kept - embodiment.rate_hz) <= _SAME_RATE * embodiment.rate_hz:
        return []
    sentence = (
        f"every {settings.every} of {rate or told:g} frames a second are {kept:g} Hz, the robot "
        f"has rate_hz {embodiment.rate_hz:g}: set `every`, or rate_hz of the embodiment file"
    )
    return [sentence]
