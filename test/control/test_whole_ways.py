# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An arm that is told whole ways: each keeps every limit by itself, from where the arm is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import yaml
from control_rig import Rig

from evla_ros.control.limits import LimitValues
from evla_ros.control.limits.moving_parts import RobotLimits
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import Pose, TimedPose, distance, pose_on_way
from evla_ros.policy.types import Chunk

S = 1_000_000_000


class Follower(Rig):
    """A robot whose arms follow the ways that they are told, `share` of their speed."""

    def __post_init__(self) -> None:
        self.ways: list[tuple[int, Pose, tuple[TimedPose, ...]]] = []
        self.share = 1.0
        super().__post_init__()

    def sense(self) -> None:
        if self.ways:
            begun_ns, start, way = self.ways[-1]
            passed = round((self.now_ns - begun_ns) * self.share)
            self.measured[0] = pose_on_way(start, way, passed)
        super().sense()

    def step(self, policy=None, ns=20_000_000):
        told = super().step(policy, ns)
        if told.arms[0].way:
            self.ways.append((self.now_ns, self.measured[0], told.arms[0].way))
        return told


@pytest.fixture
def make(tmp_path):
    def build(rate_hz: float = 10.0, goal_rate_hz: float = 50.0, chunk: int = 8, **limits):
        tree = yaml.safe_load(load_embodiment("tabletop_arm").text)
        tree.update(rate_hz=rate_hz, goal_rate_hz=goal_rate_hz)
        tree["action"]["chunk"] = chunk
        own = tree["arms"][0]["limits"]
        own["max_step_m"] = min(own["max_step_m"], own["max_speed_m_s"] / rate_hz)
        own["max_step_rad"] = min(own["max_step_rad"], own["max_rotation_rad_s"] / rate_hz)
        own.update(limits)
        tree["arms"][0]["goal"]["executor"] = "cartesian_trajectory"
        file = tmp_path / f"{rate_hz}-{goal_rate_hz}.yaml"
        file.write_text(yaml.safe_dump(tree), encoding="utf-8")
        rig = Follower(name=str(file))
        rig.follow = 0.0
        rig.start()
        return rig

    return build


def chunk(rig: Rig, *numbers: float) -> np.ndarray:
    row = [*numbers, *[0.0] * (6 - len(numbers)), 1.0]
    return np.tile(np.array(row), (rig.embodiment.action.chunk, 1))


def check(rig: Rig, start: Pose, way: tuple[TimedPose, ...]) -> None:
    """Every waypoint after the last, inside the box, no faster than the limits."""
    values = LimitValues.of(rig.embodiment.arms[0].limits)
    low, high = np.array(values.workspace_min_m), np.array(values.workspace_max_m)
    for before, after in pairwise([TimedPose(0, start), *way]):
        assert after.after_ns > before.after_ns
        seconds = (after.after_ns - before.after_ns) / S
        metres, radians = distance(before.pose, after.pose)
        assert metres <= values.max_speed_m_s * seconds * (1 + 1e-6)
        assert radians <= values.max_rotation_rad_s * seconds * (1 + 1e-6)
        assert np.all(after.pose.position_m >= low - 1e-9)
        assert np.all(after.pose.position_m <= high + 1e-9)


@pytest.mark.parametrize(
    ("rate_hz", "goal_rate_hz"),
    [(1.0, 20.0), (5.0, 500.0), (7.3, 31.0), (30.0, 30.0), (60.0, 60.0)],
)
@pytest.mark.parametrize("action", [(0.3, 0.2, -0.4), (-1.0,), (0, 0, 0, 2.0, 1.0, -1.0)])
def test_every_way_keeps_the_limits_at_any_rate(make, rate_hz, goal_rate_hz, action):
    rig = make(rate_hz, goal_rate_hz)
    rig.run(lambda: chunk(rig, *action), 60)
    followed = [w for w in rig.ways if len(w[2]) > 1]
    assert followed, "no chunk was told"
    for _, start, way in rig.ways:
        check(rig, start, way)


