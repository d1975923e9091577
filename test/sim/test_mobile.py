# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The mobile manipulator: it drives as it is told, stops in silence, and its poses ride along."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.control.settings import ControlSettings
from evla_ros.demo.rehearsal import rehearse, with_pauses
from evla_ros.embodiment import action_columns, load_embodiment
from evla_ros.geometry import distance
from evla_ros.policy.path import PathPolicy
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.sim.errors import SimError
from evla_ros.sim.evaluation.closed_loop import ClosedLoop
from evla_ros.sim.scenes.mobile import TABLES
from evla_ros.sim.world import World
from evla_ros.sim.worlds import make_world


def drive(world: World, velocity: list[float], seconds: float) -> None:
    for _ in range(round(seconds / 0.1)):
        world.command_base(np.array(velocity))
        world.step(0.1)


def test_the_base_goes_where_its_velocity_leads(mobile: World) -> None:
    mobile.reset(0, "open")
    x, y, yaw = mobile.base.place(mobile.data)
    drive(mobile, [0.3, 0.0, 0.0], 2.0)
    np.testing.assert_allclose(mobile.base.velocity(mobile.data), [0.3, 0.0, 0.0], atol=0.01)
    ahead = mobile.base.place(mobile.data) - [x, y, yaw]
    way = np.array([np.cos(yaw), np.sin(yaw)]) @ ahead[:2]
    assert way == pytest.approx(0.3 * 2.0 - 0.3**2 / 2, abs=0.02)
    drive(mobile, [0.0, 0.0, 0.5], 2.0)
    assert mobile.base.velocity(mobile.data)[2] == pytest.approx(0.5, abs=0.02)


def test_silence_stops_the_base_after_its_timeout(mobile: World) -> None:
    mobile.reset(0, "open")
    drive(mobile, [0.0, 0.4, 0.0], 1.0)
    mobile.step(1.2)
    np.testing.assert_allclose(mobile.base.velocity(mobile.data), 0.0, atol=0.01)


def test_the_tool_keeps_its_pose_while_robot_and_lift_move(mobile: World) -> None:
    """Poses are in the frame that rides on the lift, so nothing moves the arm but its own goals."""
    mobile.reset(0, "open")
    before = mobile.arms[0].pose(mobile.data)
    mobile.command_axis(0, 0.35)
    drive(mobile, [0.2, 0.1, 0.6], 3.0)
    metres, radians = distance(before, mobile.arms[0].pose(mobile.data))
    assert metres < 0.015
    assert radians < 0.05
    assert mobile.axes[0].position(mobile.data) == pytest.approx(0.35, abs=0.01)


def test_a_blocked_base_does_not_run_away_when_it_is_free_again(mobile: World) -> None:
    mobile.reset(0, "open")
    drive(mobile, [0.6, 0.0, 0.0], 6.0)
    here = mobile.base.place(mobile.data)[:2]
    assert here[0] < 1.37 - 0.24 + 0.01
    drive(mobile, [0.0, 0.0, 0.0], 0.5)
    assert np.hypot(*(mobile.base.place(mobile.data)[:2] - here)) < 0.06


def test_what_is_not_finite_is_refused(mobile: World) -> None:
    mobile.reset(0, "open")
    assert not mobile.command_base(np.array([np.nan, 0.0, 0.0]))
    assert not mobile.command_axis(0, np.inf)
    assert not mobile.apply(np.full(11, np.nan))
    assert mobile.rejected_commands == 3


def test_a_saved_state_is_the_whole_state(mobile: World) -> None:
    mobile.reset(5, "fetch")
    drive(mobile, [0.3, 0.0, 0.4], 1.0)
    state = mobile.save_state()

    def go() -> np.ndarray:
        mobile.step(0.5)
        drive(mobile, [-0.1, 0.2, 0.0], 0.5)
        return mobile.data.qpos.copy()

    first = go()
    mobile.load_state(state)
    np.testing.assert_array_equal(first, go())


def test_proprio_is_in_the_layout_of_the_file(mobile: World) -> None:
    mobile.reset(1, "bin")
    proprio = mobile.proprio()
    np.testing.assert_allclose(proprio[11:14], mobile.base.place(mobile.data), atol=1e-6)
    assert proprio[14] == pytest.approx(mobile.axes[0].position(mobile.data))


def test_where_a_block_is_to_be_taken_from_it_lies(mobile: World) -> None:
    for seed in range(20):
        for family, table in (("fetch", "far"), ("bin", "near")):
            task = mobile.reset(seed, family)
            block = mobile.scene.block(mobile.data, task.slots[0])
            assert mobile.scene.table_of(block) == table
            assert block[2] == pytest.approx(TABLES[table].top_m + 0.0225, abs=0.003)


@pytest.mark.parametrize("family", ["fetch", "bin", "open"])
def test_the_path_of_a_rehearsal_solves_its_task_through_the_control_core(mobile, family) -> None:
    rehearsal = rehearse(mobile, family, 11)
    mobile.reset(11, rehearsal.instruction)
    policy = PathPolicy(rehearsal.path, mobile.embodiment)
    loop = ClosedLoop(mobile, policy, ControlSettings(), sees_images=False, charge_inference=False)
    assert loop.start(rehearsal.instruction) is None
    for _ in range(40 * 50):
        assert loop.step(), loop.controller.last_stop
        if mobile.succeeded():
            return
    pytest.fail(f"not solved: {loop.holds} {loop.clipped()}")


def test_pauses_stand_before_and_after_a_switch_of_the_gripper() -> None:
    path = np.zeros((4, 8))
    path[:, 0], path[2:, 7] = [0, 1, 2, 3], 1.0
    paused = with_pauses(path, [7])
    assert paused[:, 0].tolist() == [0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3]
    assert paused[:, 7].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]


def test_hold_keeps_the_axes_where_they_are(mobile: World) -> None:
    mobile.reset(2, "open")
    policy = build_policy(PolicySpec("hold", mobile.embodiment.text))
    actions = policy.infer(mobile.observe("stay")).actions
    columns = action_columns(mobile.embodiment)
    assert not actions[:, columns.base].any()
    assert actions[:, columns.axes[0]] == pytest.approx(mobile.axes[0].position(mobile.data))


def test_a_robot_without_a_base_is_not_its_robot() -> None:
    with pytest.raises(SimError, match="arms|cameras|base"):
        make_world("mobile_manipulator", load_embodiment("tabletop_arm"))
