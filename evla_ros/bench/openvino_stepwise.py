# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Autoregressive decoding in OpenVINO, tuned as well as the joint graphs, to compare them.

Two graphs: one computes the prefix once, the other one token over the kept keys and values. Both
have constant shapes, the same number format and the same quantisation as the joint decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evla_ros.model.action_tokenizer import ActionTokenizer
from evla_ros.model.attention_mask import MASK_RULES, visible
from evla_ros.model.checkpoint import Parts
from evla_ros.model.model_input import ModelInput
from evla_ros.model.runtimes import openvino_graphs
from evla_ros.model.runtimes.embedding_rows import EmbeddingRows
from evla_ros.model.runtimes.graphs import DECODER, DecoderGraph
from evla_ros.model.runtimes.part_model import load_part
from evla_ros.model.runtimes.prompt_inputs import UNSEEN, PromptTable, rotary_of
from evla_ros.model.runtimes.quantisation import quantise_openvino
from evla_ros.model.slots import build_layout

Floats = NDArray[np.float32]
_CALIBRATING_STEPS = 4
# OpenVINO 2026.4 attends wrongly in bf16 where there is one query alone (NaN, with AVX512-BF16), so
# every token goes in twice; the weights are read once all the same.
_TWICE = 2


class PrefixGraph(DecoderGraph):
    """Projector and decoder over the prefix: the next token's logits, and what is kept of it."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return logits [B, 1, bins], keys and values [layers, B, heads, prefix, channels].

        Args:
            inputs: features of each tower, text [B, T, hidden], mask [B, 1, P, P], cosines and
                sines [B, P, channels].
        """
        towers = len(self.model.config.backbones)
        text, mask, cosines, sines = inputs[towers : towers + 4]
        patches = self.model.projector(torch.cat(inputs[:towers], dim=-1))
        patches = patches.reshape(text.shape[0], -1, text.shape[2])
        columns = torch.cat([text[:, :1], patches, text[:, 1:]], dim=1)
        return _decoded(self, columns, mask, cosines, sines, _NewColumns())


class TokenGraph(DecoderGraph):
    """The decoder over one token behind kept columns."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return logits [B, 1, bins], and the token's own keys and values.

        Args:
            inputs: embedding [B, Q, hidden] of the token, Q times, mask [B, 1, Q, columns + Q],
                cosines and sines [B, Q, channels], kept keys and values [layers, B, heads, columns,
                channels].
        """
        token, mask, cosines, sines, keys, values = inputs
        return _decoded(self, token, mask, cosines, sines, _NewColumns(keys, values))