def test_a_chunk_is_told_once_and_whole(make):
    rig = make()
    rig.run(None, 10)
    asked = iter([chunk(rig, 0.01)])
    told = rig.run(lambda: next(asked), 12)
    ways = [tick.arms[0].way for tick in told if tick.moving and tick.arms[0].way]
    assert len(ways) == 1
    spaces = {after.after_ns - before.after_ns for before, after in pairwise(ways[0])}
    assert spaces == {S // 10}  # a waypoint for every action, and then until it rests
    assert len(ways[0]) >= rig.embodiment.action.chunk
    end = ways[0][-1].pose.position_m - rig.home.position_m
    np.testing.assert_allclose(end, [0.08, 0, 0], atol=2e-3)


def test_late_actions_are_left_out(make):
    rig = make()
    rig.run(None, 10)
    late = chunk(rig, 0.01)
    rig.controller.policy.begin(rig.now_ns)
    asked_ns, epoch = rig.now_ns, rig.controller.epoch
    rig.run(None, 17)  # 0.34 s: three actions are over
    taken = rig.controller.accept(Chunk(asked_ns, late, 1_000_000), epoch, rig.now_ns)
    assert taken.late_rows == 3
    way = rig.step().arms[0].way
    assert way[0].after_ns == 40_000_000  # the fourth ends 0.4 s after the image; now is 0.36 s
    check(rig, rig.measured[0], way)


def test_a_new_chunk_begins_where_the_arm_is(make):
    rig = make()
    rig.share = 0.5  # an arm that cannot keep up
    rig.run(lambda: chunk(rig, 0.02), 60)
    moves = [w for w in rig.ways if len(w[2]) > 4]
    assert len(moves) > 2
    for _, start, way in moves:
        check(rig, start, way)


@pytest.mark.parametrize("how", ["stop", "estop", "camera", "pose"])
def test_whatever_ends_motion_tells_the_way_to_the_measured_pose(make, how):
    rig = make()
    rig.run(lambda: chunk(rig, 0.02), 40)
    assert rig.ticks[-1].moving
    count = len(rig.ways)
    if how == "stop":
        rig.controller.stop(rig.now_ns)
    elif how == "estop":
        rig.controller.inputs.set_estop(True, rig.now_ns)
    elif how == "camera":
        rig.cameras_on = False
    else:
        rig.poses_on = False
    rig.run(None, 100)
    holds = rig.ways[count:]
    assert holds
    targets = [way[-1].pose for _, _, way in holds]
    assert all(distance(target, targets[0])[0] < 1e-3 for target in targets)  # latched
    assert any(distance(targets[0], pose)[0] < 2e-3 for pose in rig.reported[0])
    for _, start, way in holds:
        check(rig, start, way)
    assert distance(rig.measured[0], targets[0])[0] < 2e-3


def test_a_hold_is_told_again_until_silence_and_silence_tells_nothing(make):
    rig = make()
    rig.run(lambda: chunk(rig, 0.02), 40)
    rig.controller.stop(rig.now_ns)
    told = rig.run(None, 150)
    stamps = [tick.now_ns for tick in told if tick.arms[0].way]
    assert len(stamps) > 3
    assert all(S // 10 <= b - a <= S // 5 for a, b in pairwise(stamps))
    assert told[-1].arms[0].goal is None
    assert not told[-1].arms[0].way


def test_tightened_limits_tell_the_rest_anew(make):
    rig = make()
    rig.run(None, 10)
    asked = iter([chunk(rig, 0.02)])
    rig.run(lambda: next(asked), 8)
    count, own = len(rig.ways), RobotLimits.of(rig.embodiment)
    slow = replace(own.arms[0], max_speed_m_s=0.05)
    rig.controller.parts.set_limits(own._replace(arms=(slow,)) if hasattr(own, "_replace")
                                    else replace(own, arms=(slow,)))  # fmt: skip
    way = rig.step().arms[0].way
    assert len(rig.ways) == count + 1
    for before, after in pairwise(way):
        seconds = (after.after_ns - before.after_ns) / S
        assert distance(before.pose, after.pose)[0] <= 0.05 * seconds * (1 + 1e-6)


def test_an_arm_told_poses_is_told_no_way():
    rig = Rig()
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 30)
    assert all(not tick.arms[0].way for tick in rig.ticks)
