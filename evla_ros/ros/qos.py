# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which quality of service each kind of topic gets."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from evla_ros.embodiment.streams import Stream


def _profile(depth: int, *, reliable: bool, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def stream_profile(stream: Stream) -> QoSProfile:
    """Return the profile of our end of a stream of the robot, as the table of streams has it."""
    is_reliable, is_latched, depth = stream.delivery
    return _profile(depth, reliable=is_reliable, latched=is_latched)


def newest_only() -> QoSProfile:
    """Return the profile of an input whose newest sample counts; matches any publisher."""
    return _profile(1, reliable=False)


def every_sample(depth: int = 50) -> QoSProfile:
    """Return the profile of a small input of which every sample counts, such as measured poses."""
    return _profile(depth, reliable=False)


def reliable(depth: int = 10) -> QoSProfile:
    """Return the profile of events that must arrive, such as the stop button."""
    return _profile(depth, reliable=True)


def latched(depth: int = 1) -> QoSProfile:
    """Return the profile of a value that late joiners want as well, such as the instruction."""
    return _profile(depth, reliable=True, latched=True)
