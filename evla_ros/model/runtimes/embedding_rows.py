# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The embeddings of token ids: from a table in memory, or row by row from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from evla_ros.errors import shorten, shown
from evla_ros.model.errors import CheckpointError
from evla_ros.model.language_model import LanguageModel
from evla_ros.model.runtimes.prompt_inputs import Floats
from evla_ros.reading.text_files import regular_file

TABLE = "text_embeddings"


class EmbeddingRows:
    """Returns the embeddings [..., hidden] float32 of token ids [...]."""

    def __init__(self, table: Tensor | Path) -> None:
        """Take a table [rows, hidden], or a safetensors file with one, which stays on the disk."""
        self._table = table

    def __call__(self, ids: NDArray[np.int64]) -> Floats:
        """Look up the rows; each is read once for a prompt."""
        distinct, places = np.unique(ids, return_inverse=True)
        rows = self._rows(distinct)
        return rows[places.reshape(ids.shape)]

    def _rows(self, distinct: NDArray[np.int64]) -> Floats:
        if isinstance(self._table, Tensor):
            return self._table[torch.from_numpy(distinct)].float().numpy()
        problem = regular_file(self._table)
        if problem:
            raise CheckpointError(f"{shown(self._table)} {problem}")
        try:
            with safe_open(self._table, framework="pt") as file:
                table = file.get_slice(TABLE)
                rows = torch.cat([table[int(row) : int(row) + 1] for row in distinct])
                return rows.float().numpy()
        except (SafetensorError, OSError, ValueError, RuntimeError, LookupError) as error:
            raise CheckpointError(f"{shown(self._table)}: {shorten(str(error))}") from error


def scaled_table(language_model: LanguageModel) -> Tensor:
    """Return the embedding table with what some families multiply it by when they look it up."""
    embedding = language_model.body.get_input_embeddings()
    table: Tensor = embedding.weight.detach()
    scale = getattr(embedding, "embed_scale", None)
    return table if scale is None else table * scale.to(table.dtype)
