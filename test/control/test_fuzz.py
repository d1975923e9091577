# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Adversarial policies, measurements, clocks and operators: no goal leaves its box or its limits.

`python test/control/test_fuzz.py TICKS [SEED]` runs more of the same and prints the report.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
from fuzz_checks import GoalCheck, Report, VelocityCheck, state_problems
from fuzz_world import Arm, Wheels, some_actions

from evla_ros.control.axis_pose import axis_pose, axis_position
from evla_ros.control.controller import Controller
from evla_ros.control.limits import LimitValues
from evla_ros.control.limits.moving_parts import AxisLimitValues, RobotLimits
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import ActionColumns, action_columns, load_embodiment
from evla_ros.geometry import Pose, distance
from evla_ros.policy.types import Chunk

ROBOTS = ("tabletop_arm", "humanoid_upper_body", "mobile_manipulator", "mobile_manipulator")
EPISODE_TICKS = 500
SHORT_TICKS = 12_000
LONG_TICKS = 400_000


class Episode:
    """One robot, some hundred ticks."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.seed, self.report = seed, Report()
        self.body = load_embodiment(str(rng.choice(ROBOTS)))
        self.settings = ControlSettings(
            anchor=rng.choice(["measured", "goal"]),
            resume_within_s=float(rng.choice([0.0, 0.5, 2.0])),
            hold_publish_s=float(rng.choice([0.0, 0.1, 1.0])),
            resume_after_teleop=bool(rng.random() < 0.5),
            executor_lag_s=float(rng.choice([0.0, 0.1])),
            pose_confirm_s=float(rng.choice([0.0, 0.2, 0.5, 0.5])),
            replan_time_left_s=float(rng.choice([0.4, 10.0])),
        )
        self.simulated = bool(rng.random() < 0.3)
        self.control = Controller(self.body, self.settings, simulated_clock=self.simulated)
        self.control.set_instruction("go")
        self.period_s = 1.0 / self.body.goal_rate_hz
        self.own = RobotLimits.of(self.body)
        self.limits = [*self.own.arms, *(axis.on_a_line() for axis in self.own.axes)]
        self.arms = [self._arm(values) for values in self.limits]  # and axes: x alone counts
        for axis in self.arms[len(self.body.arms) :]:
            axis.pose = axis.home = axis_pose(axis_position(axis.pose))
        self.wheels = None if self.body.base is None else Wheels(rng)
        self.wheels_check = VelocityCheck(2 * self.period_s)
        self.last_base: tuple[float, ...] | None = None
        tolerance_m = self.settings.workspace_tolerance_m
        self.checks = [GoalCheck(2 * self.period_s, tolerance_m) for _ in self.arms]
        self.now_ns, self.monotonic_ns = 10**18, 10**12
        self.lies = str(rng.choice(["none", "short", "any"]))
        self.new_limits = False
        self.stamp_ns = [0] * len(self.arms)

    def _arm(self, values: LimitValues) -> Arm:
        low, high = np.array(values.workspace_min_m), np.array(values.workspace_max_m)
        place = self.rng.uniform(low, high)
        if self.rng.random() < 0.1:
            place = high + self.rng.uniform(-0.02, 0.05, 3)  # at or behind its walls
        home = Pose(place, np.array([0.99, 0.02, 0.0, 0.02]))
        lag_s = float(self.rng.choice([0.01, 0.05, 0.1, 0.5, 1e9]))
        return Arm(self.rng, home, home, lag_s)

    def run(self, ticks: int) -> Report:
        for _ in range(40):
            self._sense(self._pass(self.period_s))
        for number in range(ticks):
            self._tick(number)
        return self.report

    def _tick(self, number: int) -> None:
        before = (self.now_ns, self.monotonic_ns)
        passed_s = self._pass(self._duration_s())
        self._meddle()
        self._sense(passed_s)
        self._infer()
        tick = self.control.tick(self.now_ns, self.monotonic_ns)
        real_s = (self.monotonic_ns - before[1]) / 1e9
        dt_s = max(0.0, (self.now_ns - before[0]) / 1e9) if self.simulated else real_s
        problems = state_problems(self.control, tick, self.last_base)
        new, channels = self.new_limits, self.control.parts.lines
        goals = [told.goal for told in tick.arms]
        goals += [None if goal is None else axis_pose(goal) for goal in tick.told.axes]
        lines = zip(self.arms, self.checks, goals, channels, self.limits, strict=True)
        for index, (arm, check, goal, channel, values) in enumerate(lines):
            problems += check.problems(goal, channel.measured, values, dt_s, new=new)
            self._check_truth(problems, index, goal)
            arm.follow(goal, real_s)
        if self.wheels is not None:
            base = self.own.base
            problems += self.wheels_check.problems(tick.told.base, base, dt_s, new=new)
            self.wheels.drive(tick.told.base, real_s)
        self.last_base = tick.told.base
        self.new_limits = False
        self.report.ticks += 1
        self.report.moving += tick.moving
        self.report.held += not tick.told.silent and not tick.moving
        self.report.reasons[tick.finding.reason.name] += 1
        where = f"seed {self.seed} tick {number} {tick.finding.reason.name}"
        self.report.violations += [f"{where}: {problem}" for problem in problems]

    def _check_truth(self, problems: list[str], index: int, goal: Pose | None) -> None:
        """Where nobody lies for long, what is believed is true, and goals stay near the arm."""
        if self.lies == "any" or self.settings.pose_confirm_s < 0.5:
            return
        truth, channel = self.arms[index].pose, self.control.parts.lines[index]
        if goal is not None and distance(goal, truth)[0] > 0.5:
            problems.append(f"goal {distance(goal, truth)[0]:.2f} m from the arm")
        doubted = channel.guard.refusal(self.now_ns) is not None or not channel.guard.confirmed
        if doubted or channel.measured is None:
            return
        metres = distance(channel.measured, truth)[0]
        if self.control.inputs.pose_fresh(index, self.now_ns) and metres > 0.25:
            problems.append(f"a pose {metres:.2f} m from the arm is believed")

    def _pass(self, seconds: float) -> float:
        """Let time pass on both clocks; now and then one of them alone."""
        self.monotonic_ns += round(seconds * 1e9)
        step = self.rng.random()
        if step < 0.002:
            self.now_ns += round(float(self.rng.choice([-3600, -1, -0.3, 0.3, 30, 86400])) * 1e9)
        if not (self.simulated and step > 0.97):
            self.now_ns += round(seconds * 1e9)
        return seconds

    def _duration_s(self) -> float:
        kind = self.rng.random()
        if kind < 0.10:
            return float(10.0 ** self.rng.uniform(-6, -2))  # nudged
        if kind < 0.15:
            return float(self.rng.uniform(0.02, 0.1))  # late
        if kind < 0.155:
            return float(self.rng.uniform(0.1, 6.0))  # suspended
        return self.period_s

    def _sense(self, passed_s: float) -> None:
        control, now_ns = self.control, self.now_ns
        for index, arm in enumerate(self.arms):
            if control.inputs.teleop:
                arm.handle(passed_s, arm.home.position_m)
                if index >= len(self.body.arms):
                    arm.pose = axis_pose(axis_position(arm.pose))
            if self.lies != "none" and arm.kind == "none" and self.rng.random() < 0.01:
                arm.begin_lie(0.15 if self.lies == "short" else 2.0)
            for ahead_s, pose in arm.says(passed_s):
                self.stamp_ns[index] = max(self.stamp_ns[index] + 1, now_ns)
                if self.stamp_ns[index] > now_ns + 10**6:  # the clock went back
                    self.stamp_ns[index] = now_ns
                stamp_ns = self.stamp_ns[index] + round(ahead_s * 1e9)
                self._note(index, stamp_ns, pose)
        if self.wheels is not None:
            self._sense_wheels(passed_s)
        for stream in control.inputs.watchdog.streams.values():
            guarded = stream.name.startswith(("pose", "odometry", "axis"))
            if not guarded and self.rng.random() > 0.02:
                stream.note(now_ns, now_ns)

    def _note(self, line: int, stamp_ns: int, pose: Pose) -> None:
        arms = len(self.body.arms)
        if line < arms:
            self.control.note_pose(line, stamp_ns, pose, self.now_ns)
        else:
            position = axis_position(pose)
            self.control.note_axis(line - arms, stamp_ns, position, self.now_ns)

    def _sense_wheels(self, passed_s: float) -> None:
        wheels = self.wheels
        if self.lies != "none" and wheels.arm.kind == "none" and self.rng.random() < 0.01:
            wheels.arm.begin_lie(0.15 if self.lies == "short" else 2.0)
        for ahead_s, pose in wheels.arm.says(passed_s):
            stamp_ns = self.now_ns + round(ahead_s * 1e9)
            self.control.note_odometry(stamp_ns, pose, wheels.says(), self.now_ns)

    def _infer(self) -> None:
        control, rng = self.control, self.rng
        if not control.wants_inference(self.now_ns) or rng.random() < 0.2:
            return
        control.policy.begin(self.now_ns)
        if rng.random() < 0.05:
            control.policy.failed(Finding(Reason.POLICY_FAILED, "raised"), self.now_ns)
            return
        action = self.body.action
        columns = action_columns(self.body)
        actions = some_actions(rng, action.chunk, columns.size)
        if actions.shape[1] == columns.size and rng.random() < 0.7 and np.isfinite(actions).all():
            self._drive(actions, columns)
        late_ns = round(float(rng.choice([0.0, 0.0, 0.1, 0.5, 2.0])) * 1e9)
        epoch = control.epoch - int(rng.random() < 0.05)
        control.accept(Chunk(self.now_ns - late_ns, actions, 10**6), epoch, self.now_ns)

    def _drive(self, actions: np.ndarray, columns: ActionColumns) -> None:
        """Let base and axes do what they are made for, or more than they can."""
        rng = self.rng
        if columns.base is not None:
            actions[:, columns.base] = rng.uniform(-1.0, 1.0, 3) * rng.choice([0.3, 1.0, 50.0])
        for column, values in zip(columns.axes, self.own.axes, strict=True):
            span = values.max - values.min
            way = rng.uniform(values.min - 0.2 * span, values.max + 0.2 * span, 2)
            actions[:, column] = np.linspace(*way, len(actions))

    def _meddle(self) -> None:
        """Let operator, graph, cameras and parameters do as they like."""
        control, rng, now_ns = self.control, self.rng, self.now_ns
        if not control.started and rng.random() < 0.2:
            control.start(now_ns)
        event = rng.integers(0, 600)
        if event == 0:
            control.stop(now_ns)
        elif event == 1:
            control.inputs.set_estop(True, now_ns)
        elif event == 2:
            control.set_instruction(str(rng.choice(["go", "stay", ""])))
        elif event == 3:
            control.inputs.graph.set_listeners("goal", int(rng.integers(0, 2)))
        elif event == 4:
            control.inputs.cameras["primary"].reject("garbage", now_ns)
        elif event == 5 and rng.random() < 0.3:
            self._tighten()
        elif event in (6, 7):
            control.inputs.set_teleop(True)
        elif event < 30:
            control.inputs.set_teleop(False)
            control.inputs.set_estop(False, now_ns)
            control.inputs.reset_estop()
            control.inputs.graph.set_listeners("goal", 1)
            control.set_instruction("go")

    def _tighten(self) -> None:
        share = self.rng.uniform(0.0, 0.1, 2)
        slower = {name: float(self.rng.uniform(0.3, 1.0)) for name in ("speed", "acceleration")}
        arms = []
        for values in self.own.arms:
            low, high = np.array(values.workspace_min_m), np.array(values.workspace_max_m)
            corners = low + share[0] * (high - low), high - share[1] * (high - low)
            changes = {
                "workspace_min_m": tuple(corners[0].tolist()),
                "workspace_max_m": tuple(corners[1].tolist()),
                "max_speed_m_s": values.max_speed_m_s * slower["speed"],
                "max_acceleration_m_s2": values.max_acceleration_m_s2 * slower["acceleration"],
            }
            arms.append(values.tightened(changes))
        axes = [self._tighter_axis(axis, share, slower) for axis in self.own.axes]
        base = self.own.base
        if base is not None:
            speed = {"max_speed_m_s": base.max_speed_m_s * slower["speed"]}
            base = base.tightened(speed | {"max_rotation_rad_s": base.max_rotation_rad_s * 0.9})
        self.own = RobotLimits(arms, base, axes)
        self.limits = [*arms, *(axis.on_a_line() for axis in axes)]
        self.control.parts.set_limits(self.own)
        self.new_limits = True

    @staticmethod
    def _tighter_axis(
        axis: AxisLimitValues, share: np.ndarray, slower: dict[str, float]
    ) -> AxisLimitValues:
        span = axis.max - axis.min
        changes = {"min": axis.min + share[0] * span, "max": axis.max - share[1] * span}
        return axis.tightened(changes | {"max_speed": axis.max_speed * slower["speed"]})


def fuzz(ticks: int, first_seed: int) -> Report:
    """Play episodes until there are that many ticks."""
    report, seed = Report(), first_seed
    while report.ticks < ticks:
        report.add(Episode(seed).run(min(EPISODE_TICKS, ticks - report.ticks)))
        seed += 1
    return report


def assert_clean(report: Report) -> None:
    assert not report.violations, "\n".join([str(report), *report.violations[:20]])
    assert report.moving > report.ticks / 10
    assert report.held > report.ticks / 20
    assert len(report.reasons) > 15


def test_nothing_gets_past_the_limits() -> None:
    assert_clean(fuzz(SHORT_TICKS, first_seed=0))


@pytest.mark.soak
def test_nothing_gets_past_the_limits_for_hours_of_robot_time() -> None:
    report = fuzz(LONG_TICKS, first_seed=1_000)
    print(report)
    assert_clean(report)


if __name__ == "__main__":
    result = fuzz(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(result)
    print("\n".join(result.violations[:50]))
