# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The MLP that maps the features of patches to the width of the language model."""

from __future__ import annotations

from typing import Literal

from torch import nn


class Projector(nn.Sequential):
    """Two or three linear layers with GELU between them.

    `gelu-mlp` (EVLA) has the widths vision, language, language; `fused-gelu-mlp` (OpenVLA, MiniVLA)
    the widths vision, four times vision, language, language.
    """

    def __init__(
        self, kind: Literal["gelu-mlp", "fused-gelu-mlp"], vision_width: int, width: int
    ) -> None:
        widths = [vision_width, width, width]
        if kind == "fused-gelu-mlp":
            widths = [vision_width, 4 * vision_width, width, width]
        layers: list[nn.Module] = []
        for index in range(len(widths) - 1):
            layers += [nn.GELU()] if index else []
            layers.append(nn.Linear(widths[index], widths[index + 1]))
        super().__init__(*layers)
