# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policy node on real DDS, with this process as its cameras and its robot.

Jitter is measured while inference keeps a processor busy; stops from the cause to the first goal
that stands still.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterable

import numpy as np
from std_msgs.msg import Float64

from evla_ros.bench.goal_timing import cpu_seconds, first_held_ns, grid_lateness, private_mib
from evla_ros.bench.node_memory import HOUR_FRAMES, memory_rows
from evla_ros.bench.policy_rig import ACTIVATE, CONFIGURE, Rig
from evla_ros.bench.recorder_rows import LARGE_IMAGES
from evla_ros.bench.report import Row
from evla_ros.ros.pose_conversion import nanoseconds

VGA = {"image_size": (480, 640), "camera_hz": 30.0}
BUSY = {"slow": {"delay_s": 0.15, "busy": True}}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how long and what."""
    parser.add_argument("--seconds", type=float, default=20.0, help="of motion under load")
    parser.add_argument("--long", action="store_true", help="5 minutes of motion under load")
    parser.add_argument("--repeats", type=int, default=5, help="of each kind of stop")
    parser.add_argument(
        "--workers", default="process,thread", help="where inference runs, one after the other"
    )
    parser.add_argument(
        "--realtime", type=int, default=0, help="SCHED_FIFO priority of the node under load"
    )
    parser.add_argument(
        "--memory",
        action="store_true",
        help="only an hour's worth of camera frames, several times as fast (about 10 minutes)",
    )
    parser.add_argument(
        "--default-dds",
        action="store_true",
        help="without config/dds/fastdds_large_images.xml (Fast DDS then loses large images)",
    )
    parser.add_argument("--domain", type=int, default=49, help="ROS domain to measure in")


def rows(arguments: argparse.Namespace) -> Iterable[Row]:
    """Measure; each part starts its own node."""
    os.environ["ROS_DOMAIN_ID"] = str(arguments.domain)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ.pop("ROS_PYTHON_CHECK_FIELDS", None)
    if LARGE_IMAGES.is_file() and not arguments.default_dds:
        for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
            os.environ.setdefault(name, str(LARGE_IMAGES))
    # The robot's threads are Python here: none of them shall wait long for another.
    sys.setswitchinterval(0.0005)
    if arguments.memory:
        yield from memory_rows(HOUR_FRAMES)
        return
    seconds = 300.0 if arguments.long else arguments.seconds
    for worker in arguments.workers.split(","):
        yield from _jitter(worker, seconds, arguments.realtime)
        yield from _latency(worker)
    yield from _idle()
    yield from _stops(arguments.repeats)


def _jitter(worker: str, seconds: float, realtime: int) -> Iterable[Row]:
    load = {"faults": BUSY, "replan_time_left_s": 10.0}
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


def _latency(worker: str) -> Iterable[Row]:
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
            taken_ns = rig.robot.image_times.get(stamp_ns)
            first = next((goal for goal in goals if goal.stamp_ns >= end_ns), None)
            if taken_ns is not None and first is not None:
                waits.setdefault(stamp_ns, (first.arrived_ns - taken_ns) / 1e6)
        p50, p95 = np.percentile(list(waits.values()), [50, 95])
        context = {"worker": worker, "image": "2x640x480 raw", "model": "none", "n": len(waits)}
        yield Row("node.camera_to_goal.p50", float(p50), "ms", floor_ms, 5.0, context)
        yield Row("node.camera_to_goal.p95", float(p95), "ms", context=context)


def _echo_ms() -> float:
    """Return the median from the images of an instant to the goal of a node that only answers."""
    with Rig(robot=VGA, program=("-m", "evla_ros.bench.camera_echo")) as rig:
        rig.wait_for(lambda: len(rig.robot.goals[0]) > 30, "echo", 30.0)
        goals, times = rig.goals_after(4.0), rig.robot.image_times
    return float(np.median([(goal.arrived_ns - times[goal.stamp_ns]) / 1e6 for goal in goals]))


def _idle() -> Iterable[Row]:
    with Rig(robot=VGA, worker="process", policy="hold") as rig:
        rig.transition(CONFIGURE)
        rig.transition(ACTIVATE)
        time.sleep(2.0)
        start = cpu_seconds(rig.process.pid)
        time.sleep(10.0)
        used = (cpu_seconds(rig.process.pid) - start) / 10.0
        context = {"cameras": "2x640x480@30", "poses": "100 Hz"}
        yield Row("node.idle.cpu", 100 * used, "% of a core", goal=15.0, context=context)


def _stops(repeats: int) -> Iterable[Row]:
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
            waits = []
            for _ in range(repeats):
                rig.start_moving(30.0)
                time.sleep(0.4)
                before = len(rig.robot.goals[0])
                from_ns = cause(rig)
                time.sleep(0.3)
                held_ns = first_held_ns(rig.robot.goals[0][before:])
                if held_ns is not None:
                    waits.append((held_ns - from_ns) / 1e6)
                _heal(rig)
            context = {"n": len(waits), "of": repeats, "median_ms": round(_median(waits), 1)}
            worst = max(waits, default=float("nan"))
            yield Row(f"node.stop.{name}.max", worst, "ms", goal=100.0, context=context)


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


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
    time.sleep(0.7)
    rig.robot.switches.cameras["primary"] = True
    rig.robot.press_estop(False)
    time.sleep(0.1)
    rig.trigger("reset_estop")
    rig.trigger("stop")
