# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Observations to inputs of the network: images, prompt and proprio of one checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.model.config import EvlaConfig
from evla_ros.model.errors import ObservationError
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.model.model_input import ModelInput
from evla_ros.model.normalization import Normalizer
from evla_ros.model.prompt import PromptBuilder


class Processor:
    """Prepares inputs, the same way in training and on the robot."""

    def __init__(self, config: EvlaConfig, tokenizer: Tokenizer) -> None:
        self.config = config
        self.image_processor = ImageProcessor(config.image)
        self.prompt_builder = PromptBuilder(
            config.prompt, tokenizer, config.language_model.vocabulary_rows
        )

    def __call__(
        self,
        images: Mapping[str, Any],
        instruction: str,
        proprio: NDArray[np.float32] | None = None,
        proprio_normalizer: Normalizer | None = None,
        text_length: int | None = None,
    ) -> ModelInput:
        """Return one observation as a batch of one sample.

        Args:
            images: camera name -> [height, width, 3] uint8 RGB; exactly the model's cameras.
            instruction: the task in words.
            proprio: [P] in physical units; None for a model without proprio.
            proprio_normalizer: what scales the proprio vector; None feeds it as it is.
            text_length: pad the prompt to this number of tokens; None does not pad.

        Raises:
            ObservationError: an image or the proprio vector does not fit the model.
            PromptError: the instruction is empty or too long.
        """
        ids, lengths = self.prompt_builder.batch([instruction], text_length)
        frames = self.image_processor(images)[None]
        state = self.proprio_tensor(proprio, proprio_normalizer)
        return ModelInput(ids, lengths, images=frames, proprio=state)

    def proprio_tensor(
        self, proprio: NDArray[np.float32] | None, normalizer: Normalizer | None
    ) -> Tensor | None:
        """Return the proprio vector [P] as a normalised tensor [1, P].

        Returns:
            The tensor in float32; None for a model without a proprio token.

        Raises:
            ObservationError: missing, of another length, or not finite.
        """
        expected = self.config.proprio_dim
        if not expected:
            return None
        if proprio is None:
            raise ObservationError(
                f"the model takes {expected} proprioception numbers; there are none"
            )
        try:
            values = np.asarray(proprio, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ObservationError(f"proprioception is not numbers: {error}") from error
        if values.shape != (expected,):
            raise ObservationError(
                f"proprioception has shape {list(values.shape)}; the model takes [{expected}]"
            )
        if not np.isfinite(values).all():
            bad = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ObservationError(f"proprioception number {bad} is {values[bad]}, not finite")
        if normalizer is not None:
            values = normalizer.normalize(values)
        return torch.from_numpy(values.astype(np.float32))[None]
