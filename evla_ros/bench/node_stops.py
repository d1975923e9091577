# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stops of a moving robot: from each cause to the first goal that brakes, and to standing still."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Callable, Iterable

from std_msgs.msg import Float64

from evla_ros.bench.goal_timing import stop_times
from evla_ros.bench.policy_rig import VGA, Rig
from evla_ros.bench.report import Row


def stops(repeats: int) -> Iterable[Row]:
    """Yield the longest wait of each kind of stop.

    Goals brake under the acceleration limit, so standing still comes later than the answer.
    """
    kinds: dict[str, Callable[[Rig], int]] = {
        "service": _by_service,
        "estop": _by_estop,
        "camera": _by_camera,
        "worker": _by_worker,
        "executor": _by_freezing,
    }
    program = ("-m", "evla_ros.bench.freezing_policy")
    with Rig(robot=VGA, worker="process", program=program) as rig:
        rig.bring_up()
        for name, cause in kinds.items():
            waits, still = [], []
            for _ in range(repeats):
                rig.start_moving(30.0)
                before = len(rig.robot.goals[0])
                time.sleep(0.4)
                from_ns = cause(rig)
                time.sleep(0.5)
                stop = stop_times(rig.robot.goals[0][before:], from_ns)
                if stop is not None:
                    waits.append((stop.braking_ns - from_ns) / 1e6)
                    still.append((stop.still_ns - from_ns) / 1e6)
                _heal(rig)
            yield _row(f"node.stop.{name}.max", waits, repeats, goal=100.0)
            yield _row(f"node.stop.{name}.still.max", still, repeats)


def _row(name: str, waits_ms: list[float], repeats: int, goal: float | None = None) -> Row:
    median = statistics.median(waits_ms) if waits_ms else float("nan")
    context = {"n": len(waits_ms), "of": repeats, "median_ms": round(median, 1)}
    return Row(name, max(waits_ms, default=float("nan")), "ms", goal=goal, context=context)


def _by_service(rig: Rig) -> int:
    start_ns = time.monotonic_ns()
    rig.trigger("stop")
    return start_ns


def _by_estop(rig: Rig) -> int:
    start_ns = time.monotonic_ns()
    rig.robot.press_estop(True)
    return start_ns


def _by_camera(rig: Rig) -> int:
    """Return when the silence was long enough to be one."""
    rig.robot.switches.cameras["primary"] = False
    off_ns = time.monotonic_ns()
    last_ns = max(sent for sent in list(rig.robot.image_times.values()) if sent <= off_ns)
    limit_s = rig.embodiment.cameras["primary"].max_age_s
    time.sleep(limit_s)
    return last_ns + round(limit_s * 1e9)


def _by_worker(rig: Rig) -> int:
    start_ns = time.monotonic_ns()
    os.kill(rig.workers()[0], signal.SIGKILL)
    return start_ns


def _by_freezing(rig: Rig) -> int:
    """Return when the measured pose was too old; it arrives through the frozen thread."""
    freeze = rig.node.create_publisher(Float64, "freeze", 1)
    rig.wait_for(lambda: freeze.get_subscription_count() > 0, "freezing node")
    start_ns = time.monotonic_ns()
    freeze.publish(Float64(data=0.8))
    limit_s = rig.embodiment.arms[0].pose.max_age_s
    time.sleep(limit_s)
    return start_ns + round(limit_s * 1e9)


def _heal(rig: Rig) -> None:
    time.sleep(0.5)
    rig.robot.switches.cameras["primary"] = True
    rig.robot.press_estop(False)
    time.sleep(0.1)
    rig.trigger("reset_estop")
    rig.trigger("stop")
