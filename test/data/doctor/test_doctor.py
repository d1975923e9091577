# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every check of motion finds the fault planted for it, and a healthy dataset has none."""

from __future__ import annotations

import numpy as np
import pytest
from planted import ARM, EPISODES, STEPS, diagnose, edit, only, with_action
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.data.doctor.examine import examine
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import load_embodiment


def test_a_healthy_dataset_has_no_findings(healthy, context):
    assert diagnose(healthy, context, statistics=True) == []
    assert context.arms[0].state_gripper == 7


def test_a_healthy_pair_of_arms_has_no_findings(tmp_path):
    robot = load_embodiment("humanoid_upper_body")
    episodes = [synthetic_episode(i, robot, steps=STEPS) for i in range(6)]
    found = examine(RldsDataset.open(write_synthetic(tmp_path, episodes, robot).path))
    assert [f for f in found.findings if f.severity != "info"] == []
    assert [arm.name for arm in found.context.arms] == ["left", "right"]


def test_real_bridge_data_is_examined(shared):
    found = examine(RldsDataset.open(shared / "data" / "bridge_dataset"))
    errors = [f for f in found.findings if f.severity == "error"]
    assert [(f.where, len(f.episodes)) for f in errors] == [("image_3", 25)]
    assert "black" in errors[0].message
    assert len(found.episodes) == 25
    tracking = [f for f in found.findings if f.check == "tracking"]
    assert "by 0 steps" in tracking[0].message
    assert any("no `val` split" in f.message for f in found.findings)


def test_motionless_spans(healthy, context):
    def pause(action, state):
        action[10:30, :6] = 0
        action[10:30, 6] = action[10, 6]
        return action, state

    found = diagnose(with_action(healthy[:2], pause) + healthy[2:], context)
    finding = only(found, "motion", "warning", "2 of 8 (25 %) episodes pause")
    assert finding.episodes == ("session/episode_000", "session/episode_001")
    still = with_action(healthy[:1], lambda a, s: (a * 0, s * 0 + s[0]))
    only(diagnose(still + healthy[1:], context), "motion", "error", "never move")


def test_dead_and_saturated_numbers(healthy, context):
    def dead(action, state):
        action[:, 4] = 0.0
        return action, state

    only(
        diagnose(with_action(healthy, dead), context), "action", "warning", "arm_dpitch: is always"
    )
    clipped = with_action(healthy, lambda a, s: (np.clip(a, -0.004, 2), s))
    only(diagnose(clipped, context), "action", "warning", "sit exactly at -0.004")


def test_noise_and_rare_motions(healthy, context):
    def hum(action, state):
        action[:, 3] = 1e-6 * np.arange(len(action)) / len(action)
        return action, state

    message = only(
        diagnose(with_action(healthy, hum), context), "action", "warning", "arm_droll: changes by"
    ).message
    assert "noise; it counts as constant" in message

    def still(action, state):
        action[:, 5] = 0.0
        return action, state

    def turn(action, state):
        action[5:7, 5] = 0.15
        return action, state

    none = with_action(healthy, still)
    found = diagnose(with_action(none[:1], turn) + none[1:], context)
    finding = only(found, "action", "warning", "arm_dyaw: is 0 but in 2 of")
    assert "expected for a motion that is rare" in finding.fix


def test_rare_extremes_and_nan(healthy, context):
    def jump(action, state):
        action[5, 0] = 1.5
        return action, state

    found = diagnose(with_action(healthy[:1], jump) + healthy[1:], context)
    finding = only(found, "action", "warning", "arm_dx: reaches")
    assert finding.episodes == ("session/episode_000",)

    def spoil(action, state):
        state[3, 1] = np.inf
        return action, state

    found = diagnose(with_action(healthy[:1], spoil) + healthy[1:], context)
    only(found, "action", "error", "NaN or infinity")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: 1 - g, "opens when the measured gripper closes"),
        (lambda g: 2 * g - 1, "spans -1 .. 1"),
        (lambda g: 0.08 * g + 3, "spans 3 .. 3.08"),
        (lambda g: np.diff(g, prepend=g[0]), "spans -1 .. 0"),
    ],
)
def test_gripper_conventions(healthy, context, change, words):
    def apply(action, state):
        action[:, 6] = change(action[:, 6])
        return action, state

    only(diagnose(with_action(healthy, apply), context), "gripper", "error", words)


def test_a_gripper_that_never_moves(healthy, context):
    def hold(action, state):
        action[:, 6] = 1.0
        return action, state

    found = diagnose(with_action(healthy, hold), context)
    only(found, "gripper", "warning", "never moves")


@pytest.mark.parametrize(("delay", "severity"), [(4, "warning"), (-2, "error")])
def test_the_delay_between_action_and_state(healthy, context, delay, severity):
    def shift(action, state):
        action[:, :6] = np.roll(action[:, :6], -delay, axis=0)
        return action, state

    found = diagnose(with_action(healthy, shift), context)
    only(found, "tracking", severity, f"follows the action by {delay} steps")


def test_action_and_state_that_do_not_belong_together(healthy, context):
    others = [synthetic_episode(i + 50, ARM, steps=STEPS) for i in range(EPISODES)]
    mixed = [
        edit(episode, observations=other.observations)
        for episode, other in zip(healthy, others, strict=True)
    ]
    noise = np.random.default_rng(0)
    mixed = with_action(mixed, lambda a, s: (a * noise.choice([-1, 1], a[:, :1].shape), s))
    found = diagnose(mixed, context)
    only(found, "tracking", "warning", "hardly shows")


def test_units_and_frames(healthy, context):
    millimetres = with_action(healthy, lambda a, s: (a * ([1000] * 3 + [1] * 4), s))
    only(diagnose(millimetres, context), "units", "error", "millimetres")
    degrees = with_action(healthy, lambda a, s: (a * ([1] * 3 + [57.3] * 3 + [1]), s))
    only(diagnose(degrees, context), "units", "error", "degrees")

    def turn(action, state):
        action[:, [0, 1]] = action[:, [1, 0]] * (-1, 1)
        return action, state

    finding = only(diagnose(with_action(healthy, turn), context), "frame", "error", "turned by")
    assert "base_frame" in finding.fix


def test_rotation_wraps_and_quaternions(healthy, context):
    def wrap(action, state):
        action[7, 3] -= 2 * np.pi
        return action, state

    found = diagnose(with_action(healthy[:1], wrap) + healthy[1:], context)
    only(found, "rotation", "error", "nearly 2 pi in 1 of 8")

    def flip(action, state):
        state[20:, 3:7] *= -1
        return action, state

    only(diagnose(with_action(healthy, flip), context), "rotation", "warning", "flips its sign")
    scaled = with_action(healthy, lambda a, s: (a, s * 2))
    only(diagnose(scaled, context), "rotation", "error", "has not length 1")
