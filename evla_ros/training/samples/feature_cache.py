# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Patch features of every training frame, computed once, for runs with frozen encoders."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.training.samples.source import Source

FORWARD = 64  # frames encoded at once


class FeatureCache:
    """[N, cameras * patches, V] float16 of each source, in a memory-mapped file of its own.

    Opened again in worker processes.
    """

    def __init__(self, paths: Sequence[Path], shapes: Sequence[tuple[int, int, int]]) -> None:
        self.paths, self.shapes = paths, shapes
        self._files: list[np.memmap] = []

    def rows(self, wanted: Sequence[tuple[int, int]]) -> Tensor:
        """Return float32 features [B, tokens, V] of (source number, sample number) pairs."""
        if not self._files:
            both = zip(self.paths, self.shapes, strict=True)
            self._files = [np.memmap(p, dtype=np.float16, mode="r", shape=s) for p, s in both]
        rows = np.stack([self._files[which][number] for which, number in wanted])
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
    ) -> FeatureCache:
        """Encode this rank's share of the frames that no earlier run with these encoders left.

        Wait for the others before reading.
        """
        config = model.config
        tokens = len(config.image.cameras) * config.patches_per_camera
        paths = [folder / f"features-{_fingerprint(model, source)}.f16" for source in sources]
        shapes = [(len(source), tokens, config.vision_width) for source in sources]
        folder.mkdir(parents=True, exist_ok=True)
        for source, path, shape in zip(sources, paths, shapes, strict=True):
            done = path.with_suffix(f".{rank}-of-{ranks}.done")
            if not done.exists():
                _encode(model, processor, source, _opened(path, shape), rank, ranks)
                done.touch()
        return FeatureCache(paths, shapes)


def _encode(
    model: EvlaModel,
    processor: ImageProcessor,
    source: Source,
    target: np.memmap,
    rank: int,
    ranks: int,
) -> None:
    for start in range(rank * FORWARD, len(source), ranks * FORWARD):
        numbers = range(start, min(start + FORWARD, len(source)))
        images = torch.stack([_frames(source, number, processor) for number in numbers])
        with torch.inference_mode():
            target[start : numbers.stop] = model.encode_images(images).half().numpy()
    target.flush()


def _opened(path: Path, shape: tuple[int, int, int]) -> np.memmap:
    with path.open("ab") as file:
        file.truncate(2 * int(np.prod(shape)))
    return np.memmap(path, dtype=np.float16, mode="r+", shape=shape)


def _frames(source: Source, number: int, processor: ImageProcessor) -> Tensor:
    index, step = source.locate(number)
    episode = source.episode(index)
    cameras = processor.config.cameras
    return processor({c: episode.episode.image(episode.cameras[c], step) for c in cameras})


def _fingerprint(model: EvlaModel, source: Source) -> str:
    digest = hashlib.sha256()
    for parameter in model.backbones.parameters():
        digest.update(parameter.detach().float().cpu().numpy().tobytes())
    digest.update((source.dataset.path / "dataset_info.json").read_bytes())  # shards, their sizes
    digest.update(repr((source.dataset.path, source.split, model.config.image)).encode())
    return digest.hexdigest()[:16]
