# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the controller knows of the world, and what in it forbids motion.

What an adapter tells it:

- streams (`cameras`, `poses`, `grippers`, `joints`, `odometry`, `axes`): every message that
  arrived, good or bad; see `watchdog`. Poses, odometry and positions of axes go through
  `Controller.note_*`, which notes their stream when they are believed.
- `set_estop`, `set_teleop`: every message of the two control topics. They return whether something
  changed, so that a caller hurries only then.
- `graph`: who else publishes and listens; see `graph_watch`.
"""

from __future__ import annotations

from evla_ros.control.graph_watch import GraphWatch
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.stop_button import StopButton
from evla_ros.control.watchdog import Watchdog, WatchedStream
from evla_ros.embodiment import Arm, Axis, Base, Camera, Embodiment, Gripper
from evla_ros.embodiment.streams import JOINTS_MAX_AGE_S


class Inputs:
    """Newest facts: streams, instruction, emergency stop, teleoperation, graph."""

    def __init__(self, embodiment: Embodiment, settings: ControlSettings) -> None:
        """Watch everything that the embodiment measures."""
        self.watchdog = Watchdog(round(settings.max_stamp_skew_s * 1e9))
        self.instruction = ""
        self.button = StopButton(embodiment.estop.heartbeat_s)
        self.teleop = False
        self.graph = GraphWatch(allow_unheard_goals=settings.allow_unheard_goals)
        self.cameras = {
            name: self._watch_camera(name, camera) for name, camera in embodiment.cameras.items()
        }
        self.poses: list[WatchedStream] = []
        self.grippers: list[WatchedStream | None] = []
        for arm in embodiment.arms:
            self.poses.append(self._watch_pose(arm))
            self.grippers.append(self._watch_gripper(arm.name, arm.gripper))
        base = embodiment.base
        self.odometry = None if base is None else self._watch_base(base)
        self.axes = [self._watch_axis(axis) for axis in embodiment.axes]
        proprio = "joint_positions" in embodiment.proprio
        self.joints = self._watch_joints() if proprio else None
        self.lines = [*self.poses, *self.axes]  # what has a place, arms first

    def _watch_camera(self, name: str, camera: Camera) -> WatchedStream:
        age_ns = round(camera.max_age_s * 1e9)
        missing, stale = Reason.CAMERA_MISSING, Reason.CAMERA_STALE
        return self.watchdog.add(
            WatchedStream(f"camera {name}", age_ns, missing, stale, decoded_later=True)
        )

    def _watch_pose(self, arm: Arm) -> WatchedStream:
        age_ns = round(arm.pose.max_age_s * 1e9)
        missing, stale = Reason.POSE_MISSING, Reason.POSE_STALE
        return self.watchdog.add(WatchedStream(f"pose {arm.name}", age_ns, missing, stale))

    def _watch_base(self, base: Base) -> WatchedStream:
        age_ns = round(base.max_age_s * 1e9)
        missing, stale = Reason.ODOMETRY_MISSING, Reason.ODOMETRY_STALE
        return self.watchdog.add(WatchedStream("odometry base", age_ns, missing, stale))

    def _watch_axis(self, axis: Axis) -> WatchedStream:
        age_ns = round(axis.max_age_s * 1e9)
        missing, stale = Reason.AXIS_MISSING, Reason.AXIS_STALE
        return self.watchdog.add(WatchedStream(f"axis {axis.name}", age_ns, missing, stale))

    def _watch_joints(self) -> WatchedStream:
        """Watch what proprio reads; its time is that of the joint that was heard least lately."""
        age_ns = round(JOINTS_MAX_AGE_S * 1e9)
        missing, stale = Reason.JOINTS_MISSING, Reason.JOINTS_STALE
        return self.watchdog.add(WatchedStream("joints", age_ns, missing, stale))

    def _watch_gripper(self, arm: str, gripper: Gripper | None) -> WatchedStream | None:
        if gripper is None or gripper.reports_by_action:
            return None  # an action reports while it works, and is silent in between
        age_ns = round(gripper.max_age_s * 1e9)
        missing, stale = Reason.GRIPPER_MISSING, Reason.GRIPPER_STALE
        return self.watchdog.add(WatchedStream(f"gripper {arm}", age_ns, missing, stale))

    @property
    def estop_pressed(self) -> bool:
        """Whether the stop button is pressed now."""
        return self.button.pressed

    @property
    def estop_latched(self) -> bool:
        """Whether the stop button was pressed since the last reset."""
        return self.button.latched

    def set_estop(self, pressed: bool, now_ns: int | None = None) -> bool:
        """Take a message of the stop button; pressing latches.

        Args:
            pressed: What the message says.
            now_ns: Its arrival; a heartbeat (`estop.heartbeat_s`) counts only with it.

        Returns:
            Whether something changed.
        """
        return self.button.set(pressed, now_ns)

    def reset_estop(self) -> bool:
        """Release the latch; False while the button is still pressed."""
        return self.button.reset()

    def set_teleop(self, active: bool) -> bool:
        """Take whether a person has the authority; returns whether that changed."""
        before, self.teleop = self.teleop, active
        return before != active

    def pose_fresh(self, line: int, now_ns: int) -> bool:
        """Return whether the newest pose of an arm (or position of an axis, after the arms) counts.

        It is young enough to stand for where the arm or axis is.
        """
        age_ns = self.lines[line].age_ns(now_ns)
        return age_ns is not None and age_ns <= self.lines[line].max_age_ns

    def images_decoded(self) -> None:
        """Say that an image of every camera was decoded: the policy has answered to them."""
        for camera in self.cameras.values():
            camera.decoded()

    def clock_jumped(self) -> None:
        """Forget every time; they are on another clock."""
        self.watchdog.clear()
        self.button.clock_jumped()

    def owing(self, time_ns: int, until_ns: int) -> list[str]:
        """Return the streams whose sample of `time_ns` should arrive before `until_ns`."""
        streams = self.watchdog.streams
        return [name for name, stream in streams.items() if stream.owes(time_ns, until_ns)]

    def findings(self, now_ns: int, *, to_decode: bool = False) -> list[Finding]:
        """Return everything that forbids motion.

        Args:
            now_ns: The time to judge ages at.
            to_decode: Leave out what the decoding of a newer image may end.
        """
        found = self.watchdog.findings(now_ns, to_decode=to_decode)
        found += self.button.findings(now_ns)
        found += self.graph.findings()
        if self.teleop:
            found.append(Finding(Reason.TELEOP))
        if not self.instruction.strip():
            found.append(Finding(Reason.NO_INSTRUCTION))
        return found
