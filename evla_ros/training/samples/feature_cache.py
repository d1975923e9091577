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
    """[N, cameras * patches, V] float16 in one memory-mapped file.

    Opened again in worker processes.
    """

    def __init__(self, path: Path, sizes: Sequence[int], tokens: int, width: int) -> None:
        self._first = np.concatenate([[0], np.cumsum(sizes)])
        self.path, self.shape = path, (int(self._first[-1]), tokens, width)
        self._file: np.memmap | None = None

    def rows(self, wanted: Sequence[tuple[int, int]]) -> Tensor:
        """Return float32 features [B, tokens, V] of (source number, sample number) pairs."""
        if self._file is None:
            self._file = np.memmap(self.path, dtype=np.float16, mode="r", shape=self.shape)
        index = [int(self._first[which]) + number for which, number in wanted]
        return torch.from_numpy(self._file[index].astype(np.float32))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_file": None}

    @staticmethod
    def fill(
        model: EvlaModel,
        processor: ImageProcessor,
        sources: Sequence[Source],
        folder: Path,
        rank: int,
        ranks: int,
    ) -> FeatureCache:
        """Encode this rank's share of the frames into the file.

        Wait for the others before reading.
        """
        config = model.config
        tokens = len(config.image.cameras) * config.patches_per_camera
        name = f"features-{_fingerprint(model, sources)}.f16"
        cache = FeatureCache(folder / name, [len(s) for s in sources], tokens, config.vision_width)
        done = cache.path.with_suffix(f".{rank}-of-{ranks}.done")
        if done.exists():
            return cache
        folder.mkdir(parents=True, exist_ok=True)
        _grow(cache.path, 2 * int(np.prod(cache.shape)))
        target = np.memmap(cache.path, dtype=np.float16, mode="r+", shape=cache.shape)
        pairs = [(w, n) for w, source in enumerate(sources) for n in range(len(source))]
        mine = range(rank * FORWARD, len(pairs), ranks * FORWARD)
        for start in mine:
            part = pairs[start : start + FORWARD]
            images = torch.stack([_frames(sources[w], n, processor) for w, n in part])
            with torch.inference_mode():
                target[start : start + len(part)] = model.encode_images(images).half().numpy()
        target.flush()
        done.touch()
        return cache


def _frames(source: Source, number: int, processor: ImageProcessor) -> Tensor:
    index, step = source.locate(number)
    episode = source.episode(index)
    cameras = processor.config.cameras
    return processor({c: episode.episode.image(episode.cameras[c], step) for c in cameras})


def _fingerprint(model: EvlaModel, sources: Sequence[Source]) -> str:
    digest = hashlib.sha256()
    for parameter in model.backbones.parameters():
        digest.update(parameter.detach().float().cpu().numpy().tobytes())
    for source in sources:
        digest.update(f"{source.dataset.path}:{source.split}:{len(source)}".encode())
    return digest.hexdigest()[:16]


def _grow(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.truncate(size)
