# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Does the policy node's memory grow? An hour's messages, sent several times as fast."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from evla_ros.bench.goal_timing import private_mib
from evla_ros.bench.policy_rig import Rig
from evla_ros.bench.report import Row
from evla_ros.embodiment import load_embodiment

HOUR_FRAMES = 3600 * 30
CAMERA_HZ, STATE_HZ, GOAL_HZ = 200.0, 600.0, 200.0
_SETTLE_S = 60.0
_LOOK_S = 1.0
_PARTS = 12


class _Look(NamedTuple):
    time_s: float
    frames: float
    mib: float


def memory_rows(frames: int, limit_s: float = 900.0) -> Iterable[Row]:
    """Feed a node with frames and yield how much its memory has grown.

    The first minute does not count, because buffers that hold a minute fill then. The row's context
    has the median of each twelfth of the rest.

    Args:
        frames: how many frames of one camera the node has to receive.
        limit_s: longest time of the measurement [s].
    """
    text = load_embodiment("tabletop_arm").text
    robot = {"image_size": (120, 160), "camera_hz": CAMERA_HZ, "state_hz": STATE_HZ}
    with TemporaryDirectory() as folder:
        fast = Path(folder) / "fast.yaml"
        fast.write_text(text.replace("goal_rate_hz: 50", f"goal_rate_hz: {GOAL_HZ:g}"))
        load: dict[str, Any] = {"faults": {"slow": {"delay_s": 0.02}}, "replan_time_left_s": 10.0}
        with Rig(str(fast), robot=robot, worker="process", **load) as rig:
            rig.bring_up()
            looks = _watch(rig, frames, limit_s)
            counts = {"chunks": rig.statuses[-1].chunks, "goals": len(rig.robot.goals[0])}
    mib = [look.mib for look in looks if look.time_s >= _SETTLE_S]
    curve = [float(np.median(part)) for part in np.array_split(mib, _PARTS)]
    context = {
        "frames": round(looks[-1].frames),
        "seconds": round(looks[-1].time_s),
        **counts,
        "curve_mib": [round(value, 2) for value in curve],
    }
    yield Row("node.memory.hour.growth", curve[-1] - curve[0], "MiB", goal=0, context=context)


def _watch(rig: Rig, frames: int, limit_s: float) -> list[_Look]:
    """Note every second how many frames the node says it received, and its memory."""
    looks: list[_Look] = []
    received, start = 0.0, time.monotonic()
    before = start
    while received < frames and before - start < limit_s:
        time.sleep(_LOOK_S)
        now = time.monotonic()
        status = rig.statuses[-1]
        primary = list(status.stream_names).index("camera primary")
        received += status.stream_rate_hz[primary] * (now - before)
        before = now
        looks.append(_Look(now - start, received, private_mib(rig.process.pid)))
        del rig.statuses[:-2]
    return looks
