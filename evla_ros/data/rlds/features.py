# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The features of a dataset: kind, shape and dtype of each, under flat slash-joined keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from evla_ros.data.rlds.errors import DatasetError
from evla_ros.embodiment import Embodiment, action_layout, proprio_layout

Kind = Literal["image", "tensor", "scalar", "text", "unsupported"]
OBSERVATION = "observation/"
EXTRA = "observation/extra/"  # what was recorded beside the inputs of a policy
ACTION = "action"
STATE = "observation/state"
INSTRUCTION = "language_instruction"
STORABLE_DTYPES = ("float32", "int32", "int64", "uint8", "bool")
READABLE_DTYPES = (
    *STORABLE_DTYPES,
    *("float16", "float64", "int8", "int16", "uint16", "uint32", "uint64"),
)
FORBIDDEN_STEP_KEYS = (
    "traj_metadata",
    "_len",
    "_traj_index",
    "_frame_index",
)  # dlimp's own


@dataclass(frozen=True)
class Feature:
    """One leaf of the feature tree.

    An `unsupported` feature (video, ragged, ...) is kept by name, with the reason as description.

    Attributes:
        kind: What the leaf is.
        shape: Shape of one step.
        dtype: Type of the numbers.
        encoding: none, bytes, zlib, jpeg or png.
        description: For people.
    """

    kind: Kind
    shape: tuple[int | None, ...] = ()
    dtype: str = "float32"
    encoding: str = "none"
    description: str = ""

    @property
    def values_per_step(self) -> int:
        """How many numbers one step holds; 1 for a scalar."""
        count = 1
        for dimension in self.shape:
            count *= dimension or 0
        return count


@dataclass(frozen=True)
class DatasetFeatures:
    """The features of the steps and of the episode, by flat key such as `observation/state`.

    `metadata_prefix` is `episode_metadata/` (the OXE convention) or empty (tfds.rlds).
    """

    steps: Mapping[str, Feature]
    metadata: Mapping[str, Feature] = field(default_factory=lambda: MappingProxyType({}))
    metadata_prefix: str = "episode_metadata/"

    @property
    def image_keys(self) -> tuple[str, ...]:
        """Observation keys (without `observation/`) of encoded images, in name order."""
        names = (k for k, f in self.steps.items() if f.kind == "image" and not is_extra(k))
        return tuple(
            sorted(n.removeprefix(OBSERVATION) for n in names if n.startswith(OBSERVATION))
        )

    @property
    def action_dim(self) -> int:
        """The size of the flat action, D; 0 when the dataset has no `action` that is read."""
        feature = self.steps.get(ACTION)
        readable = feature is not None and feature.kind in ("tensor", "scalar")
        return feature.values_per_step if feature is not None and readable else 0


def tensor(shape: tuple[int, ...], dtype: str = "float32", description: str = "") -> Feature:
    """Return the feature of a numeric array per step; metadata should be scalars."""
    return Feature("tensor", shape, _checked(dtype), "none", description)


def scalar(dtype: str = "float32", description: str = "") -> Feature:
    """One number or bool."""
    return Feature("scalar", (), _checked(dtype), "none", description)


def text(description: str = "") -> Feature:
    """One UTF-8 string."""
    return Feature("text", (), "string", "none", description)


def jpeg_image(height: int, width: int, description: str = "") -> Feature:
    """An RGB image stored as JPEG bytes."""
    return Feature("image", (height, width, 3), "uint8", "jpeg", description)


def png_image(height: int, width: int, description: str = "") -> Feature:
    """A depth image stored as a PNG of one channel with 16 bits."""
    return Feature("image", (height, width, 1), "uint16", "png", description)


def is_extra(key: str) -> bool:
    """Return whether a feature is no input of a policy: a depth image there is no picture."""
    return key.startswith(EXTRA)


def rlds_step_features(action_dim: int, action_description: str = "") -> dict[str, Feature]:
    """Return the step features that every written RLDS dataset has."""
    return {
        ACTION: tensor((action_dim,), "float32", action_description),
        INSTRUCTION: text("The instruction the operator followed."),
        "reward": scalar("float32", "1 on the last step of a successful episode, else 0."),
        "discount": scalar("float32", "Always 1."),
        "is_first": scalar("bool", "True on the first step."),
        "is_last": scalar("bool", "True on the last step."),
        "is_terminal": scalar("bool", "True on the last step when the episode ended by itself."),
    }


def metadata_features() -> dict[str, Feature]:
    """Return the metadata features that the writer needs for every episode."""
    return {
        "episode_id": text("Unique name of the episode; decides its split."),
        "success": scalar("bool", "Whether the operator marked the episode a success."),
    }


def features_for_embodiment(
    embodiment: Embodiment,
    image_size: int | tuple[int, int],
    columns: Mapping[str, Feature] | None = None,
    metadata: Mapping[str, Feature] | None = None,
) -> DatasetFeatures:
    """Return the features of a robot's dataset: an image per camera, `state` and `action`.

    Args:
        embodiment: The robot.
        image_size: A side or (height, width) [pixels].
        columns: Further step columns, beside the RLDS flags.
        metadata: Further scalar metadata, beside `episode_id` and `success`.

    Raises:
        DatasetError: A name that loaders could not read.
    """
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    action, proprio = action_layout(embodiment), proprio_layout(embodiment)
    steps = rlds_step_features(action.size, _describe(action.names, action.units))
    for camera in embodiment.cameras:
        steps[image_key(camera)] = jpeg_image(height, width, f"RGB image of camera {camera}.")
    steps[STATE] = tensor((proprio.size,), "float32", _describe(proprio.names, proprio.units))
    steps.update(columns or {})
    for name in FORBIDDEN_STEP_KEYS:
        if name in steps:
            raise DatasetError(f"a step column must not be called {name!r}: dlimp uses that name")
    extra = dict(metadata or {})
    for name, feature in extra.items():
        if feature.kind not in ("scalar", "text"):
            raise DatasetError(f"episode metadata {name!r} must be scalar: dlimp repeats it flat")
    return DatasetFeatures(steps, {**metadata_features(), **extra})


def image_key(camera: str) -> str:
    """Return the flat step key of a camera's image: `observation/image_<camera>`."""
    return f"{OBSERVATION}image_{camera}"


def _describe(names: tuple[str, ...], units: tuple[str, ...]) -> str:
    return ", ".join(f"{name} [{unit}]" for name, unit in zip(names, units, strict=True))


def _checked(dtype: str) -> str:
    if dtype not in STORABLE_DTYPES:
        raise DatasetError(
            f"dtype {dtype!r} cannot be stored in a dataset; use one of "
            + ", ".join(STORABLE_DTYPES)
        )
    return dtype
