# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shuffled stream of conversations: every one once an epoch, sample i by (seed, i) alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from evla_ros.data.image_resize import ImageError
from evla_ros.model.config import EvlaConfig
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.model.model_input import ModelInput
from evla_ros.training.samples.conversation_file import ConversationFile
from evla_ros.training.samples.conversation_rows import ConversationEncoder, pad
from evla_ros.training.samples.conversations import Conversation, read_image


@dataclass(frozen=True)
class TextBatch:
    """B conversations.

    Attributes:
        inputs: Ids, pictures, and how many pictures each conversation has.
        learned: [B, T] True for the tokens of answers.
        broken: A sentence for each picture that could not be read; nothing of its conversation is
            learned.
        pictures: How many pictures the batch was to have.
    """

    inputs: ModelInput
    learned: Tensor
    broken: tuple[str, ...] = ()
    pictures: int = 0

    @property
    def count(self) -> Tensor:
        """How many tokens are learned, a scalar."""
        return self.learned.sum()

    def to(self, device: torch.device) -> TextBatch:
        """Return the same batch on another device."""
        moved = self.learned.to(device, non_blocking=True)
        return replace(self, inputs=self.inputs.to(device), learned=moved)

    def pin_memory(self) -> TextBatch:
        """Return the same batch in memory that a GPU copies from while it computes."""
        pinned = self.inputs.pin_memory()
        return replace(self, inputs=pinned, learned=self.learned.pin_memory())

    def __len__(self) -> int:
        return len(self.learned)


class _Pictures(NamedTuple):
    frames: list[Tensor]
    broken: str


class ConversationStream(Dataset[TextBatch]):
    """The numbered samples of a run."""

    def __init__(
        self,
        items: ConversationFile | Sequence[Conversation],
        chosen: np.ndarray,
        encoder: ConversationEncoder,
        config: EvlaConfig,
        seed: int,
    ) -> None:
        """Take what samples are made of.

        Args:
            items: All conversations.
            chosen: Numbers of those that the stream shows.
            encoder: Turns them into tokens.
            config: The network's: size of the pictures, numbers of proprioception.
            seed: Decides the order.
        """
        self._items, self._chosen, self._encoder = items, chosen, encoder
        self._config, self._seed = config, seed
        self._processor = ImageProcessor(config.image)
        self._order = (-1, chosen)  # epoch, its order

    def __len__(self) -> int:
        return len(self._chosen)

    def batch(self, numbers: Sequence[int]) -> TextBatch:
        """Return the samples with these numbers as one batch."""
        items = [self._items[self._index(number)] for number in numbers]
        ids, lengths, learned = pad([self._encoder(item) for item in items])
        shown = [self._pictures(item) for item in items]
        for row, pictures in enumerate(shown):
            if pictures.broken:
                learned[row] = False
        most = max(1, *(len(pictures.frames) for pictures in shown))
        side, image = self._config.image.size, self._config.image
        channels = 3 * len(image.fills or (1,)) if image.resize == "letterbox" else 3
        images = torch.zeros(len(items), most, channels, side, side, dtype=torch.uint8)
        for row, pictures in enumerate(shown):
            for column, frame in enumerate(pictures.frames):
                images[row, column] = frame
        width = self._config.proprio_dim
        counts = [len(pictures.frames) for pictures in shown]
        inputs = ModelInput(
            ids,
            lengths,
            images=images,
            proprio=torch.zeros(len(items), width) if width else None,
            image_counts=torch.tensor(counts) if min(counts) < most else None,
        )
        broken = tuple(pictures.broken for pictures in shown if pictures.broken)
        return TextBatch(inputs, learned, broken, sum(len(item.images) for item in items))

    def _index(self, number: int) -> int:
        epoch, position = divmod(number, len(self._chosen))
        if self._order[0] != epoch:
            rng = np.random.default_rng([self._seed, 1, epoch])
            self._order = (epoch, rng.permutation(self._chosen))
        return int(self._order[1][position])

    def _pictures(self, item: Conversation) -> _Pictures:
        camera, frames = self._config.image.cameras[0], []
        for path in item.images:
            try:
                frames.append(self._processor.process(camera, read_image(Path(path))))
            except (OSError, ImageError) as error:
                return _Pictures(frames, f"{item.name}, {path}: {error}")
        return _Pictures(frames, "")
