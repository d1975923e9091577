# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a column of a dataset beside the policy's inputs holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ExtraColumn:
    """One column `observation/extra/<name>`.

    Attributes:
        name: Of the column.
        topic: As the embodiment file has it.
        type: Its message type.
        kind: numbers: float32 [N]; depth: a PNG of 16 bits in millimetres.
        names: Where each number stands in the message.
        units: Of each number; empty where nobody says.
    """

    name: str
    topic: str
    type: str
    kind: Literal["numbers", "depth"]
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
