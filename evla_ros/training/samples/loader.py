# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An endless, weighted, shuffled stream of samples in which sample i depends on (seed, i) alone.

A resumed run, any number of ranks and any number of worker processes therefore see the same stream.
The shuffle takes no memory, and every source is shown whole before any of it is shown again.
Pictures are decoded by the workers when their batch is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from evla_ros.data.image_resize import ImageError
from evla_ros.data.interleave import Interleave
from evla_ros.data.shuffle import Shuffled
from evla_ros.errors import EvlaError
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.augmentation import augment
from evla_ros.training.samples.batch import Batch, Collator
from evla_ros.training.samples.feature_cache import FeatureCache
from evla_ros.training.samples.sample import Sample, draw_answers, objects_at, pictures_of
from evla_ros.training.samples.source import Source


@dataclass(frozen=True)
class SampleSettings:
    """What a sample holds.

    Attributes:
        cameras: Names of the cameras to read.
        chunk: Actions of a chunk, K.
        instructions: Instructions that share one picture, R.
        augment: Whether pictures are cropped and recoloured at random.
        proprio_dropout: Probability that the mean replaces the proprioception.
        black_cameras: Whether black pictures stand for cameras that a dataset does not have.
    """

    cameras: tuple[str, ...]
    chunk: int
    instructions: int = 1
    augment: bool = False
    proprio_dropout: float = 0.0
    black_cameras: bool = False


class SampleStream(Dataset[Batch]):
    """The numbered samples of a run; the seed and the number decide everything in a sample."""

    def __init__(
        self,
        sources: Sequence[Source],
        weights: Sequence[float],
        settings: SampleSettings,
        collate: Collator,
        seed: int,
        features: FeatureCache | None = None,
    ) -> None:
        self.features = features
        self.sources, self.settings, self.collate, self.seed = sources, settings, collate, seed
        sizes = np.array([len(source) for source in sources], dtype=np.float64)
        shares = np.asarray(weights, dtype=np.float64) * sizes  # weights multiply dataset sizes
        self._turns = Interleave(list(shares), seed)
        self._orders: dict[int, tuple[int, Shuffled]] = {}

    def batch(self, numbers: Sequence[int]) -> Batch:
        """Return the samples with these numbers as one batch."""
        drawn = [self._item(number) for number in numbers]
        items = [item for item, _ in drawn]
        if self.features is None:
            return self.collate(items)
        rows = [(which, step) for (which, _, _), step in drawn]
        return self.collate(items, self.features.rows(rows))

    def place(self, number: int) -> tuple[int, int]:
        """Return which source a number of the stream draws from, and the number of its sample."""
        which, turn = self._turns[number]
        epoch, position = divmod(turn, len(self.sources[which]))
        return which, self._order(which, epoch)[position]

    def _item(self, number: int) -> tuple[tuple[int, Sample, torch.Tensor | None], int]:
        rng = np.random.default_rng([self.seed, number])
        which, step = self.place(number)
        source = self.sources[which]
        sample = read_sample(source, step, self.settings, rng, pictures=self.features is None)
        ready = None
        if self.settings.augment:
            ready = augment(self.collate.processor.image_processor, sample.images, rng)
        if rng.random() < self.settings.proprio_dropout and sample.proprio is not None:
            mean = np.asarray(source.statistics()["proprio"]["mean"], dtype=np.float32)
            sample = replace(sample, proprio=mean)
        return (which, sample, ready), step

    def _order(self, which: int, epoch: int) -> Shuffled:
        """Return the order of an epoch over a source; the latest one is kept."""
        kept = self._orders.get(which)
        if kept is None or kept[0] != epoch:
            seed = [self.seed, 1, which, epoch]
            kept = (epoch, Shuffled(len(self.sources[which]), seed))
            self._orders[which] = kept
        return kept[1]


