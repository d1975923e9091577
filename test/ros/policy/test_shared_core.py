# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The core as threads share it: who waits for what, who is woken, and who may take its lock."""

from __future__ import annotations

import ast
import threading
import time

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.control.controller import Controller
from evla_ros.control.reasons import Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import Embodiment, load_embodiment, parse_embodiment
from evla_ros.geometry import Pose
from evla_ros.ros.policy.observations import RawImage, Snapshot
from evla_ros.ros.policy.shared_core import SharedCore

BODY = load_embodiment("tabletop_arm")
MS = 1_000_000
START_NS = 1_000_000 * MS
LONG_S = 60.0


class Robot:
    """A started core whose samples arrive when a test says so; its clock stands still."""

    def __init__(
        self, instant_wait_s: float, fresh_wait_s: float = 0.0, body: Embodiment = BODY
    ) -> None:
        self.controller = Controller(body, ControlSettings(pose_confirm_s=0.0))
        self.now_ns = START_NS
        waits = {"instant_wait_s": instant_wait_s, "fresh_wait_s": fresh_wait_s}
        self.core = SharedCore(body, self.controller, lambda: self.now_ns, **waits)
        self.ended = threading.Event()
        self.core.set_instruction("go")
        for index in range(5):
            stamp_ns = START_NS + (index - 5) * 20 * MS
            self.pose(stamp_ns, 0.4 + index / 100)
            self.opening(stamp_ns)
            for name in BODY.cameras:
                self.image(name, stamp_ns)
        assert self.core.start() is None

    def pose(self, stamp_ns: int, x: float) -> None:
        self.core.observe_pose(0, stamp_ns, Pose.from_xyz_rpy([x, 0, 0.3], [0, 0, 0]))

    def opening(self, stamp_ns: int) -> None:
        self.core.observe_opening(0, stamp_ns, 1.0)

    def image(self, name: str, stamp_ns: int) -> None:
        self.core.observe_image(name, RawImage(stamp_ns, self.now_ns, b"%d" % stamp_ns))

    def images(self, stamp_ns: int) -> None:
        for name in BODY.cameras:
            self.image(name, stamp_ns)

    def take(self, timeout_s: float = 0.0) -> Snapshot | None:
        return self.core.next_observation(timeout_s, self.ended)

    def taken(self, timeout_s: float = 0.0) -> tuple[threading.Thread, list[Snapshot | None]]:
        """Take an observation in another thread."""
        found: list[Snapshot | None] = []
        thread = threading.Thread(target=lambda: found.append(self.take(timeout_s)), daemon=True)
        thread.start()
        return thread, found


def test_what_a_grippers_action_reported_stays_when_samples_are_forgotten() -> None:
    tree = yaml.safe_load(BODY.text)
    tree["arms"][0]["gripper"]["command_type"] = "gripper_action"
    for name in ("state", "state_type"):
        tree["arms"][0]["gripper"].pop(name, None)
    body = parse_embodiment(yaml.safe_dump(tree), source="x")
    controller = Controller(body, ControlSettings())
    core = SharedCore(body, controller, lambda: START_NS)
    assert core.unreported_grippers() == ["arm"]
    core.observe_opening(0, 0, 0.25)
    core.reset()
    assert core.unreported_grippers() == []

    robot = Robot(0.0, body=body)  # it reported 1.0; then nothing for long
    robot.core.observe_opening(0, START_NS - 20 * MS, 0.25)
    robot.now_ns += 10_000 * MS
    for step in range(-2, 1):
        robot.pose(robot.now_ns + step * 20 * MS, 0.44)
    robot.images(robot.now_ns)
    found = robot.take()
    assert found is not None
    assert found.observation.proprio[-1] == pytest.approx(0.25)


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
    assert found[0].observation.stamp_ns == START_NS
    assert found[0].observation.proprio[0] == np.float32(0.5)
    assert {image.stamp_ns for image in found[0].images.values()} == {START_NS}


def test_a_sample_from_after_the_image_shows_that_none_is_missing() -> None:
    robot = Robot(LONG_S)
    robot.images(START_NS)
    robot.opening(START_NS + MS)
    thread, found = robot.taken()
    thread.join(0.05)
    assert not found
    robot.pose(START_NS + MS, 0.46)
    thread.join(LONG_S)
    assert found[0].observation.proprio[0] == np.float32(0.44)


def test_nothing_is_waited_for_between_two_samples() -> None:
    robot = Robot(LONG_S)
    robot.images(START_NS - 10 * MS)
    taken = robot.take()
    assert taken is not None
    assert taken.observation.proprio[0] == np.float32(0.44)


@pytest.mark.parametrize("wait_s", [0.0, 0.1])
def test_a_stalled_stream_holds_an_inference_up_no_longer_than_it_may(wait_s: float) -> None:
    robot = Robot(wait_s)
    robot.images(START_NS)
    start = time.monotonic()
    taken = robot.take()
    assert wait_s <= time.monotonic() - start < wait_s + LONG_S / 2
    assert taken is not None
    assert taken.observation.proprio[0] == np.float32(0.44)
    assert robot.controller.policy.busy


def test_goals_go_on_while_an_inference_waits() -> None:
    robot = Robot(LONG_S)
    robot.image("primary", START_NS)
    thread, found = robot.taken()
    for _ in range(10):
        assert robot.core.tick().arms[0].goal is not None
    assert not found
    robot.ended.set()
    robot.core.interrupt()
    thread.join(LONG_S)
    assert found == [None]