class _NewColumns:
    """The cache of transformers' layers: puts new columns behind kept ones, and notes them."""

    def __init__(self, *kept: Tensor) -> None:
        self.kept = kept
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []

    def get_seq_length(self) -> int:
        """Return 0: positions do not count, the rotary angles are given."""
        return 0

    def update(
        self, key: Tensor, value: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        self.keys.append(key)
        self.values.append(value)
        if not self.kept:
            return key, value
        keys, values = self.kept
        return torch.cat([keys[layer_idx], key], 2), torch.cat([values[layer_idx], value], 2)


def _decoded(
    graph: DecoderGraph, columns: Tensor, mask: Tensor, cosines: Tensor, sines: Tensor, cache: Any
) -> tuple[Tensor, ...]:
    graph.rotary.given = (cosines, sines)
    states = graph.model.language_model(columns, mask, None, cache)[:, -1:]
    return graph.action_rows(states), torch.stack(cache.keys), torch.stack(cache.values)


class OpenVinoStepwise:
    """Decodes one action token after the other, for one observation with an unpadded prompt."""

    def __init__(
        self,
        parts: Parts,
        features: Sequence[Floats],
        batch: ModelInput,
        embeddings: Path,
        dtype: str,
        threads: int,
    ) -> None:
        """Convert both graphs; needs about four times the decoder's memory in fp32.

        Args:
            parts: the checkpoint; it has the token head.
            features: what the towers made of the pictures, to quantise with.
            batch: one observation without proprio.
            embeddings: the file of the prompt's embeddings.
            dtype: `fp32`, `bf16` or `int8`.
            threads: of the processor.
        """
        config = self._config = parts.config
        rows = EmbeddingRows(embeddings)
        tokenizer = ActionTokenizer(config.action.vocabulary_size, config.action.bins)
        ids = np.arange(tokenizer.first_id, tokenizer.first_id + tokenizer.bins)
        self._actions = rows(ids[None])  # [1, bins, hidden]
        prompt = PromptTable(config, rows)(batch.input_ids, batch.text_lengths)
        self._prefix = prompt.mask.shape[-1] - config.action.slots - len(config.action.end_ids)
        columns = self._prefix + config.action.slots
        layout = build_layout(
            batch.text_lengths[:, None],
            batch.input_ids.shape[1],
            self._prefix - batch.input_ids.shape[1] + 1,
            config.action.slots,
        )
        allowed = visible(layout, MASK_RULES[config.action.mask][0], "causal")
        self._mask = torch.zeros(allowed.shape).masked_fill_(~allowed, UNSEEN)[:, None].numpy()
        angles = rotary_of(config)(torch.zeros(1), layout.position)
        self._cosines, self._sines = (angle.numpy() for angle in angles)
        self._text = prompt.text
        language_model = config.language_model
        head_dim = language_model.head_dim or language_model.hidden_size // language_model.heads
        shape = (language_model.layers, 1, language_model.key_value_heads, columns, head_dim)
        self._keys, self._values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._graphs: dict[type[DecoderGraph], Any] = {}
        prefix = self._prefix_inputs(features)
        model = load_part(parts, DECODER, fuse=True)
        self._convert(PrefixGraph(model), prefix, [prefix], dtype, threads)
        self._compute_prefix(features)
        steps = [self._token_inputs(0, row) for row in range(_CALIBRATING_STEPS)]
        self._convert(TokenGraph(model), steps[0], steps, dtype, threads)

    def decode(self, features: Sequence[Floats]) -> NDArray[np.int64]:
        """Return the rows [K * D] of the action logits, each fed to the next."""
        rows = [self._compute_prefix(features)]
        for index in range(self._config.action.slots - 1):
            inputs = self._token_inputs(index, rows[-1])
            rows.append(self._kept(TokenGraph, inputs, self._prefix + index))
        return np.array(rows)

    def _prefix_inputs(self, features: Sequence[Floats]) -> list[Floats]:
        p = self._prefix
        mask = np.ascontiguousarray(self._mask[:, :, :p, :p])
        return [*features, self._text, mask, self._cosines[:, :p], self._sines[:, :p]]

    def _compute_prefix(self, features: Sequence[Floats]) -> int:
        return self._kept(PrefixGraph, self._prefix_inputs(features), 0)

    def _token_inputs(self, index: int, row: int) -> list[Floats]:
        column = self._prefix + index
        mask = np.full((1, 1, _TWICE, self._keys.shape[3] + _TWICE), UNSEEN, np.float32)
        mask[..., :column] = self._mask[0, 0, column, :column]
        mask[..., -_TWICE] = 0  # the token stands behind the kept columns and sees itself
        angles = (np.repeat(a[:, [column]], _TWICE, 1) for a in (self._cosines, self._sines))
        embedding = np.repeat(self._actions[:, [row]], _TWICE, 1)
        return [embedding, mask, *angles, self._keys, self._values]

    def _kept(self, graph: type[DecoderGraph], inputs: list[Floats], column: int) -> int:
        """Run a graph, keep its keys and values from a column on, and return the likeliest row."""
        logits, keys, values = self._graphs[graph]([np.ascontiguousarray(a) for a in inputs])
        new = 1 if graph is TokenGraph else keys.shape[3]
        self._keys[:, :, :, column : column + new] = keys[:, :, :, :new]
        self._values[:, :, :, column : column + new] = values[:, :, :, :new]
        return int(logits.argmax(-1)[0, 0])

    @torch.no_grad()
    def _convert(
        self,
        graph: DecoderGraph,
        example: list[Floats],
        calibration: list[list[Floats]],
        dtype: str,
        threads: int,
    ) -> None:
        names = [f"input{index}" for index in range(len(example))]
        tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in example]
        model = openvino_graphs.convert(nn.Module.eval(graph), tensors, names)
        if dtype == "int8":
            model = quantise_openvino(model, names, calibration)
        small = 0  # bytes: each graph has one shape, so each is compiled for it
        self._graphs[type(graph)] = openvino_graphs.OpenVinoGraph(model, dtype, threads, small)
