# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A key/value cache of fixed shape, so that every decoding step has the same shapes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class KeyValueCache:
    """Per layer two tensors [B, kv_heads, columns, head_dim]; masks decide which columns are seen.

    Set `write_at` to the columns of the coming forward; `update` is what transformers layers call.
    """

    def __init__(
        self, layers: int, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device
    ) -> None:
        self.keys = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(layers)]
        self.values = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(layers)]
        self.write_at = torch.zeros(0, dtype=torch.long, device=device)

    @torch.compiler.disable  # the layer number would compile every layer anew
    def update(
        self, key: Tensor, value: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write new columns and return every column of the layer."""
        keys, values = self.keys[layer_idx], self.values[layer_idx]
        keys.index_copy_(2, self.write_at, key.to(keys.dtype))  # autocast narrows the new ones
        values.index_copy_(2, self.write_at, value.to(values.dtype))
        return keys, values
