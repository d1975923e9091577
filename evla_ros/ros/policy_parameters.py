# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the policy node, and what the core is made from with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from evla_ros.control.limits import LimitValues
from evla_ros.control.limits.values import CORNERS, SCALARS
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.policy.scheduling import spare_cores
from evla_ros.policy.spec import KINDS, PolicySpec
from evla_ros.ros.parameters import Parameter

TABLE: tuple[Parameter, ...] = (
    Parameter("embodiment", "tabletop_arm", "name of a shipped embodiment file, or a path"),
    Parameter("policy", "evla", "what decides", choices=tuple(KINDS)),
    Parameter(
        "checkpoint",
        "",
        "checkpoint folder (evla), module:function (scripted), .npy file (replay, path)",
    ),
    Parameter("device", "cpu", "device of the network: cpu, cuda, cuda:1"),
    Parameter("dtype", "", "number format of the weights; empty keeps the stored one"),
    Parameter("decode", "", "joint or autoregressive; empty takes the checkpoint's"),
    Parameter("worker", "process", "where inference runs", choices=("process", "thread")),
    Parameter("worker_niceness", 5, "niceness of the worker process", low=0, high=19),
    Parameter(
        "inference_threads",
        0,
        "torch threads on the CPU; 0: all cores but one, which the other nodes need",
        low=0,
        high=256,
    ),
    Parameter(
        "realtime_priority",
        0,
        "SCHED_FIFO priority of the node, not of inference; 0: none",
        low=0,
        high=90,
    ),
    Parameter("load_timeout_s", 60.0, "longest time to load the model", "s", 1.0, 600.0),
    Parameter("shadow", False, "publish goals under ~/shadow only; the robot gets nothing"),
    Parameter(
        "autostart", False, "configure and activate when the node starts (it still needs ~/start)"
    ),
    Parameter(
        "stamp_source",
        "header",
        "time of an image: its header, or its arrival",
        choices=("header", "receipt"),
    ),
    Parameter("fresh_wait_s", 0.05, "an inference waits this long for a new image", "s", 0.0, 1.0),
    Parameter(
        "instant_wait_s",
        0.01,
        "and then this long for poses, grippers and images of the same instant",
        "s",
        0.0,
        1.0,
    ),
    Parameter("status_rate_hz", 10.0, "rate of ~/status", "Hz", 1.0, 50.0),
    Parameter("servo_node", "servo_node", "name of the MoveIt Servo node (executor servo)"),
    Parameter(
        "teleop_topic", "teleop/active", "std_msgs/Bool, true while a person has the authority"
    ),
    Parameter(
        "anchor",
        "measured",
        "deltas start at the measured pose at image time, or at the goal then",
        choices=("measured", "goal"),
    ),
    Parameter("blend_s", 0.2, "a new chunk takes over within this time", "s", 0.0, 2.0),
    Parameter(
        "replan_time_left_s", 0.4, "infer when the chunk lasts no longer than this", "s", 0.0, 10.0
    ),
    Parameter("executor_lag_s", 0.0, "how far the robot trails its goals", "s", 0.0, 1.0),
    Parameter(
        "settle_s",
        0.3,
        "last goal of a used-up chunk stays this long before the hold",
        "s",
        0.0,
        2.0,
    ),
    Parameter(
        "resume_within_s",
        2.0,
        "a fault that heals within this time resumes by itself",
        "s",
        0.0,
        60.0,
    ),
    Parameter(
        "hold_publish_s",
        1.0,
        "the hold is sent this long after a stop; 0: until the next start",
        "s",
        0.0,
        3600.0,
    ),
    Parameter("retry_s", 0.5, "pause before a policy that raised is asked again", "s", 0.0, 60.0),
    Parameter(
        "inference_timeout_s", 5.0, "an inference that takes longer is given up", "s", 0.05, 120.0
    ),
    Parameter(
        "max_tracking_error_m", 0.10, "the goal runs ahead of the arm no further", "m", 0.005, 1.0
    ),
    Parameter(
        "max_tracking_error_rad",
        0.6,
        "the goal turns ahead of the arm no further",
        "rad",
        0.02,
        3.0,
    ),
    Parameter(
        "workspace_tolerance_m", 0.03, "an arm further outside its box is not moved", "m", 0.0, 0.2
    ),
    Parameter("gripper_open_above", 0.6, "opens above this action number", "1", 0.5, 1.0),
    Parameter("gripper_close_below", 0.4, "closes below this action number", "1", 0.0, 0.5),
    Parameter(
        "max_stamp_skew_s", 1.0, "largest difference of image stamp and arrival", "s", 0.01, 60.0
    ),
    Parameter("resume_after_teleop", False, "go on when the dead-man is released, without ~/start"),
    Parameter("faults", "", "wrappers that make the policy misbehave, as JSON; for rehearsals"),
)


def control_settings(values: Mapping[str, Any]) -> ControlSettings:
    """Return the core's settings from the parameters of the same names."""
    names = {field.name for field in fields(ControlSettings)}
    return ControlSettings(**{name: values[name] for name in values if name in names})


def policy_spec(values: Mapping[str, Any], embodiment: Embodiment) -> PolicySpec:
    """Return the policy to build; raises EvlaError when `faults` is not JSON."""
    try:
        faults = json.loads(values["faults"] or "{}")
    except json.JSONDecodeError as error:
        raise EvlaError(f"parameter faults is not JSON: {error}") from error
    return PolicySpec(
        values["policy"],
        embodiment.text,
        values["checkpoint"],
        values["device"],
        values["dtype"],
        values["decode"],
        values["inference_threads"] or spare_cores(),
        faults,
    )


def limit_table(embodiment: Embodiment) -> tuple[Parameter, ...]:
    """Return `limits.<arm>.<limit>` for every arm; their defaults are the embodiment file's."""
    rows = []
    for arm in embodiment.arms:
        values = LimitValues.of(arm.limits)
        for name in SCALARS:
            text = f"{name} of {arm.name}; may only be tightened"
            rows.append(
                Parameter(f"limits.{arm.name}.{name}", getattr(values, name), text, dynamic=True)
            )
        for name in CORNERS:
            corner = list(getattr(values, name))
            text = f"{name} of {arm.name} [x y z]; may only be tightened"
            rows.append(Parameter(f"limits.{arm.name}.{name}", corner, text, "m", dynamic=True))
    return tuple(rows)


def tightened_limits(embodiment: Embodiment, values: Mapping[str, Any]) -> list[LimitValues]:
    """Return per arm the limits, tightened by `limits.*`; EvlaError when one loosens."""
    result = []
    for arm in embodiment.arms:
        prefix = f"limits.{arm.name}."
        changes: dict[str, Any] = {}
        for name, value in values.items():
            if name.startswith(prefix):
                many = not isinstance(value, int | float)
                changes[name[len(prefix) :]] = tuple(value) if many else float(value)
        try:
            result.append(LimitValues.of(arm.limits).tightened(changes))
        except EvlaError as error:
            raise EvlaError(f"limits.{arm.name}: {error}") from error
    return result
