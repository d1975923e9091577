# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read back what `export` has written: the same dataset, number for number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.data.camera_shapes import Size
from evla_ros.data.edit.copy import extras_of
from evla_ros.data.episode import Episode, Scalar
from evla_ros.data.image_jpeg import decode_rgb, encode_jpeg
from evla_ros.data.lerobot.episode_rows import METADATA, SPLIT
from evla_ros.data.lerobot.folder import LeRobotFolder, Place
from evla_ros.data.lerobot.layout import EMBODIMENT, ORIGIN, LeRobotError
from evla_ros.data.rlds.episode_encode import episode_parts
from evla_ros.data.rlds.features import ACTION, INSTRUCTION, OBSERVATION, DatasetFeatures
from evla_ros.data.rlds.features_json import from_json
from evla_ros.data.rlds.folder import WriteReport, WriteRules, write_folder
from evla_ros.data.rlds.staging import StagedEpisode, stage_payload
from evla_ros.reading.limits import YAML_BYTES
from evla_ros.reading.text_files import is_file, read_json_object, read_text

Progress = Callable[[int, int], None]


def is_own(root: Path) -> bool:
    """Return whether `evla dataset export` has written this folder."""
    return is_file(root / ORIGIN)


@dataclass(frozen=True)
class Origin:
    """What `meta/evla_ros.json` keeps of the dataset that was exported."""

    name: str
    features: DatasetFeatures
    columns: Mapping[str, str]  # LeRobot's name by RLDS key
    cameras: Mapping[str, tuple[Size, ...]]
    description: str

    @staticmethod
    def read(root: Path) -> Origin:
        """Read it.

        Raises:
            LeRobotError: It cannot be used.
        """
        path = root / ORIGIN
        content = read_json_object(path, LeRobotError)
        try:
            features = _writable(from_json(content["features"], str(path)))
            cameras = {
                str(name): tuple((int(h), int(w)) for h, w in sizes)
                for name, sizes in content["cameras"].items()
            }
            columns = {str(key): str(name) for key, name in content["columns"].items()}
            return Origin(
                str(content["dataset"]), features, columns, cameras, str(content["description"])
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LeRobotError(f"{path} cannot be used: {error!r}") from error


def restore(
    root: Path,
    datasets: Path,
    staging: Path,
    name: str | None,
    version: str | None,
    progress: Progress | None,
) -> WriteReport:
    """Write the dataset that a folder was exported from.

    Args:
        root: The LeRobot dataset.
        datasets: The folder that holds datasets.
        staging: An empty folder for finished episodes.
        name: Of the new dataset; None: as before.
        version: X.Y.Z; None: the next free one.
        progress: Told (episodes done, episodes) after each.
    """
    folder, origin = LeRobotFolder.open(root), Origin.read(root)
    missing = [one for one in origin.columns.values() if one not in folder.info.columns]
    if missing:
        raise LeRobotError(
            f"{root} no longer has {missing[0]!r}, which {ORIGIN} lists: it was changed since it "
            f"was exported; delete {ORIGIN} and import it with a map file"
        )
    staged, assignment = [], dict[str, list[str]]()
    seen: set[str] = set()
    for index, place in enumerate(folder.places):
        episode = _episode(folder, place, origin)
        episode_id = episode.episode_id
        if not episode_id or episode_id in seen:
            episode_id = f"{origin.name}/{place.number}"  # foreign datasets repeat theirs
        seen.add(episode_id)
        parts = episode_parts(episode, origin.features)
        path = stage_payload(staging, episode_id, parts)
        staged.append(StagedEpisode(episode_id, episode.success, path, sum(map(len, parts))))
        assignment.setdefault(str(place.metadata.get(SPLIT, "train")), []).append(episode_id)
        if progress is not None:
            progress(index + 1, len(folder.places))
    text = ""
    if (root / EMBODIMENT).is_file():
        text = read_text(root / EMBODIMENT, YAML_BYTES, LeRobotError)
    extras = extras_of(text, origin.features, origin.description, str(root))
    extras = replace(extras, cameras=origin.cameras)
    rules = WriteRules(version, assignment=assignment)
    return write_folder(datasets, name or origin.name, origin.features, staged, extras, rules)


def _writable(features: DatasetFeatures) -> DatasetFeatures:
    """Return the features without what could not be exported; numbers are no longer packed."""
    steps = {
        key: replace(feature, encoding="none") if feature.kind == "tensor" else feature
        for key, feature in features.steps.items()
        if feature.kind != "unsupported"
    }
    kept = {k: v for k, v in features.metadata.items() if v.kind in ("scalar", "text")}
    return DatasetFeatures(steps, kept, features.metadata_prefix)


def _episode(folder: LeRobotFolder, place: Place, origin: Origin) -> Episode:
    images: dict[str, list[bytes]] = {}
    observations: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    action = np.zeros((place.length, 0), np.float32)
    for key, feature in origin.features.steps.items():
        short = key.removeprefix(OBSERVATION)
        if key == INSTRUCTION or feature.kind == "unsupported":
            continue
        if key == "is_first" and key not in origin.columns:
            columns[key] = np.arange(place.length) == 0
            continue
        name = origin.columns[key]
        if folder.info.columns[name].is_picture:
            pictures = list(folder.pictures(place, name))
            if feature.kind == "image":
                images[short] = [
                    picture if isinstance(picture, bytes) else encode_jpeg(picture)
                    for picture in pictures
                ]
            else:
                observations[short] = np.stack([_pixels(picture) for picture in pictures])
            continue
        if feature.kind == "text":
            values: Any = np.asarray(folder.texts(place, name), dtype=object)
        else:
            values = folder.numbers(place, name).astype(feature.dtype, copy=False)
            values = values.reshape(place.length, *(size or 0 for size in feature.shape))
        if key == ACTION:
            action = values
        else:
            (columns if short == key else observations)[short] = values
    instructions = folder.instructions(place)
    return Episode(
        images, observations, action, instructions, columns, _metadata(place, origin.features)
    )


def _metadata(place: Place, features: DatasetFeatures) -> dict[str, Scalar]:
    return {
        key: place.metadata[METADATA + key]
        for key, feature in features.metadata.items()
        if METADATA + key in place.metadata
    }


def _pixels(picture: Any) -> Any:
    return decode_rgb(picture) if isinstance(picture, bytes) else picture