def read_sample(
    source: Source,
    number: int,
    settings: SampleSettings,
    rng: np.random.Generator,
    *,
    pictures: bool = True,
) -> Sample:
    """Read one sample and decode its pictures.

    Args:
        source: The split to read from.
        number: The number of the sample in it.
        settings: What the sample holds.
        rng: Chooses among several instructions.
        pictures: False leaves the pictures out.

    Raises:
        TrainingDataError: A picture is damaged; names its episode and step.
    """
    index, step = source.locate(number)
    episode = source.episode(index)
    cameras = settings.cameras if pictures else ()
    try:
        images = pictures_of(episode, cameras, step)
    except ImageError as error:
        where = f"dataset {source.name!r}, split {source.split!r}, episode {index}, step {step}"
        raise TrainingDataError(f"{where}: {error}") from error
    proprio = None if episode.proprio is None else episode.proprio[step]
    answers = draw_answers(episode, step, settings.chunk, settings.instructions, rng)
    return Sample(images, proprio, answers, objects_at(episode, step))


class _Refusal(NamedTuple):
    """An error of a worker process; torch would put its traceback into the message."""

    sentence: str


class _Numbered(Dataset[Any]):
    def __init__(self, stream: Any, numbers: Callable[[int], list[int]]) -> None:
        self._stream, self._numbers = stream, numbers

    def __getitem__(self, index: int) -> Any:
        try:
            return self._stream.batch(self._numbers(index))
        except EvlaError as error:
            return _Refusal(str(error))


@dataclass(frozen=True)
class Share:
    """The part of the stream that one rank takes.

    Attributes:
        rank: The rank, from 0.
        ranks: Number of ranks.
        micro: Samples of one forward pass on this rank.
        accumulate: Forward passes of one optimiser step.
    """

    rank: int
    ranks: int
    micro: int
    accumulate: int

    def numbers(self, forward: int) -> list[int]:
        """Return the sample numbers of this rank's forward pass number `forward`."""
        step, part = divmod(forward, self.accumulate)
        first = ((step * self.accumulate + part) * self.ranks + self.rank) * self.micro
        return list(range(first, first + self.micro))


def workers_for(*, on_gpu: bool, ranks: int) -> int:
    """Return how many processes make the batches of a rank, where the settings leave it open.

    None on a CPU, which they would take from the network; for a GPU up to eight of this machine's
    cores, and one at least: a GPU that waits for pictures is the usual reason for a slow training.
    """
    if not on_gpu:
        return 0
    ranks_here = int(os.environ.get("LOCAL_WORLD_SIZE", ranks))
    return max(1, min(8, (os.cpu_count() or 1) // ranks_here - 1))


def batches(
    stream: Any, share: Share, first_step: int, workers: int | None, *, pin: bool = False
) -> Iterator[Any]:
    """Yield the batches of a rank without end, from optimiser step `first_step` on.

    Args:
        stream: Makes the batch of some sample numbers, see `phase.SampleSource`.
        share: The part of the stream that the rank takes.
        first_step: The first optimiser step, from 0.
        workers: Processes that make batches; 0 makes them in this one, None as many as
            `workers_for` says.
        pin: Put the batches of the processes where a GPU copies from while it computes.

    Raises:
        EvlaError: A sample cannot be read; also one that a worker process was to read.
    """
    first = first_step * share.accumulate
    workers = workers_for(on_gpu=pin, ranks=share.ranks) if workers is None else workers
    if workers == 0:
        number = first
        while True:
            yield stream.batch(share.numbers(number))
            number += 1
    loader = DataLoader(
        _Numbered(stream, share.numbers),
        batch_size=None,
        sampler=range(first, first + 10**9),
        num_workers=workers,
        prefetch_factor=4,
        pin_memory=pin,
        multiprocessing_context="spawn",
    )
    for item in loader:
        if isinstance(item, _Refusal):
            raise TrainingDataError(item.sentence)
        yield item
