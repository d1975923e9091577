# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convolutions in place of the one-step patch embedding: they learn from little data."""

from __future__ import annotations

from torch import nn

from evla_ros.model.errors import ModelConfigError


class ConvStem(nn.Sequential):
    """3x3 convolutions, [N, 3, S, S] -> [N, width, S/p, S/p]; their strides multiply to p."""

    def __init__(self, width: int, patch_size: int) -> None:
        strides = _factors(patch_size)
        layers: list[nn.Module] = []
        channels = 3
        for index, stride in enumerate(strides):
            out = max(8, width >> (len(strides) - 1 - index))
            layers += [
                nn.Conv2d(
                    channels,
                    out,
                    kernel_size=max(3, stride),
                    stride=stride,
                    padding=1 if stride < 4 else 0,
                )
            ]
            if index < len(strides) - 1:
                layers.append(nn.GELU())
            channels = out
        super().__init__(*layers)


def _factors(patch_size: int) -> list[int]:
    factors = []
    rest = patch_size
    for prime in (2, 3):
        while rest % prime == 0:
            factors.append(prime)
            rest //= prime
    if rest != 1:
        raise ModelConfigError(
            f"a conv stem needs a patch size of factors 2 and 3, not {patch_size}"
        )
    return factors
