# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes on by itself and what waits for a start: gaps, faults that flap, clocks that stand."""

from __future__ import annotations

import numpy as np
import pytest
from control_rig import TICK_NS, Rig

from evla_ros.control.acceptance import Fate
from evla_ros.control.controller import Controller
from evla_ros.control.fault_clock import FaultClock
from evla_ros.control.reasons import Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.tick_clock import TickClock
from evla_ros.geometry import distance
from evla_ros.policy.types import Chunk

SECOND = 1_000_000_000


def moving_rig(**kwargs: object) -> Rig:
    rig = Rig(**kwargs)
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving
    return rig


def suspend(rig: Rig, seconds: float) -> None:
    """Let time pass without a tick or a sample, as for a stopped process."""
    rig.now_ns += round(seconds * SECOND)
    rig.monotonic_ns += round(seconds * SECOND)


@pytest.mark.parametrize("seconds", [2.5, 10.0])
def test_a_gap_in_the_ticks_is_a_stop(seconds: float) -> None:
    rig = moving_rig()
    suspend(rig, seconds)
    ticks = rig.run(lambda: rig.chunk(0.02), 50)
    assert not any(tick.moving for tick in ticks)
    assert {tick.finding.reason for tick in ticks} == {Reason.GOAL_GAP}
    assert f"{seconds:.1f} s" in ticks[-1].finding.detail
    assert all(tick.arms[0].goal is None for tick in ticks)  # where the arm is now is not known
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving


def test_a_fault_counts_from_before_the_gap_that_it_came_with() -> None:
    rig = moving_rig()
    rig.cameras_on = False
    suspend(rig, 1.5)
    rig.run(lambda: rig.chunk(0.02), 20)
    assert rig.controller.started
    rig.run(lambda: rig.chunk(0.02), 10)
    assert not rig.controller.started


def test_a_short_gap_goes_on_without_a_jump() -> None:
    rig = moving_rig()
    before = rig.ticks[-1].arms[0].goal
    suspend(rig, 0.1)
    after = rig.step(lambda: rig.chunk(0.02)).arms[0].goal
    assert distance(before, after)[0] <= 0.5 * 0.04 + 1e-9
    assert rig.run(lambda: rig.chunk(0.02), 20)[-1].moving


def test_images_that_cannot_be_decoded_end_motion_and_say_so_all_the_time() -> None:
    rig = moving_rig()
    camera = rig.controller.inputs.cameras["wrist"]
    tried = 0
    for _ in range(200):  # a new image every tick; each is tried, and none can be decoded
        rig.step()
        if rig.controller.wants_inference(rig.now_ns):
            tried += 1
            assert camera.reject("unsupported encoding rainbow8", rig.now_ns) == (tried == 1)
    assert tried > 50
    held = [tick for tick in rig.ticks[30:] if not tick.moving]
    assert {tick.finding.reason for tick in held} <= {Reason.INPUT_INVALID}
    assert not rig.controller.started
    assert "rainbow8" in rig.controller.last_stop.finding.text
    assert "rainbow8" in rig.controller.start(rig.now_ns).text


def test_a_camera_is_good_again_after_an_image_was_decoded() -> None:
    rig = moving_rig()
    rig.controller.inputs.cameras["wrist"].reject("garbage", rig.now_ns)
    assert rig.step().finding.reason is Reason.INPUT_INVALID
    assert rig.step().finding.reason is Reason.INPUT_INVALID  # a new image is not a good one yet
    rig.run(lambda: rig.chunk(0.02), 2)  # and an answer of the policy shows that it is
    assert rig.ticks[-1].moving


def test_faults_that_flap_do_not_start_the_count_anew() -> None:
    rig = moving_rig()
    for index in range(40):
        rig.controller.inputs.graph.set_listeners("goal", int(index % 2 == 1))
        rig.run(lambda: rig.chunk(0.02), 4)
    assert not rig.controller.started
    assert rig.controller.last_stop.finding.reason is Reason.GOAL_UNHEARD


def test_rare_short_faults_go_on_for_ever() -> None:
    rig = moving_rig()
    for index in range(40):
        rig.controller.inputs.graph.set_listeners("goal", int(index % 2 == 1))
        rig.run(lambda: rig.chunk(0.0), 5 if index % 2 == 0 else 40)
    assert rig.controller.started


def test_the_fault_clock_counts_from_the_last_good_moment() -> None:
    clock = FaultClock()
    assert clock.fault(5 * SECOND, 4 * SECOND) == SECOND
    clock.well(6 * SECOND)
    clock.well(6 * SECOND + 499_000_000)
    assert clock.fault(7 * SECOND, 7 * SECOND) == 3 * SECOND
    clock.well(8 * SECOND)
    clock.well(8 * SECOND + 500_000_000)
    assert clock.fault(9 * SECOND, 9 * SECOND) == 0


