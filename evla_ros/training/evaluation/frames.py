# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a dataset as inputs of a network, for exports and comparisons of number formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evla_ros.training.errors import TrainingDataError

if TYPE_CHECKING:
    from evla_ros.model.checkpoint import Parts
    from evla_ros.model.model_input import ModelInput
    from evla_ros.model.normalization import Normalizer
    from evla_ros.model.processor import Processor
    from evla_ros.training.samples.source import Source


def observations(
    processor: Processor, normalizer: Normalizer | None, source: Source, numbers: np.ndarray
) -> Iterator[ModelInput]:
    """Yield frames of a split, by number, as inputs of the network."""
    for number in numbers:
        index, step = source.locate(int(number))
        episode = source.episode(index)
        cameras = processor.config.image.cameras
        images = {c: episode.episode.image(episode.cameras[c], step) for c in cameras}
        proprio = None if episode.proprio is None else episode.proprio[step]
        instruction = str(episode.episode.instructions[step])
        yield processor(images, instruction, proprio, normalizer)


def spread(count: int, frames: int) -> np.ndarray:
    """Return at most `frames` numbers below `count`, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(frames, count)).astype(int))


def dataset_frames(
    parts: Parts, dataset: Path, learned: int, judged: int
) -> tuple[list[ModelInput], list[ModelInput]]:
    """Return frames to calibrate with and frames to judge on, from different episodes.

    The first come from the split `train`, the second from `val`; of a dataset with one split the
    second half is judged.

    Raises:
        TrainingDataError: the dataset does not fit the checkpoint, or is too small for both.
    """
    from evla_ros.training.samples.source import Source

    train, config = Source(dataset, "train"), parts.config
    train.check(config.action.dim, config.proprio_dim, config.image.cameras)
    normalizer = _normalizer(parts, train.name)
    splits = train.dataset.splits
    if "val" in splits:
        held_out = Source(dataset, "val")
        learn, judge = spread(len(train), learned), spread(len(held_out), judged)
    else:
        held_out, half = train, len(train) // 2
        if half < 2:
            raise TrainingDataError(f"{dataset}: {len(train)} frames are too few to compare on")
        learn, judge = spread(half, learned), half + spread(len(train) - half, judged)
    sources = ((train, learn[:learned]), (held_out, judge))
    first, second = (
        list(observations(parts.processor, normalizer, source, numbers))
        for source, numbers in sources
    )
    return first, second


def _normalizer(parts: Parts, dataset: str) -> Normalizer | None:
    if not parts.config.proprio_dim:
        return None
    known = parts.statistics
    key = dataset if dataset in known.datasets else known.key(None, None)
    return known.proprio(key, parts.config.action.normalization)
