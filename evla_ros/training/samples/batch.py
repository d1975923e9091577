# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Samples to tensors: prompts, normalised chunks with masks, and where the named things are."""

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

    `actions` [B, R, K, D] normalised; `valid` [B, R, K] real actions; `scale` [B, D] half the
    q01..q99
    span, to turn errors into metres and radians; `dataset` [B] its number.
    Grounding: `noun` [B, R, 2] text column of a named thing (0: none), `point` [B, R, 2, 5] where
    it is:
    right, down in 0..1, and metres from the tool.
    """

    inputs: ModelInput
    actions: Tensor
    valid: Tensor
    scale: Tensor
    dataset: Tensor
    noun: Tensor
    point: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        moved = {f.name: getattr(self, f.name).to(device) for f in fields(self)}
        return replace(self, **moved)

    def __len__(self) -> int:
        return len(self.actions)


NOUNS = 2


class Collator:
    """Turns samples of one or several datasets into a batch for one model."""

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
        """Travel to worker processes without the caches of the processor."""
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
        """Collate (dataset number, sample, augmented images or None).

        Cached features replace images.
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
            torch.from_numpy(np.stack([_scale(self._actions[n]) for n in numbers])),
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
                    ):  # its first three numbers are the tool's position
                        points[b, r, i, 2:] -= torch.tensor(sample.proprio[:3])
        return nouns, points

    def noun_columns(
        self, instruction: str, objects: Mapping[str, np.ndarray]
    ) -> list[tuple[int, np.ndarray]]:
        """Return (prompt column, place) of every seen thing that the instruction names."""
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
    """Return where a text names a thing, -1: nowhere; "red and blue blocks" names two blocks."""
    at = text.find(name)
    if at >= 0 or " and " not in text:
        return at
    kind, _, noun = name.partition(" ")
    found = re.search(rf"\b{re.escape(kind)} and \w+ {re.escape(noun)}s\b", text)
    return found.start() if found else -1


def _rebuild(config: EvlaConfig, tokenizer: Tokenizer, *rest: Any) -> Collator:
    return Collator(Processor(config, tokenizer), *rest)


def _scale(normalizer: Normalizer) -> np.ndarray:
    half = 0.5 * (normalizer.high - normalizer.low)
    return np.where(normalizer.mask, half, 1.0).astype(np.float32)