def test_standing_simulated_time_is_not_motion() -> None:
    rig = Rig()
    rig.controller = Controller(rig.embodiment, rig.settings, simulated_clock=True)
    rig.controller.set_instruction("go")
    rig.settle()
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving
    goal = rig.ticks[-1].arms[0].goal
    for _ in range(30):  # ticks at real time, every 0.1 s
        rig.monotonic_ns += SECOND // 10
        tick = rig.controller.tick(rig.now_ns, rig.monotonic_ns)
        assert tick.arms[0].goal is goal
    assert not tick.moving
    assert tick.finding.reason is Reason.CLOCK_STOPPED
    rig.run(lambda: rig.chunk(0.02), 3)
    assert rig.ticks[-1].moving  # no time has passed, so nothing has ended


def test_a_slow_simulator_is_not_a_standing_one() -> None:
    clock = TickClock(simulated=True, max_dt_s=0.04, max_gap_s=2.0)
    now = mono = SECOND
    for tick in range(200):
        mono += SECOND // 10
        now += 20_000_000 * (tick % 5 == 0)
        beat = clock.look(now, mono)
        assert not beat.stands
        assert not beat.jumped


@pytest.mark.parametrize(
    ("simulated", "passed_s", "really_s", "jumped"),
    [
        (False, 0.5, 0.02, True),
        (False, -0.3, 0.02, True),
        (False, 0.2, 0.02, False),
        (True, 1.9, 0.02, False),
        (True, 2.1, 0.02, True),
        (True, -0.2, 0.02, False),
        (True, -0.3, 0.02, True),
        (True, 10.0, 1.0, False),
    ],
)
def test_clock_jumps_are_what_the_page_says(
    *, simulated: bool, passed_s: float, really_s: float, jumped: bool
) -> None:
    clock = TickClock(simulated=simulated, max_dt_s=0.04, max_gap_s=2.0)
    clock.look(100 * SECOND, 50 * SECOND)
    now_ns = 100 * SECOND + round(passed_s * SECOND)
    beat = clock.look(now_ns, 50 * SECOND + round(really_s * SECOND))
    assert beat.jumped is jumped
    assert beat.elapsed.dt_s <= min(0.04, beat.elapsed.passed_s)


@pytest.mark.parametrize("early_ns", [1_000, 88_000, 5_000_000])
def test_a_nudged_tick_changes_the_velocity_no_faster_than_the_limits(early_ns: int) -> None:
    rig = moving_rig()
    rng = np.random.default_rng(1)
    steps: list[tuple[float, np.ndarray]] = []
    last = rig.ticks[-1].arms[0].goal.position_m
    for index in range(400):
        ns = early_ns if index % 3 == 0 else TICK_NS - (early_ns if index % 3 == 1 else 0)
        tick = rig.step(lambda: rng.uniform(-0.08, 0.08, (8, 7)), ns)
        now = tick.arms[0].goal.position_m
        steps.append((ns / 1e9, now - last))
        last = now
    most = np.sqrt(2.0) * rig.embodiment.arms[0].limits.max_acceleration_m_s2
    velocity = [step / dt_s for dt_s, step in steps]
    for (dt_s, _), before, after in zip(steps[1:], velocity, velocity[1:], strict=False):
        assert np.linalg.norm(after - before) <= most * dt_s + 1e-8


def test_the_answer_to_a_chunk_says_what_became_of_it() -> None:
    rig = Rig()
    rig.start()
    controller, epoch = rig.controller, rig.controller.epoch
    taken = controller.accept(Chunk(rig.now_ns, rig.chunk(0.01)), epoch, rig.now_ns)
    assert (taken.fate, taken.late_rows, taken.finding) == (Fate.TAKEN, 0, None)
    rig.run(None, 45)
    old = Chunk(rig.now_ns - 45 * TICK_NS, rig.chunk(0.01))
    late = controller.accept(old, epoch, rig.now_ns)
    assert (late.fate, late.late_rows) == (Fate.TOO_LATE, 8)
    assert late.finding.reason is Reason.CHUNK_EXHAUSTED
    refused = controller.accept(Chunk(rig.now_ns, np.zeros((3, 7))), epoch, rig.now_ns)
    assert refused.fate is Fate.REFUSED
    assert refused.finding.reason is Reason.ACTION_INVALID
    assert not refused.usable
    assert controller.accept(old, epoch - 1, rig.now_ns).fate is Fate.OUTDATED


def test_with_no_patience_a_late_tick_is_no_gap() -> None:
    rig = moving_rig(settings=ControlSettings(resume_within_s=0.0))
    suspend(rig, 0.1)
    assert rig.run(lambda: rig.chunk(0.02), 10)[-1].moving
