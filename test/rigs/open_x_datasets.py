# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Invented datasets in the form of the published Open-X ones, written by this project's writer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import open_x_fakes as fakes

from evla_ros.data.episode import Episode, rlds_flags
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.features import (
    STORABLE_DTYPES,
    DatasetFeatures,
    Feature,
    jpeg_image,
    metadata_features,
    scalar,
    tensor,
    text,
)
from evla_ros.data.rlds.folder import FolderExtras, WriteRules, write_folder
from evla_ros.data.rlds.staging import stage_episode, staged_episodes

_OBSERVATION, _INSTRUCTION = "observation/", "language_instruction"


def fake_features(dataset: str) -> DatasetFeatures:
    """Return the features of a published dataset, in number types that we can write."""
    steps = {column.name: _feature(column) for column in fakes.columns(dataset)}
    flags = {key: scalar("bool") for key in ("is_first", "is_last", "is_terminal")}
    extra = {key: scalar("float32") for key in ("reward", "discount")}
    return DatasetFeatures({**extra, **flags, **steps}, metadata_features())


def fake_episode(
    dataset: str, index: int, *, steps: int = fakes.STEPS, labelled: bool = True
) -> Episode:
    """Return an invented episode as it is stored: texts and nested actions where they stand."""
    images, observations, columns = {}, {}, dict(rlds_flags(steps, terminal=True))
    action, texts = np.zeros((steps, 0), dtype=np.float32), [""] * steps
    for column in fakes.columns(dataset):
        values = fakes.episode(dataset, index, steps)[column.name]
        short = column.name.removeprefix(_OBSERVATION)
        if column.kind == "image":
            images[short] = [encode_jpeg(frame) for frame in values]
        elif column.kind == "text":
            words = [str(word) if labelled else "" for word in values]
            if column.name == _INSTRUCTION:
                texts = words
            else:
                columns[column.name] = np.asarray(words, dtype=object)
        elif column.name == "action":
            action = values.astype(np.float32)
        else:
            target = columns if short == column.name else observations
            target[short] = values.astype(_dtype(column.dtype))
    metadata = {"episode_id": f"{dataset}-{index}", "success": True}
    return Episode(images, observations, action, texts, columns, metadata)


def write_fake(
    root: Path,
    dataset: str,
    episodes: int = 3,
    *,
    steps: int = fakes.STEPS,
    unlabelled: Iterable[int] = (),
    held_out: int = 0,
    version: str = "0.1.0",
    folder: str = "",
) -> Path:
    """Write a fake of a published dataset, its first episodes held out; returns its folder."""
    name, features, without = folder or dataset, fake_features(dataset), set(unlabelled)
    with tempfile.TemporaryDirectory() as staging:
        for index in range(episodes):
            episode = fake_episode(dataset, index, steps=steps, labelled=index not in without)
            stage_episode(Path(staging), episode, features)
        staged = staged_episodes(Path(staging), features)
        ids = [f"{dataset}-{index}" for index in range(episodes)]
        splits = {"train": ids[held_out:], "val": ids[:held_out]}
        rules = WriteRules(version, assignment={key: ids for key, ids in splits.items() if ids})
        return write_folder(root, name, features, staged, FolderExtras(), rules).path


def _feature(column: fakes.FakeColumn) -> Feature:
    if column.kind == "image":
        return jpeg_image(fakes.SIZE, fakes.SIZE)
    if column.kind == "text":
        return text()
    dtype = _dtype(column.dtype)
    return tensor(column.shape, dtype) if column.shape else scalar(dtype)


def _dtype(wanted: str) -> str:
    return wanted if wanted in STORABLE_DTYPES else "float32"
