# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Collate samples into tensors: prompts, normalised action chunks, labels for grounding."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.model.config import EvlaConfig
from evla_ros.model.model_input import ModelInput
from evla_ros.model.normalization import Normalizer
from evla_ros.model.processor import Processor
from evla_ros.training.samples.sample import Sample

UNSEEN = -1.0


@dataclass(frozen=True)
class Batch:
    """B samples with R instructions each.

    Attributes:
        inputs: What the network reads.
        actions: [B, R, K, D] normalised actions.
        valid: [B, R, K] True for real actions, False past the end of an episode.
        scale: [B, D] what one normalised unit is in metres, radians or gripper openings.
        dataset: [B] the number of each sample's dataset.
        noun: [B, R, 2] prompt column of a noun whose object is labelled; 0 for none.
        point: [B, R, 2, 5] where that object is: right and down in the picture (0 to 1), then its
            position relative to the tool in metres.
    """

    inputs: ModelInput
    actions: Tensor
    valid: Tensor
    scale: Tensor
    dataset: Tensor
    noun: Tensor
    point: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the same batch on another device."""
        inputs = self.inputs.to(device)
        names = [f.name for f in fields(self) if f.name != "inputs"]
        moved = {name: getattr(self, name).to(device, non_blocking=True) for name in names}
        return replace(self, inputs=inputs, **moved)

    def pin_memory(self) -> Batch:
        """Return the same batch in memory that a GPU copies from while it computes."""
        return replace(self, **{f.name: getattr(self, f.name).pin_memory() for f in fields(self)})

    @property
    def count(self) -> Tensor:
        """How many action numbers are learned from the batch, a scalar."""
        return self.valid.sum() * self.actions.shape[-1]

    def __len__(self) -> int:
        return len(self.actions)


NOUNS = 2


class Collator:
    """Turns samples of one or several datasets into batches for one model."""

    def __init__(
        self,
        processor: Processor,
        actions: Sequence[Normalizer],
        proprios: Sequence[Normalizer | None],
        text_length: int,
    ) -> None:
        self.processor, self.text_length = processor, text_length
        self._actions, self._proprios = actions, proprios

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle without the caches of the processor, for worker processes."""
        prompts = self.processor.prompt_builder
        return _rebuild, (
            self.processor.config,
            prompts.tokenizer,
            self._actions,
            self._proprios,
            self.text_length,
        )

    def __call__(
        self, items: Sequence[tuple[int, Sample, Tensor | None]], features: Tensor | None = None
    ) -> Batch:
        """Collate samples into a batch.

        Args:
            items: (dataset number, sample, augmented images or None) for each sample.
            features: Cached image features [B, tokens, V], used instead of the images.
        """
        samples = [sample for _, sample, _ in items]
        answers = [answer for sample in samples for answer in sample.answers]
        instructions = len(samples[0].answers)
        prompts = self.processor.prompt_builder
        ids, lengths = prompts.batch([a.instruction for a in answers], self.text_length)
        shape = (len(samples), instructions)
        numbers = [number for number, _, _ in items]
        actions = np.stack(
            [
                np.stack([self._actions[n].normalize(a.actions) for a in s.answers])
                for n, s, _ in items
            ]
        )
        nouns, points = self._nouns(samples)
        scales = np.stack([self._actions[number].scale for number in numbers])
        return Batch(
            ModelInput(
                ids.view(*shape, -1),
                lengths.view(*shape),
                images=self._images(items) if features is None else None,
                patch_features=features,
                proprio=self._proprio(items),
            ),
            torch.from_numpy(actions.astype(np.float32)),
            torch.from_numpy(np.stack([a.valid for a in answers])).view(*shape, -1),
            torch.from_numpy(scales.astype(np.float32)),
            torch.tensor(numbers),
            nouns,
            points,
        )

    def _images(self, items: Sequence[tuple[int, Sample, Tensor | None]]) -> Tensor:
        process = self.processor.image_processor
        return torch.stack(
            [ready if ready is not None else process(s.images) for _, s, ready in items]
        )

    def _proprio(self, items: Sequence[tuple[int, Sample, Tensor | None]]) -> Tensor | None:
        rows = [
            self.processor.proprio_tensor(sample.proprio, self._proprios[number])
            for number, sample, _ in items
        ]
        kept = [row for row in rows if row is not None]
        return torch.cat(kept) if kept else None

    def _nouns(self, samples: Sequence[Sample]) -> tuple[Tensor, Tensor]:
        shape = (len(samples), len(samples[0].answers), NOUNS)
        nouns = torch.zeros(shape, dtype=torch.long)
        points = torch.full((*shape, 5), UNSEEN)
        for b, sample in enumerate(samples):
            for r, answer in enumerate(sample.answers):
                found = self.noun_columns(answer.instruction, sample.objects)
                for i, (column, point) in enumerate(found[:NOUNS]):
                    nouns[b, r, i] = column
                    points[b, r, i] = torch.from_numpy(point)
                    if (
                        sample.proprio is not None
                    ):  # whose first three numbers are the tool's position
                        points[b, r, i, 2:] -= torch.tensor(sample.proprio[:3])
        return nouns, points

    def noun_columns(
        self, instruction: str, objects: Mapping[str, np.ndarray]
    ) -> list[tuple[int, np.ndarray]]:
        """Return (prompt column, position) of every visible object that the instruction names.

        Args:
            instruction: The text.
            objects: Noun phrase -> [5] position, see `Batch.point`.
        """
        prompts = self.processor.prompt_builder
        text = prompts.text(instruction)
        places = sorted((at, name) for name in objects if (at := _mention(text, name)) >= 0)
        if not places:
            return []
        offsets = prompts.tokenizer.encode(text, add_special_tokens=False).offsets
        before = len(prompts.config.prefix_ids)
        found = []
        for start, name in places:
            column = next(i for i, (_, stop) in enumerate(offsets) if stop > start)
            found.append((column + before, objects[name]))
        return found


def _mention(text: str, name: str) -> int:
    """Return the index at which a text names an object, or -1.

    "Red and blue blocks" names both the red block and the blue block.
    """
    at = text.find(name)
    if at >= 0 or " and " not in text:
        return at
    kind, _, noun = name.partition(" ")
    found = re.search(rf"\b{re.escape(kind)} and \w+ {re.escape(noun)}s\b", text)
    return found.start() if found else -1


def _rebuild(config: EvlaConfig, tokenizer: Tokenizer, *rest: Any) -> Collator:
    return Collator(Processor(config, tokenizer), *rest)
