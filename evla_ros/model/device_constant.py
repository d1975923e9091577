# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A constant table that follows the data to its device and keeps its precision."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class DeviceConstant:
    """Fixed numbers that are copied to each device once.

    A captured CUDA graph may not copy from the host. They are not a buffer of the module either:
    `model.bfloat16()` would round it, and building on the device `meta` would lose it.
    """

    def __init__(self, values: Any, dtype: torch.dtype) -> None:
        self._values = values
        self._dtype = dtype
        self._copies: dict[torch.device, Tensor] = {}

    def on(self, device: torch.device) -> Tensor:
        """Return the numbers on a device."""
        if device not in self._copies:
            with torch.inference_mode(mode=False):
                self._copies[device] = torch.as_tensor(
                    self._values, dtype=self._dtype, device=device
                )
        return self._copies[device]
