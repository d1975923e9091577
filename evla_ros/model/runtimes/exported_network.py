# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network in an exported form: towers and decoder, each one graph, behind one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evla_ros.model.action_tokenizer import ActionTokenizer
from evla_ros.model.config import EvlaConfig, HeadName
from evla_ros.model.errors import ObservationError
from evla_ros.model.model_input import ModelInput
from evla_ros.model.runtimes.graph_runner import GraphRunner
from evla_ros.model.runtimes.graphs import DECODER, decoder_outputs, part_names
from evla_ros.model.runtimes.prompt_inputs import Floats, PromptTable


class ExportedNetwork:
    """Answers batches as `TorchNetwork` does, from graphs of OpenVINO or ONNX Runtime."""

    pads_prompts = True

    def __init__(
        self,
        config: EvlaConfig,
        graphs: Mapping[str, GraphRunner],
        rows: Callable[[NDArray[np.int64]], Floats],
        output: HeadName,
        name: str,
    ) -> None:
        """Put the graphs together.

        Args:
            config: of the network.
            graphs: by the names of `part_names`.
            rows: returns the embeddings [..., hidden] of token ids [...].
            output: the head that answers.
            name: library, number format and device, for reports.
        """
        self.config, self.name, self.output = config, name, output
        self._graphs = graphs
        self._prompts = PromptTable(config, rows)
        self._tokenizer = ActionTokenizer(config.action.vocabulary_size, config.action.bins)

    def decode(self, batch: ModelInput) -> Tensor:
        """Return the normalised actions [B, K, D] float64 of a batch."""
        action = self.config.action
        answer = self.heads(batch)[self.output]
        if self.output == "l1":
            return torch.from_numpy(answer.astype(np.float64))
        rows = torch.from_numpy(answer.argmax(-1))
        return self._tokenizer.values(rows).unflatten(-1, (action.chunk, action.dim))

    def is_finite(self, batch: ModelInput) -> bool:
        """Return whether every number that the heads give for a batch is finite."""
        return all(bool(np.isfinite(answer).all()) for answer in self.heads(batch).values())

    def heads(self, batch: ModelInput) -> dict[HeadName, Floats]:
        """Return what each head gives: tokens [B, K * D, bins] logits, l1 [B, K, D] actions."""
        return self.decoded(self.features(batch), batch)

    def decoded(self, features: list[Floats], batch: ModelInput) -> dict[HeadName, Floats]:
        """Return what each head gives for what the towers made of a batch's pictures."""
        prompt = self._prompts(batch.input_ids, batch.text_lengths)
        proprio = [] if batch.proprio is None else [batch.proprio.numpy()]
        answers = self._graphs[DECODER]([*features, *prompt, *proprio])
        names: dict[str, HeadName] = {"logits": "tokens", "actions": "l1"}
        outputs = decoder_outputs(self.config)
        return {names[name]: answer for name, answer in zip(outputs, answers, strict=True)}

    def graph(self, part: str) -> GraphRunner:
        """Return what runs a part of the network."""
        return self._graphs[part]

    def features(self, batch: ModelInput) -> list[Floats]:
        """Return what each tower makes of the pictures, [B * cameras, patches, width] each."""
        if batch.images is None:
            raise ObservationError("an exported network looks at images; the batch has none")
        pictures = batch.images.flatten(0, 1)
        towers = part_names(self.config)[:-1]
        own = pictures.split(3, dim=1) if pictures.shape[1] > 3 else [pictures] * len(towers)
        return [
            self._graphs[tower]([seen.contiguous().numpy()])[0]
            for tower, seen in zip(towers, own, strict=True)
        ]
