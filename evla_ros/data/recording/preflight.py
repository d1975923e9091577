# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What must be in order before an episode may start, as sentences an operator can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evla_ros.data.recording.rate_meter import TopicState

GIB = 1 << 30


@dataclass(frozen=True)
class TopicHealth:
    """One topic as the pre-flight sees it; skew_s: receive time minus header stamp."""

    name: str
    needed: bool
    state: TopicState
    rate_hz: float
    expected_hz: float
    skew_s: float | None = None
    qos_problem: str = ""


@dataclass(frozen=True)
class PreflightLimits:
    """max_skew_s: between a sender's clock and ours. min_free_bytes and min_minutes: of disk."""

    max_skew_s: float = 0.5
    min_free_bytes: int = GIB
    min_minutes: float = 2.0


def minutes_left(free_bytes: int, bytes_per_s: float, reserve: int) -> float:
    """Return recording time left in minutes at this rate, -1 when nothing arrives."""
    if bytes_per_s <= 0.0:
        return -1.0
    return max(0, free_bytes - reserve) / bytes_per_s / 60.0


def preflight_problems(
    topics: Sequence[TopicHealth],
    instruction: str,
    free_bytes: int,
    bytes_per_s: float,
    limits: PreflightLimits,
) -> list[str]:
    """Return what blocks a start; empty when all is well."""
    problems = [problem for topic in topics for problem in topic_problems(topic, limits)]
    if not instruction.strip():
        problems.append("no instruction: publish one on the instruction topic")
    if free_bytes < limits.min_free_bytes:
        free, least = free_bytes / GIB, limits.min_free_bytes / GIB
        problems.append(f"only {free:.2f} GiB of disk are free, {least:.2f} GiB are kept free")
    left = minutes_left(free_bytes, bytes_per_s, limits.min_free_bytes)
    if 0.0 <= left < limits.min_minutes:
        problems.append(f"the disk is full in {left:.1f} min at this rate")
    return problems


def topic_problems(topic: TopicHealth, limits: PreflightLimits) -> list[str]:
    """Return what is wrong with one topic; of topics that are not needed only their QoS."""
    problems = [f"{topic.name}: {topic.qos_problem}"] if topic.qos_problem else []
    if not topic.needed:
        return problems
    if topic.state is TopicState.MISSING:
        problems.append(f"{topic.name} has not arrived: is its publisher running?")
    elif topic.state is TopicState.STALLED:
        problems.append(f"{topic.name} has stalled")
    elif topic.state is TopicState.SLOW:
        rates = f"{topic.rate_hz:.1f} Hz, expected {topic.expected_hz:.1f} Hz"
        problems.append(f"{topic.name} is slow: {rates}")
    if topic.skew_s is not None and abs(topic.skew_s) > limits.max_skew_s:
        where = "behind" if topic.skew_s > 0 else "ahead of"
        skew = abs(topic.skew_s)
        problems.append(
            f"{topic.name} is stamped {skew:.2f} s {where} this machine: synchronise the clocks"
        )
    return problems
