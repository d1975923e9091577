# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Goal jitter while inference keeps a processor busy, camera-to-goal latency, and idle load."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from evla_ros.bench.goal_timing import cpu_seconds, grid_lateness, private_mib
from evla_ros.bench.policy_rig import ACTIVATE, CONFIGURE, VGA, Rig
from evla_ros.bench.report import Row
from evla_ros.ros.pose_conversion import nanoseconds

BUSY = {"slow": {"delay_s": 0.15, "busy": True}}


def jitter(worker: str, seconds: float, realtime: int) -> Iterable[Row]:
    """Yield how late the goals of a moving robot are, and what the node costs.

    Args:
        worker: where inference runs, `process` or `thread`.
        seconds: how long the robot moves.
        realtime: SCHED_FIFO priority of the node; 0: none.
    """
    load: dict[str, Any] = {"faults": BUSY, "replan_time_left_s": 10.0}
    with Rig(robot=VGA, worker=worker, realtime_priority=realtime, **load) as rig:
        rig.bring_up()
        time.sleep(2.0)
        pid, before_mib = rig.process.pid, private_mib(rig.process.pid)
        start_s, chunks = cpu_seconds(pid), len(rig.chunks)
        goals = rig.goals_after(seconds)
        cores = (cpu_seconds(pid) - start_s) / seconds
        context = {
            "worker": worker,
            "seconds": round(seconds),
            "cameras": "2x640x480@30",
            "chunks": len(rig.chunks) - chunks,
            "realtime": realtime,
        }
        late = grid_lateness([goal.arrived_ns for goal in goals], 20_000_000)
        yield Row("node.goal_jitter.p50", late.p50_ms, "ms", context=context)
        yield Row("node.goal_jitter.p99", late.p99_ms, "ms", goal=4.0, context=context)
        yield Row("node.goal_jitter.max", late.max_ms, "ms", goal=20.0, context=context)
        sent = grid_lateness([goal.stamp_ns for goal in goals], 20_000_000)
        yield Row("node.goal_jitter_sent.p50", sent.p50_ms, "ms", context=context)
        yield Row("node.goal_jitter_sent.p99", sent.p99_ms, "ms", goal=4.0, context=context)
        yield Row("node.goal_jitter_sent.max", sent.max_ms, "ms", goal=20.0, context=context)
        yield Row("node.goals_missed", late.missed, f"of {late.slots}", goal=0, context=context)
        yield Row("node.moving.cpu", 100 * cores, "% of a core", context=context)
        growth = private_mib(pid) - before_mib
        yield Row("node.memory.growth", growth, "MiB", goal=0, context=context)


def latency(worker: str) -> Iterable[Row]:
    """Yield the time from images to the goal that answers them; worker: where inference runs."""
    floor_ms = _echo_ms()
    with Rig(robot=VGA, worker=worker, replan_time_left_s=10.0) as rig:
        rig.bring_up()
        time.sleep(1.0)
        chunks = len(rig.chunks)
        goals = rig.goals_after(8.0)
        waits: dict[int, float] = {}
        for chunk in rig.chunks[chunks:]:
            stamp_ns = nanoseconds(chunk.header.stamp)
            end_ns = nanoseconds(chunk.inference_end)
            sent_ns = rig.robot.image_times.get(stamp_ns)
            first = next((goal for goal in goals if goal.stamp_ns >= end_ns), None)
            if sent_ns is not None and first is not None:
                waits.setdefault(stamp_ns, (first.arrived_ns - sent_ns) / 1e6)
        p50, p95 = np.percentile(list(waits.values()), [50, 95])
        context = {"worker": worker, "image": "2x640x480 raw", "model": "none", "n": len(waits)}
        yield Row("node.camera_to_goal.p50", float(p50), "ms", floor_ms, 5.0, context)
        yield Row("node.camera_to_goal.p95", float(p95), "ms", context=context)


def _echo_ms() -> float:
    """Return the median time from images to a goal of a node that only echoes them [ms]."""
    with Rig(robot=VGA, program=("-m", "evla_ros.bench.camera_echo")) as rig:
        rig.wait_for(lambda: len(rig.robot.goals[0]) > 30, "echo", 30.0)
        goals, times = rig.goals_after(4.0), rig.robot.image_times
    return float(np.median([(goal.arrived_ns - times[goal.stamp_ns]) / 1e6 for goal in goals]))


def idle() -> Iterable[Row]:
    """Yield the processor time of an active node that does not move the robot."""
    with Rig(robot=VGA, worker="process", policy="hold") as rig:
        rig.transition(CONFIGURE)
        rig.transition(ACTIVATE)
        time.sleep(2.0)
        start = cpu_seconds(rig.process.pid)
        time.sleep(10.0)
        used = (cpu_seconds(rig.process.pid) - start) / 10.0
        context = {"cameras": "2x640x480@30", "poses": "100 Hz"}
        yield Row("node.idle.cpu", 100 * used, "% of a core", goal=15.0, context=context)
