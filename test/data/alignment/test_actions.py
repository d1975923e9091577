# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Derived actions replay the motion, never wrap, and idle steps are only those without motion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from evla_ros.data.alignment.actions import ArmTrack, arm_actions, neutral_action
from evla_ros.data.alignment.idle import idle_mask, keep_mask
from evla_ros.data.alignment.observation import ObservationError, proprio_vector
from evla_ros.data.alignment.tf_poses import TfPoses
from evla_ros.data.messages import Header, Transform
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry.delta import apply_delta
from evla_ros.geometry.pose import Pose, distance


def path(seed, count=40, start_rpy=(0.0, 0.0, 0.0)):
    random = np.random.default_rng(seed)
    turn = Rotation.from_euler("xyz", start_rpy)
    position = random.uniform(-0.5, 0.5, 3)
    poses = []
    for _ in range(count):
        poses.append(Pose(position, turn.as_quat()))
        position = position + random.normal(0, 0.01, 3)
        turn = Rotation.from_rotvec(random.normal(0, 0.03, 3)) * turn
    return poses


def track(poses, goals=None, commands=None, openings=None):
    n = len(poses)
    return ArmTrack(
        poses,
        goals or [None] * n,
        np.ones(n) if openings is None else openings,
        np.full(n, np.nan) if commands is None else commands,
    )


starts = st.sampled_from(
    [(0, 0, 0), (np.pi, 0, 0), (0, np.pi / 2, 0), (3.1, 1.55, -3.1), (np.pi, 1.48, np.pi)]
)


@given(seed=st.integers(0, 10_000), start=starts, source=st.sampled_from(["achieved", "commanded"]))
@settings(max_examples=60, deadline=None)
def test_applying_the_actions_gives_the_path_back(seed, start, source):
    poses = path(seed, start_rpy=start)
    given_track = track(poses) if source == "achieved" else track(path(1), goals=poses)
    actions = arm_actions(given_track, source)
    assert actions.shape == (39, 7)
    at = poses[0]
    for action, expected in zip(actions, poses[1:], strict=True):
        at = apply_delta(at, action[:6])
        metres, radians = distance(at, expected)
        assert metres < 1e-9
        assert radians < 1e-6


@given(seed=st.integers(0, 10_000), start=starts)
@settings(max_examples=40, deadline=None)
def test_rotation_deltas_are_as_small_as_the_motion_even_at_the_wrap(seed, start):
    actions = arm_actions(track(path(seed, start_rpy=start)), "achieved")
    assert np.abs(actions[:, 3:6]).max() < 0.2  # naive Euler differences reach 6.28 here


def test_difference_of_euler_triples_would_have_failed_here():
    worst = []
    for seed in range(5):
        poses = path(seed, start_rpy=(np.pi, 0, 0))
        euler = np.array([Rotation.from_quat(p.quaternion_xyzw).as_euler("xyz") for p in poses])
        worst.append(np.abs(np.diff(euler, axis=0)).max())
        assert np.abs(arm_actions(track(poses), "achieved")[:, 3:6]).max() < 0.2
    assert max(worst) > 6.0


def test_silent_goals_mean_the_measured_pose():
    poses, goals = path(1, 5), path(2, 5)
    mixed = [None, goals[1], goals[2], None, None]
    actions = arm_actions(track(poses, mixed), "commanded")
    expected = [goals[1], goals[2], poses[3], poses[4]]
    starts_at = [poses[0], goals[1], goals[2], poses[3]]
    for action, start, end in zip(actions, starts_at, expected, strict=True):
        np.testing.assert_allclose(action[:3], end.position_m - start.position_m, atol=1e-12)


def test_gripper_is_the_absolute_command_at_the_end_of_the_tick():
    commands = np.array([np.nan, np.nan, 0.0, 0.0, 1.3])
    openings = np.array([0.9, 0.95, 0.9, 0.3, 0.1])
    actions = arm_actions(track(path(1, 5), commands=commands, openings=openings), "achieved")
    assert actions[:, 6].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_neutral_action_holds_every_gripper():
    last = np.arange(14.0)
    neutral = neutral_action(last)
    assert neutral[[6, 13]].tolist() == [6.0, 13.0]
    assert np.count_nonzero(neutral) == 2


