# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the controller knows of the world: streams, instruction, emergency stop, teleoperation."""

from __future__ import annotations

from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.watchdog import Stream, Watchdog
from evla_ros.embodiment import Embodiment


class Inputs:
    """Newest facts, and what is wrong with them."""

    def __init__(self, embodiment: Embodiment, settings: ControlSettings) -> None:
        """Watch every camera, pose and gripper of the embodiment."""
        self.watchdog = Watchdog(round(settings.max_stamp_skew_s * 1e9))
        self.instruction = ""
        self.estop_pressed = False
        self.estop_latched = False
        self.teleop = False
        self.cameras: dict[str, Stream] = {}
        self.poses: list[Stream] = []
        self.grippers: list[Stream | None] = []
        for name, camera in embodiment.cameras.items():
            self.cameras[name] = self._watch(
                f"camera {name}", camera.max_age_s, Reason.CAMERA_MISSING, Reason.CAMERA_STALE
            )
        for arm in embodiment.arms:
            self.poses.append(
                self._watch(
                    f"pose {arm.name}", arm.pose.max_age_s, Reason.POSE_MISSING, Reason.POSE_STALE
                )
            )
            self.grippers.append(
                self._watch(
                    f"gripper {arm.name}",
                    arm.gripper.max_age_s,
                    Reason.GRIPPER_MISSING,
                    Reason.GRIPPER_STALE,
                )
                if arm.gripper
                else None
            )

    def _watch(self, name: str, max_age_s: float, missing: Reason, stale: Reason) -> Stream:
        return self.watchdog.add(Stream(name, round(max_age_s * 1e9), missing, stale))

    def set_estop(self, pressed: bool) -> None:
        """Take the state of the stop button; pressing latches."""
        self.estop_pressed = pressed
        self.estop_latched = self.estop_latched or pressed

    def reset_estop(self) -> bool:
        """Release the latch; False while the button is still pressed."""
        self.estop_latched = self.estop_pressed
        return not self.estop_latched

    def pose_fresh(self, arm: int, now_ns: int) -> bool:
        """Return whether the newest pose of an arm is young enough to stand for where it is."""
        age_ns = self.poses[arm].age_ns(now_ns)
        return age_ns is not None and age_ns <= self.poses[arm].max_age_ns

    def owing(self, time_ns: int, until_ns: int) -> list[str]:
        """Return the streams whose sample of `time_ns` should arrive before `until_ns`."""
        streams = self.watchdog.streams
        return [name for name, stream in streams.items() if stream.owes(time_ns, until_ns)]

    def findings(self, now_ns: int) -> list[Finding]:
        """Return everything that forbids motion."""
        found = self.watchdog.findings(now_ns)
        if self.estop_latched:
            found.append(Finding(Reason.ESTOP))
        if self.teleop:
            found.append(Finding(Reason.TELEOP))
        if not self.instruction.strip():
            found.append(Finding(Reason.NO_INSTRUCTION))
        return found
