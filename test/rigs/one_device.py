# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run on the device `meta` as on a GPU: a tensor left on the CPU fails, and so does a look at one.

`meta` has shapes and no numbers. What would make the host wait for a GPU (`item`, `nonzero`, a
boolean index, a copy to the CPU) therefore cannot work there either.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")
# The host may send numbers; an index may be on either side, as CUDA sends it.
_SENDS = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class OneDevice(TorchDispatchMode):
    """Inside a `with` block, no operation mixes `meta` with tensors of another device.

    Attributes:
        sent: How many tensors the host sent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [leaf for leaf in tree_leaves((args, kwargs or {})) if isinstance(leaf, Tensor)]
        stray = [t for t in given if t.device != META and t.dim() > 0]
        if len(stray) < len(given) and stray and func not in _SENDS:
            shapes = [tuple(t.shape) for t in stray]
            raise RuntimeError(f"{func}: tensors of shapes {shapes} are on {stray[0].device}")
        result = func(*args, **(kwargs or {}))
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        self.sent += func in _SENDS and bool(stray) and any(t.device == META for t in made)
        return result
