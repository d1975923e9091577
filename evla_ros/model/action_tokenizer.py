# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Actions as token ids, computed with integers only (OpenVLA's bins); ids never become text."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from evla_ros.model.device_constant import DeviceConstant


class ActionTokenizer:
    """Turns normalised actions into token ids and back.

    The range [-1, 1] has `bins` edges; a value in bin d (counted from 1) has the id
    `vocabulary_size - d`. Published vocabulary sizes: Llama 32000, Qwen 151643, MiniVLA's added
    tokens 151921. A new model adds `bins` rows of its own after its text vocabulary, so its
    vocabulary size is the text size plus `bins`.
    """

    def __init__(self, vocabulary_size: int, bins: int = 256) -> None:
        self.vocabulary_size = vocabulary_size
        self.bins = bins
        self.first_id = vocabulary_size - bins
        self.edges = np.linspace(-1.0, 1.0, bins)
        self.centres = (self.edges[:-1] + self.edges[1:]) / 2.0
        # row j of the logits is id first_id + j, bin bins - j; bins 255 and 256 share one centre
        order = np.clip(np.arange(bins - 1, -1, -1), 0, bins - 2)
        self._value_of_row = DeviceConstant(self.centres[order], torch.float64)
        self._edges = DeviceConstant(self.edges, torch.float64)

    def encode(self, actions: ArrayLike) -> NDArray[np.int64]:
        """Return the ids of normalised actions of any shape; values outside [-1, 1] are clipped."""
        clipped = np.clip(np.asarray(actions, dtype=np.float64), -1.0, 1.0)
        return (self.vocabulary_size - np.digitize(clipped, self.edges)).astype(np.int64)

    def decode(self, ids: ArrayLike) -> NDArray[np.float64]:
        """Return the centres of the bins of ids of any shape; other ids get the nearest bin."""
        index = self.vocabulary_size - np.asarray(ids, dtype=np.int64) - 1
        return self.centres[np.clip(index, 0, self.bins - 2)]

    def rows(self, actions: Tensor) -> Tensor:
        """Return the row of the action logits for each normalised action: its true class."""
        edges = self._edges.on(actions.device)
        d = torch.bucketize(actions.double().clamp(-1.0, 1.0), edges, right=True)
        return self.bins - d

    def bins_of(self, actions: Tensor) -> Tensor:
        """Return the bin of each normalised action; the two highest, of one value, count as one."""
        return self.rows(actions).clamp_min(1)

    def values(self, rows: Tensor) -> Tensor:
        """Return the bin centres (float64) that belong to rows of the action logits."""
        return self._value_of_row.on(rows.device)[rows]
