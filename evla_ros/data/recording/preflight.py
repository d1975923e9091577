# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that all is ready before an episode starts; problems are sentences for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evla_ros.data.recording.arrival_meter import TopicState

GIB = 1 << 30


@dataclass(frozen=True)
class TopicHealth:
    """The state of one topic before a start.

    Attributes:
        name: The topic.
        needed: Whether an episode without it is useless.
        state: How fast it arrives, compared with what is expected.
        rate_hz: Its present rate.
        expected_hz: The rate it should have; 0 for an irregular topic.
        skew_s: Receive time minus header stamp [s]; None without a header.
        qos_problem: Why its QoS does not fit; empty when it does.
    """

    name: str
    needed: bool
    state: TopicState
    rate_hz: float
    expected_hz: float
    skew_s: float | None = None
    qos_problem: str = ""


@dataclass(frozen=True)
class PreflightLimits:
    """What an episode needs before it may start.

    Attributes:
        max_skew_s: Largest difference between a sender's clock and the recorder's [s].
        min_free_bytes: Free space that the disk must keep.
        min_minutes: Recording time that the disk must have space for [min].
    """

    max_skew_s: float = 0.5
    min_free_bytes: int = GIB
    min_minutes: float = 2.0


def minutes_left(free_bytes: int, bytes_per_s: float, reserve: int) -> float:
    """Return the recording time left in minutes at this rate, or -1 when nothing arrives."""
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
    """Return the problems that block a start; empty when there are none.

    Args:
        topics: The state of every topic.
        instruction: What the robot is asked to do.
        free_bytes: Free space of the disk.
        bytes_per_s: What arrives at present.
        limits: What an episode needs.
    """
    problems = [problem for topic in topics for problem in topic_problems(topic, limits)]
    if not instruction.strip():
        problems.append(
            "no instruction: publish one on the instruction topic, or call ~/set_instruction"
        )
    if free_bytes < limits.min_free_bytes:
        free, least = free_bytes / GIB, limits.min_free_bytes / GIB
        problems.append(f"only {free:.2f} GiB of disk are free, {least:.2f} GiB are kept free")
    left = minutes_left(free_bytes, bytes_per_s, limits.min_free_bytes)
    if 0.0 <= left < limits.min_minutes:
        problems.append(f"the disk is full in {left:.1f} min at this rate")
    return problems


def topic_problems(topic: TopicHealth, limits: PreflightLimits) -> list[str]:
    """Return the problems of one topic; for a topic that is not needed only its QoS counts."""
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
