# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which LeRobot feature an RLDS column becomes.

LeRobot's names have dots and no slash. `action`, `observation.state` and `observation.images.*` are
what its policies look for; `next.reward` and `next.done` are its words for what follows an action.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from evla_ros.data.lerobot.layout import COUNTERS, Column, LeRobotError
from evla_ros.data.rlds.features import (
    ACTION,
    INSTRUCTION,
    OBSERVATION,
    STATE,
    DatasetFeatures,
    Feature,
)
from evla_ros.embodiment import Embodiment, action_layout, proprio_layout

PICTURE = "observation.images."
_RENAMED = {"reward": "next.reward", "is_last": "next.done"}
_DERIVED = ("is_first", INSTRUCTION)  # from the frame's number, and from its task
_IMAGE = "image_"


def lerobot_name(key: str, feature: Feature) -> str:
    """Return the LeRobot name of a step column."""
    if is_picture(feature):
        short = key.removeprefix(OBSERVATION)
        return PICTURE + (short.removeprefix(_IMAGE) or short).replace("/", ".")
    return _RENAMED.get(key, key.replace("/", "."))


def is_picture(feature: Feature) -> bool:
    """Whether a column holds pictures, encoded or as raw bytes [H, W, 3]."""
    raw = feature.dtype == "uint8" and len(feature.shape) == 3 and feature.shape[2] == 3
    return feature.kind == "image" or (feature.kind == "tensor" and raw)


def exported(features: DatasetFeatures) -> dict[str, str]:
    """Return LeRobot name by RLDS key, for every step column that has one of its own.

    Raises:
        LeRobotError: Two columns would have one name, or one is called like LeRobot's counters.
    """
    names: dict[str, str] = {}
    for key, feature in features.steps.items():
        if key in _DERIVED or feature.kind == "unsupported":
            continue
        name = lerobot_name(key, feature)
        if name in COUNTERS:
            raise LeRobotError(f"step column {key!r}: LeRobot keeps the name {name!r} for itself")
        if name in names.values():
            other = next(k for k, v in names.items() if v == name)
            raise LeRobotError(f"step columns {other!r} and {key!r} would both be {name!r}")
        names[key] = name
    if ACTION not in names:
        raise LeRobotError("the dataset has no flat `action` of numbers, which LeRobot needs")
    return names


def left_out(features: DatasetFeatures) -> list[str]:
    """Return the step columns that cannot be exported."""
    return [key for key, feature in features.steps.items() if feature.kind == "unsupported"]


def columns_of(
    features: DatasetFeatures,
    names: Mapping[str, str],
    embodiment: Embodiment | None,
    pictures: str,
) -> dict[str, Column]:
    """Return the columns of the new dataset by name.

    Args:
        features: Of the RLDS dataset.
        names: LeRobot name by RLDS key.
        embodiment: Names the numbers of action and state; None: they are numbered.
        pictures: `image` or `video`.
    """
    columns = {}
    for key, name in names.items():
        feature = features.steps[key]
        shape = tuple(size or 0 for size in feature.shape) or (1,)
        if is_picture(feature):
            columns[name] = Column(name, pictures, shape, ("height", "width", "channels"))
        elif feature.kind == "text":
            columns[name] = Column(name, "string", (1,))
        else:
            width = feature.values_per_step
            dtype = feature.dtype
            columns[name] = Column(name, dtype, (width,), _labels(key, width, embodiment))
    for name in COUNTERS:
        columns[name] = Column(name, "float32" if name == "timestamp" else "int64", (1,))
    return columns


def _labels(key: str, width: int, embodiment: Embodiment | None) -> tuple[str, ...]:
    layouts = {ACTION: action_layout, STATE: proprio_layout}
    if embodiment is not None and key in layouts:
        layout = layouts[key](embodiment)
        if layout.size == width:
            return layout.names
    return tuple(f"{key.rsplit('/', 1)[-1]}_{i}" for i in range(width)) if width > 1 else ()


def flattened(features: DatasetFeatures, names: Iterable[str]) -> list[str]:
    """Return the columns of numbers with more than one axis; LeRobot gets them as one row."""
    kept = (features.steps[key] for key in names)
    pairs = zip(names, kept, strict=True)
    return [key for key, one in pairs if len(one.shape) > 1 and not is_picture(one)]
