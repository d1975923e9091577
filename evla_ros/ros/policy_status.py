# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The status message: why the robot moves or not, and how well the node does its work."""

from __future__ import annotations

from collections import defaultdict

from evla_ros.control.controller import Controller, Tick
from evla_ros.control.reasons import Finding, Reason
from evla_ros.embodiment import Embodiment
from evla_ros.msg import ActionChunk, PolicyStatus
from evla_ros.ros.inference_loop import InferenceReport
from evla_ros.ros.pose_conversion import time_message
from evla_ros.ros.stream_rates import RateMeter

_LIMIT_NAMES = {
    Reason.LIMIT_WORKSPACE: "workspace",
    Reason.LIMIT_SPEED: "max_speed_m_s",
    Reason.LIMIT_ROTATION_SPEED: "max_rotation_rad_s",
    Reason.LIMIT_ACCELERATION: "max_acceleration",
    Reason.LIMIT_STEP: "max_step",
    Reason.TRACKING_ERROR: "tracking_error",
}


class StatusWriter:
    """Fills PolicyStatus from the core; remembers only what rates need."""

    def __init__(self, embodiment: Embodiment, policy: str) -> None:
        """policy: what the operator knows it by."""
        self._embodiment, self._policy = embodiment, policy
        self._rates: dict[str, RateMeter] = defaultdict(RateMeter)
        self._last_limit = ""
        self.sequence = 0
        self.observation_ns: int | None = None
        self.goals = 0
        self.goal_ns: int | None = None

    def note_tick(self, tick: Tick, controller: Controller) -> None:
        """Count what was published."""
        if any(arm.goal is not None for arm in tick.arms):
            self.goals += 1
            self.goal_ns = tick.now_ns
        for arm in controller.arms:
            for clip in arm.last_clips:
                self._last_limit = f"{arm.name}.{_LIMIT_NAMES[clip]}"

    def status(
        self, controller: Controller, finding: Finding, now_ns: int, *, lifecycle: int, moving: bool
    ) -> PolicyStatus:
        """Return the message; the caller holds the core's lock."""
        message = PolicyStatus(
            lifecycle=lifecycle,
            started=controller.started,
            moving=moving,
            reason=int(finding.reason),
            reason_text=finding.text,
            instruction=controller.inputs.instruction,
            embodiment=self._embodiment.name,
            policy=self._policy,
            inference_p50_ms=float(controller.policy.percentile_ms(50)),
            inference_p95_ms=float(controller.policy.percentile_ms(95)),
            chunks=controller.policy.chunks,
            goal_rate_hz=float(self._rates["goals"].rate_hz(now_ns / 1e9, self.goals)),
            goal_age_s=_age_s(now_ns, self.goal_ns),
            last_limit=self._last_limit,
        )
        message.header.stamp = time_message(now_ns)
        message.header.frame_id = self._embodiment.base_frame
        self._chunk_fields(message, controller, now_ns)
        self._stream_fields(message, controller, now_ns)
        for arm in controller.arms:
            for reason, count in sorted(arm.clips.items()):
                message.limit_names.append(f"{arm.name}.{_LIMIT_NAMES[reason]}")
                message.limit_counts.append(count)
        stop = controller.last_stop
        if stop is not None:
            message.last_stop_reason = int(stop.finding.reason)
            message.last_stop_text = stop.finding.text
            message.last_stop_stamp = time_message(stop.stamp_ns)
        return message

    def _chunk_fields(self, message: PolicyStatus, controller: Controller, now_ns: int) -> None:
        message.chunk_sequence = max(0, self.sequence - 1)
        message.chunk_age_s = -1.0
        if controller.scheduler.active:
            message.chunk_age_s = _age_s(now_ns, self.observation_ns)
            message.chunk_rows_left = int(controller.scheduler.rows_left(now_ns))

    def _stream_fields(self, message: PolicyStatus, controller: Controller, now_ns: int) -> None:
        for name, stream in controller.inputs.watchdog.streams.items():
            age_ns = stream.age_ns(now_ns)
            message.stream_names.append(name)
            message.stream_age_s.append(-1.0 if age_ns is None else age_ns / 1e9)
            message.stream_max_age_s.append(stream.max_age_ns / 1e9)
            message.stream_rate_hz.append(self._rates[name].rate_hz(now_ns / 1e9, stream.count))

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


def _age_s(now_ns: int, then_ns: int | None) -> float:
    return -1.0 if then_ns is None else (now_ns - then_ns) / 1e9
