# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An inference waits for what was sampled with its image: no longer than it may, and alone."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.control.controller import Controller
from evla_ros.control.reasons import Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.data.alignment.stream_buffer import Sample, StreamBuffer
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import Pose
from evla_ros.ros.camera_input import RawImage
from evla_ros.ros.observation_gate import ObservationGate
from evla_ros.ros.shared_core import SharedCore

BODY = load_embodiment("tabletop_arm")
MS = 1_000_000
START_NS = 1_000_000 * MS
LONG_S = 60.0


@dataclass
class Camera:
    """What the gate reads of a camera."""

    latest: RawImage | None = None


@dataclass
class Sources:
    """What the gate reads of the subscriptions, filled by hand."""

    cameras: dict[str, Camera]
    openings: list[StreamBuffer] = field(default_factory=lambda: [StreamBuffer()])
    joints: dict[str, float] = field(default_factory=dict)

    def images(self) -> dict[str, RawImage]:
        return {name: camera.latest for name, camera in self.cameras.items() if camera.latest}


class Robot:
    """A started controller whose samples arrive when a test says so; its clock stands still."""

    def __init__(self, instant_wait_s: float) -> None:
        self.controller = Controller(BODY, ControlSettings())
        self.now_ns = START_NS
        self.core = SharedCore(BODY, self.controller, lambda: self.now_ns)
        self.sources = Sources({name: Camera() for name in BODY.cameras})
        self.gate = ObservationGate(self.core, self.sources, 0.0, instant_wait_s)
        self.controller.set_instruction("go")
        for index in range(5):
            stamp_ns = START_NS + (index - 5) * 20 * MS
            self.pose(stamp_ns, 0.4 + index / 100)
            self.opening(stamp_ns)
            for name in BODY.cameras:
                self.image(name, stamp_ns)
        assert self.controller.start(self.now_ns) is None

    def pose(self, stamp_ns: int, x: float) -> None:
        with self.core.lock:
            pose = Pose.from_xyz_rpy([x, 0, 0.3], [0, 0, 0])
            assert self.controller.arms[0].note_pose(stamp_ns, pose)
            self.controller.inputs.poses[0].note(stamp_ns, stamp_ns)
        self.gate.note_sample()

    def opening(self, stamp_ns: int) -> None:
        with self.core.lock:
            self.sources.openings[0].push(Sample(stamp_ns, stamp_ns, 1.0))
            self.controller.inputs.grippers[0].note(stamp_ns, stamp_ns)
        self.gate.note_sample()

    def image(self, name: str, stamp_ns: int) -> None:
        self.sources.cameras[name].latest = RawImage(stamp_ns, stamp_ns, b"%d" % stamp_ns)
        with self.core.lock:
            self.controller.inputs.cameras[name].note(stamp_ns, stamp_ns)
        self.gate.note_image(name)

    def taken(self) -> tuple[threading.Thread, list]:
        """Take an observation in another thread."""
        found: list = []
        thread = threading.Thread(target=lambda: found.append(self.gate.take()), daemon=True)
        thread.start()
        return thread, found


def test_it_waits_for_every_sample_of_the_images_instant() -> None:
    robot = Robot(LONG_S)
    robot.image("primary", START_NS)
    thread, found = robot.taken()
    for arrive in (
        lambda: robot.pose(START_NS, 0.5),
        lambda: robot.opening(START_NS),
        lambda: robot.image("wrist", START_NS),
    ):
        thread.join(0.05)
        assert not found
        arrive()
    thread.join(LONG_S)
    assert found[0].stamp_ns == START_NS
    assert found[0].observation.proprio[0] == np.float32(0.5)
    assert {image.stamp_ns for image in found[0].images.values()} == {START_NS}


def test_a_sample_from_after_the_image_shows_that_none_is_missing() -> None:
    robot = Robot(LONG_S)
    for name in BODY.cameras:
        robot.image(name, START_NS)
    robot.opening(START_NS + MS)
    thread, found = robot.taken()
    thread.join(0.05)
    assert not found
    robot.pose(START_NS + MS, 0.46)
    thread.join(LONG_S)
    assert found[0].observation.proprio[0] == np.float32(0.44)


def test_nothing_is_waited_for_between_two_samples() -> None:
    robot = Robot(LONG_S)
    for name in BODY.cameras:
        robot.image(name, START_NS - 10 * MS)
    taken = robot.gate.take()
    assert taken is not None
    assert taken.observation.proprio[0] == np.float32(0.44)


@pytest.mark.parametrize("wait_s", [0.0, 0.1])
def test_a_stalled_stream_holds_an_inference_up_no_longer_than_it_may(wait_s: float) -> None:
    robot = Robot(wait_s)
    for name in BODY.cameras:
        robot.image(name, START_NS)
    start = time.monotonic()
    taken = robot.gate.take()
    assert wait_s <= time.monotonic() - start < wait_s + LONG_S / 2
    assert taken is not None
    assert taken.observation.proprio[0] == np.float32(0.44)
    assert robot.controller.policy.busy


def test_goals_go_on_while_an_inference_waits() -> None:
    robot = Robot(LONG_S)
    robot.image("primary", START_NS)
    thread, found = robot.taken()
    for tick in range(10):
        with robot.core.lock:
            robot.now_ns += MS
            goal = robot.controller.tick(robot.now_ns, tick * MS).arms[0].goal
        assert goal is not None
    assert not found
    robot.gate.close()
    thread.join(LONG_S)
    assert found == [None]


def test_an_inference_that_nobody_wants_any_more_is_not_begun() -> None:
    robot = Robot(LONG_S)
    robot.image("primary", START_NS)
    thread, found = robot.taken()
    with robot.core.lock:
        robot.controller.stop(START_NS)
    robot.pose(START_NS, 0.5)
    thread.join(LONG_S)
    assert found == [None]
    assert not robot.controller.policy.busy


def test_an_image_is_taken_once() -> None:
    robot = Robot(0.0)
    assert robot.gate.has_new_image()
    assert robot.gate.take() is not None
    assert not robot.gate.has_new_image()
    robot.image("primary", START_NS)
    assert robot.gate.has_new_image()


def test_an_image_older_than_the_first_gripper_sample_is_waited_out_then_named() -> None:
    """The gripper's stream begins a moment after the camera's: no failure of the policy."""
    robot = Robot(0.0)
    robot.sources.openings[0] = StreamBuffer()
    robot.opening(START_NS + MS)
    assert robot.gate.take() is None
    assert robot.controller.policy.failure is None
    for _ in range(19):
        assert robot.gate.take() is None
    assert robot.controller.policy.failure.reason is Reason.GRIPPER_MISSING
    robot.pose(START_NS + 2 * MS, 0.5)
    for name in BODY.cameras:
        robot.image(name, START_NS + 2 * MS)
    robot.controller.policy.failure = None
    robot.now_ns += 10**9
    assert robot.gate._anchored(START_NS + 2 * MS, robot.now_ns)
