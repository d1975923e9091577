# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a recorder."""

from __future__ import annotations

from dataclasses import dataclass, field

from evla_ros.data.recording.preflight import PreflightLimits

MIB = 1 << 20


@dataclass(frozen=True)
class RecorderSettings:
    """Settings of a recorder.

    Attributes:
        preroll_s: Seconds before the start that an episode includes [s].
        preroll_bytes: The most that is kept for the pre-roll.
        queue_bytes: The most that may wait to be written.
        require_preflight: Refuse a start while there are problems.
        operator: Who records; stored in the bag.
        distro: The ROS distribution; stored in the bag.
        limits: What an episode needs before it may start.
        check_episodes: Say in an episode's report what the converter would make of it.
    """

    preroll_s: float = 1.0
    preroll_bytes: int = 256 * MIB
    queue_bytes: int = 512 * MIB
    require_preflight: bool = True
    operator: str = ""
    distro: str = ""
    limits: PreflightLimits = field(default_factory=PreflightLimits)
    check_episodes: bool = True
