# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The project's goals for the model's speed and size, by kind of device."""

from __future__ import annotations

from evla_ros.bench.memory import GIB

JOINT_SPEEDUP = {"1x7": 3.0, "8x7": 15.0}
INT8_AGREEMENT_PERCENT = 99.0
_STEP_MS = {
    ("cpu", "evla-1b", "bf16"): 450.0,
    ("cpu", "evla-1b", "int8"): 300.0,
    ("cpu", "evla-nano", "fp32"): 15.0,
    ("cuda", "evla-1b", "bf16"): 4.0,
}
_MEMORY_BYTES = {("cpu", "evla-1b", "bf16"): 3.2e9, ("cuda", "evla-1b", "bf16"): 3.5e9}


def step_ms(device: str, preset: str, dtype: str) -> float | None:
    """Return the goal for the step from camera frames to actions [ms], if there is one."""
    return _STEP_MS.get((device.partition(":")[0], preset, dtype))


def memory_gib(device: str, preset: str, dtype: str) -> float | None:
    """Return the goal for the running model: GiB resident on a CPU, or allocated on a GPU."""
    goal_bytes = _MEMORY_BYTES.get((device.partition(":")[0], preset, dtype))
    return None if goal_bytes is None else goal_bytes / GIB
