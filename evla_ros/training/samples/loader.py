# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An endless, weighted, shuffled stream of samples in which sample i depends on (seed, i) alone.

So a resumed run, any number of ranks and any number of worker processes see the same stream.
Memory: eight
bytes a step for the shuffle; pictures are decoded when their batch is made, in the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from evla_ros.training.samples.augmentation import augment
from evla_ros.training.samples.batch import Batch, Collator
from evla_ros.training.samples.feature_cache import FeatureCache
from evla_ros.training.samples.sample import Sample, draw_answers, objects_at
from evla_ros.training.samples.source import Source


@dataclass(frozen=True)
class SampleSettings:
    """cameras: which.

    Chunk: K. instructions: R per image. augment, proprio_dropout: training only.
    """

    cameras: tuple[str, ...]
    chunk: int
    instructions: int = 1
    augment: bool = False
    proprio_dropout: float = 0.0


class SampleStream(Dataset[Batch]):
    """Item n is batch n of a rank; everything in it follows from the seed and n."""

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
        self._shares = np.cumsum(shares / shares.sum())
        self._orders: dict[tuple[int, int], np.ndarray] = {}

    def batch(self, numbers: Sequence[int]) -> Batch:
        """Return the samples with these numbers of the stream as one batch."""
        drawn = [self._item(number) for number in numbers]
        items = [item for item, _ in drawn]
        if self.features is None:
            return self.collate(items)
        rows = [(which, step) for (which, _, _), step in drawn]
        return self.collate(items, self.features.rows(rows))

    def _item(self, number: int) -> tuple[tuple[int, Sample, torch.Tensor | None], int]:
        rng = np.random.default_rng([self.seed, number])
        which = int(np.searchsorted(self._shares, rng.random(), side="right"))
        which = min(which, len(self.sources) - 1)
        source = self.sources[which]
        epoch, place = divmod(self._turn(which, number), len(source))
        step = int(self._order(which, epoch)[place])
        sample = read_sample(source, step, self.settings, rng, pictures=self.features is None)
        ready = None
        if self.settings.augment:
            ready = augment(self.collate.processor.image_processor, sample.images, rng)
        if rng.random() < self.settings.proprio_dropout and sample.proprio is not None:
            mean = np.asarray(source.statistics()["proprio"]["mean"], dtype=np.float32)
            sample = replace(sample, proprio=mean)
        return (which, sample, ready), step

    def _turn(self, which: int, number: int) -> int:
        """Return the position in a source's own shuffle; spread evenly when there are several."""
        if len(self.sources) == 1:
            return number
        low = float(self._shares[which - 1]) if which else 0.0
        return int(number * (float(self._shares[which]) - low))

    def _order(self, which: int, epoch: int) -> np.ndarray:
        if (which, epoch) not in self._orders:
            self._orders = {key: o for key, o in self._orders.items() if key[0] != which}
            self._orders[which, epoch] = self._shuffled(which, epoch)
        return self._orders[which, epoch]

    def _shuffled(self, which: int, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, 1, which, epoch]).permutation(
            len(self.sources[which])
        )


def read_sample(
    source: Source,
    number: int,
    settings: SampleSettings,
    rng: np.random.Generator,
    *,
    pictures: bool = True,
) -> Sample:
    """Return sample `number` of a source; the pictures are decoded here."""
    index, step = source.locate(number)
    episode = source.episode(index)
    cameras = settings.cameras if pictures else ()
    images = {c: episode.episode.image(episode.cameras[c], step) for c in cameras}
    proprio = None if episode.proprio is None else episode.proprio[step]
    answers = draw_answers(episode, step, settings.chunk, settings.instructions, rng)
    return Sample(images, proprio, answers, objects_at(episode, step))


class _Numbered(Dataset[Batch]):
    def __init__(self, stream: SampleStream, numbers: Callable[[int], list[int]]) -> None:
        self._stream, self._numbers = stream, numbers

    def __getitem__(self, index: int) -> Batch:
        return self._stream.batch(self._numbers(index))


@dataclass(frozen=True)
class Share:
    """What a rank takes of the stream: `micro` samples a forward, `accumulate` forwards a step."""

    rank: int
    ranks: int
    micro: int
    accumulate: int

    def numbers(self, forward: int) -> list[int]:
        """Return the stream numbers of this rank's forward number `forward`."""
        step, part = divmod(forward, self.accumulate)
        first = ((step * self.accumulate + part) * self.ranks + self.rank) * self.micro
        return list(range(first, first + self.micro))


def batches(stream: SampleStream, share: Share, first_step: int, workers: int) -> Iterator[Batch]:
    """Yield the rank's batches from optimiser step `first_step` on, for ever."""
    first = first_step * share.accumulate
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
        multiprocessing_context="spawn",
    )
    yield from loader