@pytest.mark.parametrize("arms", [1, 2])
def test_idle_needs_all_arms_and_grippers_still(arms):
    actions = np.zeros((6, 7 * arms))
    actions[:, 6::7] = 1.0
    actions[1, 0] = 2e-4
    actions[3:, 7 * arms - 1] = 0.0  # the last arm's gripper closes at step 3
    moved = np.zeros((6, arms, 2))
    openings = np.ones((7, arms))
    openings[4:, -1] = [0.5, 0.0, 0.0]  # and its fingers move in steps 3 and 4
    idle = idle_mask(actions, moved, openings)
    assert idle.tolist() == [True, False, True, False, False, True]
    assert keep_mask(idle, "all").tolist() == [False, True, False, True, True, False]
    assert keep_mask(idle, "ends").tolist() == [False, True, True, True, True, False]
    assert keep_mask(idle, "keep").all()


def test_robot_that_still_moves_is_not_idle():
    actions = np.zeros((3, 7))
    moved = np.array([[[0.0, 0.0]], [[0.002, 0.0]], [[0.0, 0.01]]])
    assert idle_mask(actions, moved, np.ones((4, 1))).tolist() == [True, False, False]


def test_proprio_follows_the_layout_and_names_what_is_missing():
    robot = load_embodiment("humanoid_upper_body")
    left, right = path(1, 1)[0], path(2, 1)[0]
    vector = proprio_vector(robot, {"left": left, "right": right}, {"left": 0.25, "right": 1.0})
    expected = np.concatenate([left.as_vector(), right.as_vector(), [0.25, 1.0]])
    np.testing.assert_allclose(vector, expected, atol=1e-6)
    assert vector.dtype == np.float32
    with pytest.raises(ObservationError, match="pose of arm 'right'"):
        proprio_vector(robot, {"left": left}, {"left": 0.25, "right": 1.0})


def edge(parent, child, pose, stamp=0):
    return Transform(Header(stamp, parent), child, pose.position_m, pose.quaternion_xyzw)


def test_tf_chain_is_composed_and_as_old_as_its_oldest_edge():
    from evla_ros.geometry.pose import compose

    a, b, c = path(1, 1)[0], path(2, 1)[0], path(3, 1)[0]
    poses = TfPoses("base", "tool")
    assert poses.push([edge("link2", "tool", c)], static=True) is None
    assert (
        poses.push([edge("base", "link1", a, 100), edge("map", "base", a, 90)], static=False)
        is None
    )
    stamp, pose = poses.push([edge("link1", "link2", b, 80)], static=False)
    assert stamp == 80
    metres, radians = distance(pose, compose(compose(a, b), c))
    assert metres < 1e-12
    assert radians < 1e-9
    assert poses.push([edge("map", "base", a, 200)], static=False) is None  # above the base


@pytest.mark.parametrize(
    ("parent", "child", "said"),
    [
        ("base", "toll", "no frame 'tool' in the transforms; did you mean 'toll'?"),
        ("world", "tool", "no frame 'base' in the transforms; valid names: tool, world"),
        ("tool", "tool", "no frame 'base' in the transforms; valid names: tool"),
    ],
)
def test_a_tf_chain_that_does_not_reach_says_where_it_ends(parent, child, said):
    poses = TfPoses("base", "tool")
    assert poses.push([edge(parent, child, path(1, 1)[0], 100)], static=False) is None
    assert not poses.connected
    assert poses.problem() == said


def test_a_base_beside_the_chain_is_reached_through_the_common_ancestor():
    from evla_ros.geometry.pose import compose, inverse

    up, out, turned = path(1, 1)[0], path(2, 1)[0], path(3, 1)[0]
    poses = TfPoses("base", "tool")
    assert poses.push([edge("base_link", "base", turned)], static=True) is None
    assert poses.push([edge("wrist", "tool", out)], static=True) is None
    assert not poses.connected
    assert poses.problem() == (
        "no transforms connect frame 'tool', which hangs on 'wrist', with 'base', which hangs on "
        "'base_link'"
    )
    stamp, pose = poses.push([edge("base_link", "wrist", up, 50)], static=False)
    metres, radians = distance(pose, compose(inverse(turned), compose(up, out)))
    assert (stamp, round(metres, 12), round(radians, 6)) == (50, 0.0, 0.0)
    assert poses.push([edge("world", "base_link", up, 60)], static=False) is None


def test_a_transform_that_is_not_finite_is_left_out_and_others_still_count():
    good = path(1, 1)[0]
    bad = edge("base", "wheel", good)._replace(translation_m=np.full(3, np.nan))
    poses = TfPoses("base", "tool")
    assert poses.push([bad, edge("base", "tool", good, 10)], static=False) is not None
    assert (poses.dropped, list(poses.bad)) == (1, ["wheel"])
    assert poses.push([bad._replace(child_frame="tool")], static=False) is None
