# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Policies without a model, and those that misbehave on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.layout import columns_of_arms
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.fault_injection import BrokenPolicy, RaisingPolicy, SlowPolicy
from evla_ros.policy.fixed import HoldPolicy, ReplayPolicy, ScriptedPolicy
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.policy.types import Observation

ARM = load_embodiment("tabletop_arm")


def seen(stamp_ns: int = 0) -> Observation:
    return Observation(stamp_ns, {}, np.zeros(8, np.float32), "go")


def test_hold_moves_nothing_and_switches_no_gripper() -> None:
    actions = HoldPolicy(8, columns_of_arms(2), None).infer(seen()).actions
    assert actions.shape == (8, 14)
    assert set(actions[:, [6, 13]].ravel()) == {0.5}
    assert not np.delete(actions, [6, 13], axis=1).any()


def test_replay_follows_the_clock_and_ends_still() -> None:
    recorded = np.arange(10 * 7, dtype=float).reshape(10, 7)
    policy = ReplayPolicy(recorded, 4, 100_000_000, columns_of_arms(1))
    np.testing.assert_array_equal(policy.infer(seen(10**9)).actions, recorded[:4])
    np.testing.assert_array_equal(policy.infer(seen(10**9 + 290_000_000)).actions, recorded[3:7])
    tail = policy.infer(seen(10**9 + 800_000_000)).actions
    np.testing.assert_array_equal(tail[:2], recorded[8:])
    np.testing.assert_array_equal(tail[2:, :6], 0)
    assert set(tail[2:, 6]) == {recorded[-1, 6]}
    policy.reset()
    np.testing.assert_array_equal(policy.infer(seen(5 * 10**9)).actions, recorded[:4])


def test_replay_of_nothing_is_refused() -> None:
    with pytest.raises(PolicyError, match="no actions"):
        ReplayPolicy(np.zeros((0, 7)), 8, 1, columns_of_arms(1))


def test_wrappers_wrap() -> None:
    still = HoldPolicy(8, columns_of_arms(1), None)
    assert SlowPolicy(still, 0.001).infer(seen(3)).observation_stamp_ns == 3
    raising = RaisingPolicy(still, after=1, times=1)
    raising.infer(seen())
    with pytest.raises(PolicyError, match="call 2"):
        raising.infer(seen())
    raising.infer(seen())
    assert np.isnan(BrokenPolicy(still, "nan").infer(seen()).actions).all()
    assert BrokenPolicy(still, "shape").infer(seen()).actions.shape == (8, 6)
    assert np.abs(BrokenPolicy(still, "huge").infer(seen()).actions).min() == 1e30
    assert (BrokenPolicy(still, "extremes").infer(seen()).actions[:2, 0] == [1, -1]).all()
    assert (raising.chunk_length, raising.action_dim, raising.embodiment_hash) == (8, 7, "")


def test_a_spec_survives_the_way_to_another_process() -> None:
    spec = PolicySpec("hold", ARM.text, faults={"slow": {"delay_s": 0.0}})
    assert PolicySpec.from_json(spec.to_json()) == spec
    assert build_policy(spec).infer(seen()).actions.shape == (8, 7)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (PolicySpec("hodl", ARM.text), "did you mean 'hold'"),
        (PolicySpec("scripted", ARM.text, "evla_ros.nothing:here"), "no function or class"),
        (PolicySpec("scripted", ARM.text, "fractions:Fraction"), "Fraction could not be made for"),
        (
            PolicySpec("scripted", ARM.text, "builtins:str"),
            "str is no policy: it lacks embodiment_",
        ),
        (PolicySpec("scripted", ARM.text, "math"), "no function"),
        (PolicySpec("replay", ARM.text, "/nowhere.npy"), "/nowhere.npy"),
    ],
)
def test_what_cannot_be_built_is_said_in_one_sentence(spec: PolicySpec, said: str) -> None:
    with pytest.raises(PolicyError, match=said) as caught:
        build_policy(spec)
    assert "\n" not in str(caught.value)


def test_a_policy_of_another_size_or_robot_is_refused() -> None:
    from evla_ros.policy import spec as module

    def other(size: int, digest: str) -> None:
        policy = ScriptedPolicy(lambda _: np.zeros((8, size)), 8, size, digest)
        module._check_sizes(policy, ARM)

    with pytest.raises(PolicyError, match="8 x 14"):
        other(14, "")
    with pytest.raises(PolicyError, match="abcdef"):
        other(7, "abcdef")
    other(7, ARM.content_hash)


def test_a_replay_file_is_played(tmp_path) -> None:
    np.save(tmp_path / "actions.npy", np.full((3, 7), 0.01))
    policy = build_policy(PolicySpec("replay", ARM.text, str(tmp_path / "actions.npy")))
    assert policy.infer(seen()).actions[:, 0].tolist() == [0.01] * 3 + [0.0] * 5
