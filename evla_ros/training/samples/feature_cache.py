# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compute the image features of every training frame once, for runs with frozen encoders."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.training.samples.sample import pictures_of
from evla_ros.training.samples.source import Source

FORWARD = 64  # frames encoded at once


class FeatureCache:
    """Image features of each source, [N, cameras * patches, V] float16 in a memory-mapped file.

    Worker processes open the files again.
    """

    def __init__(self, paths: Sequence[Path], shapes: Sequence[tuple[int, int, int]]) -> None:
        self.paths, self.shapes = paths, shapes
        self._files: list[np.memmap] = []

    def rows(self, pairs: Sequence[tuple[int, int]]) -> Tensor:
        """Return the features of some samples, [B, tokens, V] float32.

        Args:
            pairs: (source number, sample number) of each.
        """
        if not self._files:
            both = zip(self.paths, self.shapes, strict=True)
            self._files = [np.memmap(p, dtype=np.float16, mode="r", shape=s) for p, s in both]
        rows = np.stack([self._files[which][number] for which, number in pairs])
        return torch.from_numpy(rows.astype(np.float32))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_files": []}

    @staticmethod
    def fill(
        model: EvlaModel,
        processor: ImageProcessor,
        sources: Sequence[Source],
        folder: Path,
        rank: int,
        ranks: int,
        tell: Callable[[str], None],
    ) -> FeatureCache:
        """Encode this rank's share of the frames that no earlier run with these encoders stored.

        The caller waits for the other ranks before reading.

        Args:
            model: The network with the encoders.
            processor: Prepares the pictures.
            sources: The splits whose frames are encoded.
            folder: Where the features are stored.
            rank: This rank, from 0.
            ranks: Number of ranks.
            tell: Is told how many frames are encoded.

        Returns:
            The cache, in the order of `sources`.
        """
        config = model.config
        tokens = len(config.image.cameras) * config.patches_per_camera
        paths = [folder / f"features-{_fingerprint(model, source)}.f16" for source in sources]
        shapes = [(len(source), tokens, config.vision_width) for source in sources]
        folder.mkdir(parents=True, exist_ok=True)
        for source, path, shape in zip(sources, paths, shapes, strict=True):
            done = path.with_suffix(f".{rank}-of-{ranks}.done")
            if not done.exists():
                _encode(model, processor, source, _opened(path, shape), (rank, ranks), tell)
                done.touch()
        return FeatureCache(paths, shapes)


def _encode(
    model: EvlaModel,
    processor: ImageProcessor,
    source: Source,
    target: np.memmap,
    share: tuple[int, int],  # rank, ranks
    tell: Callable[[str], None],
) -> None:
    rank, ranks = share
    device = next(model.backbones.parameters()).device
    for start in range(rank * FORWARD, len(source), ranks * FORWARD):
        tell(f"caching image features of {source.name}: {start} of {len(source)} frames")
        numbers = range(start, min(start + FORWARD, len(source)))
        images = torch.stack([_frames(source, number, processor) for number in numbers])
        with torch.inference_mode():
            features = model.encode_images(images.to(device))
        target[start : numbers.stop] = features.half().cpu().numpy()
    target.flush()


def _opened(path: Path, shape: tuple[int, int, int]) -> np.memmap:
    with path.open("ab") as file:
        file.truncate(2 * int(np.prod(shape)))
    return np.memmap(path, dtype=np.float16, mode="r+", shape=shape)


def _frames(source: Source, number: int, processor: ImageProcessor) -> Tensor:
    index, step = source.locate(number)
    episode = source.episode(index)
    return processor(pictures_of(episode, processor.config.cameras, step))


def _fingerprint(model: EvlaModel, source: Source) -> str:
    digest = hashlib.sha256()
    for parameter in model.backbones.parameters():
        digest.update(parameter.detach().float().cpu().numpy().tobytes())
    digest.update((source.dataset.path / "dataset_info.json").read_bytes())  # shards, their sizes
    digest.update(repr((source.dataset.path, source.split, model.config.image)).encode())
    return digest.hexdigest()[:16]