def test_an_inference_that_nobody_wants_any_more_is_not_begun() -> None:
    robot = Robot(LONG_S)
    robot.image("primary", START_NS)
    thread, found = robot.taken()
    thread.join(0.05)
    assert robot.core.stop()
    thread.join(LONG_S)
    assert found == [None]
    assert not robot.controller.policy.busy


def test_an_image_is_taken_once() -> None:
    robot = Robot(0.0)
    assert robot.take() is not None
    robot.core.policy_failed(None)
    assert robot.take() is None
    robot.image("primary", START_NS)
    assert robot.take() is not None


def test_an_arriving_image_wakes_who_waits_for_it_while_no_goal_loop_ticks() -> None:
    robot = Robot(0.0)
    assert robot.take() is not None
    robot.core.policy_failed(None)
    thread, found = robot.taken(LONG_S)
    robot.image("wrist", START_NS)
    thread.join(0.1)
    assert not found
    robot.image("primary", START_NS)
    thread.join(LONG_S / 2)
    assert found[0].observation.stamp_ns == START_NS


def test_what_makes_an_inference_wanted_wakes_who_waits_for_one() -> None:
    robot = Robot(0.0)
    robot.core.stop()
    thread, found = robot.taken(LONG_S)
    thread.join(0.05)
    assert robot.core.start() is None
    robot.core.tick()
    thread.join(LONG_S / 2)
    assert found[0] is not None


def test_an_image_from_a_while_ago_is_used_when_no_newer_one_comes() -> None:
    robot = Robot(0.0, fresh_wait_s=0.1)  # its images came before an inference was wanted
    robot.now_ns += 11 * MS
    start = time.monotonic()
    assert robot.take() is not None
    assert 0.1 <= time.monotonic() - start < LONG_S / 2
    robot = Robot(0.0, fresh_wait_s=LONG_S)
    robot.now_ns += 11 * MS
    thread, found = robot.taken()
    thread.join(0.05)
    assert not found
    robot.images(START_NS)
    thread.join(LONG_S / 2)
    assert found[0].observation.stamp_ns == START_NS


def test_an_awaited_image_is_fresh_however_late_its_thread_gets_to_run() -> None:
    robot = Robot(0.0, fresh_wait_s=LONG_S)
    robot.images(START_NS)
    robot.now_ns += 11 * MS  # the machine was busy
    start = time.monotonic()
    assert robot.take() is not None
    assert time.monotonic() - start < LONG_S / 2


def test_nobody_spins_on_an_image_that_is_wanted_no_more() -> None:
    robot = Robot(0.0)
    robot.images(START_NS)
    robot.core.stop()
    start = time.monotonic()
    assert [robot.take(0.05) for _ in range(3)] == [None] * 3
    assert time.monotonic() - start >= 0.1


def test_an_observation_has_every_camera() -> None:
    robot = Robot(0.0)
    robot.core.reset()
    robot.opening(START_NS)
    robot.image("primary", START_NS)
    assert robot.core.start() is None
    assert robot.take() is None
    robot.image("wrist", START_NS)
    assert set(robot.take().images) == set(BODY.cameras)


def test_an_image_older_than_the_first_gripper_sample_is_waited_out_then_named() -> None:
    """The gripper's stream begins a moment after the camera's: no failure of the policy."""
    robot = Robot(0.0)
    robot.core.reset()
    robot.images(START_NS)
    robot.opening(START_NS + MS)
    assert robot.core.start() is None
    assert robot.take() is None
    assert robot.controller.policy.failure is None
    for _ in range(18):
        robot.images(START_NS)
        assert robot.take() is None
    assert robot.take() is None  # the same image once more counts for nothing
    assert robot.controller.policy.failure is None
    robot.images(START_NS)
    assert robot.take() is None
    assert robot.controller.policy.failure.reason is Reason.GRIPPER_MISSING
    robot.now_ns += 500 * MS  # until it is asked again
    robot.pose(robot.now_ns, 0.5)
    robot.opening(robot.now_ns)
    robot.images(robot.now_ns)
    assert robot.take() is not None


def test_two_publishers_are_a_conflict_and_a_restarted_one_is_none() -> None:
    robot = Robot(0.0)
    for sequence in (7, 8, 9, 1, 2, 3):
        robot.core.observe_image("primary", RawImage(START_NS, START_NS, b"", sequence))
    assert robot.core.tick().finding.reason is not Reason.CAMERA_CONFLICT
    for sequence in (10, 4, 11, 5, 12):
        robot.core.observe_image("primary", RawImage(START_NS, START_NS, b"", sequence))
    assert robot.core.tick().finding.reason is Reason.CAMERA_CONFLICT
    assert robot.core.status().lost["primary"] > 0


def test_a_dead_policy_restarts_once_and_no_tick_says_otherwise_afterwards() -> None:
    alive = [False]
    core = SharedCore(
        BODY, Controller(BODY, ControlSettings()), lambda: START_NS, policy_alive=lambda: alive[0]
    )
    assert core.tick().finding.reason is not Reason.MOVING
    blocked = {Reason.POLICY_RESTARTING}
    assert core._controller.policy.restarting
    alive[0] = True
    core.policy_restarting(restarting=False)
    assert core.tick().finding.reason not in blocked
    assert not core._controller.policy.restarting


def test_the_lock_and_the_controller_are_seen_by_the_shared_core_alone(root) -> None:
    """Who else took the lock, or reached through the core, would have to know all its rules."""
    private = {"lock", "_lock", "controller", "_controller"}
    found = [
        f"{path.name}:{node.lineno} {node.attr}"
        for path in sorted((root / "evla_ros" / "ros" / "policy").glob("*.py"))
        if path.name != "shared_core.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in private
    ]
    assert found == []
