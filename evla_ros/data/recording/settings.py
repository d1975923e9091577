# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a recorder."""

from __future__ import annotations

from dataclasses import dataclass, field

from evla_ros.data.recording.preflight import PreflightLimits

MIB = 1 << 20


@dataclass(frozen=True)
class RecorderSettings:
    """preroll_s: seconds kept from before the start. queue_bytes: waiting for the disk at most."""

    preroll_s: float = 1.0
    preroll_bytes: int = 256 * MIB
    queue_bytes: int = 512 * MIB
    require_preflight: bool = True
    operator: str = ""
    distro: str = ""
    limits: PreflightLimits = field(default_factory=PreflightLimits)
