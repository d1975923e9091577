# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The status message: why the robot moves or not, and how well the node does its work."""

from __future__ import annotations

from collections import defaultdict, deque

from evla_ros.control.reasons import Reason
from evla_ros.embodiment import Embodiment
from evla_ros.msg import ActionChunk, PolicyStatus
from evla_ros.ros.policy.core_status import CoreStatus
from evla_ros.ros.policy.inference_loop import InferenceReport
from evla_ros.ros.pose_conversion import time_message

_LIMIT_NAMES = {
    Reason.LIMIT_WORKSPACE: "workspace",
    Reason.LIMIT_SPEED: "max_speed_m_s",
    Reason.LIMIT_ROTATION_SPEED: "max_rotation_rad_s",
    Reason.LIMIT_ACCELERATION: "max_acceleration",
    Reason.LIMIT_STEP: "max_step",
    Reason.TRACKING_ERROR: "tracking_error",
}
_WINDOW_S = 2.0


_AXIS_LIMIT_NAMES = {
    **_LIMIT_NAMES,
    Reason.LIMIT_WORKSPACE: "range",
    Reason.LIMIT_SPEED: "max_speed",
}


class StatusWriter:
    """Makes the messages about the policy; remembers only what rates and chunk numbers need."""

    def __init__(self, embodiment: Embodiment, policy: str) -> None:
        """Take the robot, and the name by which an operator knows the policy."""
        self._embodiment, self._policy = embodiment, policy
        self._rates: dict[str, RateMeter] = defaultdict(RateMeter)
        self.sequence = 0
        self.observation_ns: int | None = None

    def status(self, core: CoreStatus, lifecycle: int) -> PolicyStatus:
        """Return the status message; `lifecycle` is a state of lifecycle_msgs/msg/State."""
        now_s = core.now_ns / 1e9
        message = PolicyStatus(
            lifecycle=lifecycle,
            started=core.started,
            moving=core.moving,
            reason=int(core.finding.reason),
            reason_text=core.finding.text,
            instruction=core.instruction,
            embodiment=self._embodiment.name,
            policy=self._policy,
            inference_p50_ms=float(core.inference_p50_ms),
            inference_p95_ms=float(core.inference_p95_ms),
            chunks=core.chunks,
            goal_rate_hz=float(self._rates["goals"].rate_hz(now_s, core.goals)),
            goal_age_s=_age_s(core.now_ns, core.goal_ns),
            chunk_sequence=max(0, self.sequence - 1),
            chunk_age_s=-1.0,
        )
        message.header.stamp = time_message(core.now_ns)
        message.header.frame_id = self._embodiment.base_frame
        if core.rows_left is not None:
            message.chunk_age_s = _age_s(core.now_ns, self.observation_ns)
            message.chunk_rows_left = int(core.rows_left)
        for stream in core.streams:
            message.stream_names.append(stream.name)
            message.stream_age_s.append(-1.0 if stream.age_ns is None else stream.age_ns / 1e9)
            message.stream_max_age_s.append(stream.max_age_ns / 1e9)
            message.stream_rate_hz.append(self._rates[stream.name].rate_hz(now_s, stream.samples))
        _fill_limits(message, core, {axis.name for axis in self._embodiment.axes})
        return message

    def chunk(
        self, report: InferenceReport, names: tuple[str, ...], units: tuple[str, ...]
    ) -> ActionChunk:
        """Return the message of a chunk that was just inferred."""
        rows, columns = report.chunk.actions.shape
        message = ActionChunk(
            embodiment=self._embodiment.name,
            embodiment_hash=self._embodiment.content_hash,
            sequence=self.sequence,
            instruction=report.instruction,
            tick_s=1.0 / self._embodiment.rate_hz,
            names=list(names),
            units=list(units),
            chunk_length=rows,
            action_dim=columns,
            actions=report.chunk.actions.ravel().tolist(),
            late_rows=report.late_rows or 0,
            inference_start=time_message(report.start_ns),
            inference_end=time_message(report.end_ns),
        )
        message.header.stamp = time_message(report.chunk.observation_stamp_ns)
        message.header.frame_id = self._embodiment.base_frame
        self.sequence += 1
        self.observation_ns = report.chunk.observation_stamp_ns
        return message


def _fill_limits(message: PolicyStatus, core: CoreStatus, axes: set[str]) -> None:
    """Say what was clipped, and what ended motion last."""
    for limit, count in core.clips.items():
        message.limit_names.append(_name_of(limit, axes))
        message.limit_counts.append(count)
    if core.last_clip is not None:
        message.last_limit = _name_of(core.last_clip, axes)
    if core.last_stop is not None:
        message.last_stop_reason = int(core.last_stop.finding.reason)
        message.last_stop_text = core.last_stop.finding.text
        message.last_stop_stamp = time_message(core.last_stop.stamp_ns)


def _name_of(limit: tuple[str, Reason], axes: set[str]) -> str:
    part, reason = limit
    names = _AXIS_LIMIT_NAMES if part in axes else _LIMIT_NAMES
    return f"{part}.{names[reason]}"


def _age_s(now_ns: int, then_ns: int | None) -> float:
    return -1.0 if then_ns is None else (now_ns - then_ns) / 1e9


class RateMeter:
    """Rate of a counter over the last two seconds."""

    def __init__(self) -> None:
        """Start without a rate."""
        self._looks: deque[tuple[float, int]] = deque()

    def rate_hz(self, time_s: float, count: int) -> float:
        """Look at the counter; returns its rate, 0 at the first look."""
        self._looks.append((time_s, count))
        while len(self._looks) > 2 and self._looks[1][0] <= time_s - _WINDOW_S:
            self._looks.popleft()
        first_s, first = self._looks[0]
        return (count - first) / (time_s - first_s) if time_s > first_s else 0.0
