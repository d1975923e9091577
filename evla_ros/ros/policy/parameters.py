# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the policy node, and what the core is made from with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.policy.remote.messages import ENCODINGS
from evla_ros.policy.scheduling import spare_cores
from evla_ros.policy.spec import KINDS, PolicySpec
from evla_ros.reading.text_files import parse_json
from evla_ros.ros.parameters import Parameter

# fmt: off
# A server answers late before the core gives the inference up.
_OF_TIMEOUT = 0.95
TABLE: tuple[Parameter, ...] = (
    Parameter("embodiment", "tabletop_arm", "name of a shipped embodiment file, or a path"),
    Parameter("policy", "evla", "what decides", choices=tuple(KINDS)),
    Parameter("checkpoint", "",
        "checkpoint folder (evla), module:name (scripted), .npy file (replay, path)"),
    Parameter("device", "cpu", "device of the network: cpu, cuda, cuda:1"),
    Parameter("dtype", "", "number format of the weights; empty keeps the stored one"),
    Parameter("runtime", "auto",
        "what computes the network; auto: the fastest that is there, measured when it is loaded",
        choices=("auto", "torch", "openvino", "onnx")),
    Parameter("decode", "", "joint or autoregressive; empty takes the checkpoint's"),
    Parameter("statistics", "",
        "dataset whose statistics un-normalise; empty: the checkpoint's only one, or the robot's"),
    Parameter("server", "", "policy server (remote): wss://HOST:PORT, or ws://HOST:PORT"),
    Parameter("token_file", "", "file with the robot's token for the server; empty: none"),
    Parameter("ca_file", "",
        "certificate that the server's must be signed by; empty: those of the system"),
    Parameter("image_encoding", "jpeg", "how images travel to the server", choices=ENCODINGS),
    Parameter("worker", "process", "where inference runs", choices=("process", "thread")),
    Parameter("worker_niceness", 5, "niceness of the worker process", low=0, high=19),
    Parameter("inference_threads", 0,
        "threads of the network on the CPU; 0: all cores but one, which the other nodes need",
        low=0, high=256),
    Parameter("realtime_priority", 0,
        "SCHED_FIFO priority of the node, not of inference; 0: none", low=0, high=90),
    Parameter("load_timeout_s", 60.0, "longest time to load the model", "s", 1.0, 600.0),
    Parameter("shadow", False, "publish goals under ~/shadow only; the robot gets nothing"),
    Parameter("autostart", False,
        "configure and activate when the node starts (it still needs ~/start)"),
    Parameter("stamp_source", "header",
        "time of an image: its header, or its arrival", choices=("header", "receipt")),
    Parameter("fresh_wait_s", 0.05, "an inference waits this long for a new image", "s", 0.0, 1.0),
    Parameter("instant_wait_s", 0.01,
        "and then this long for poses, grippers and images of the same instant", "s", 0.0, 1.0),
    Parameter("status_rate_hz", 10.0, "rate of ~/status", "Hz", 1.0, 50.0),
    Parameter("servo_node", "servo_node", "name of the MoveIt Servo node (executor servo)"),
    Parameter("teleop_topic", "teleop/active",
        "std_msgs/Bool, true while a person has the authority"),
    Parameter("recorder", "recorder", "node that records the runs of ~/run; empty: none"),
    Parameter("anchor", "measured",
        "deltas start at the measured pose at image time, or at the goal then",
        choices=("measured", "goal")),
    Parameter("blend_s", 0.2, "a new chunk takes over within this time", "s", 0.0, 2.0),
    Parameter("replan_time_left_s", 0.4,
        "infer when the chunk lasts no longer than this", "s", 0.0, 10.0),
    Parameter("executor_lag_s", 0.0, "how far the robot trails its goals", "s", 0.0, 1.0),
    Parameter("settle_s", 0.3,
        "last goal of a used-up chunk stays this long before the hold", "s", 0.0, 2.0),
    Parameter("resume_within_s", 2.0,
        "a fault, or a gap in the goals, that ends within this time resumes by itself",
        "s", 0.0, 60.0),
    Parameter("hold_publish_s", 1.0,
        "the hold is sent this long after a stop; 0: until the next start", "s", 0.0, 3600.0),
    Parameter("retry_s", 0.5, "pause before a policy that raised is asked again", "s", 0.0, 60.0),
    Parameter("inference_timeout_s", 5.0,
        "an inference that takes longer is given up", "s", 0.05, 120.0),
    Parameter("max_tracking_error_m", 0.10,
        "a goal further ahead of the arm goes back to it", "m", 0.005, 1.0),
    Parameter("max_tracking_error_rad", 0.6,
        "a goal turned further ahead of the arm goes back to it", "rad", 0.02, 3.0),
    Parameter("workspace_tolerance_m", 0.03,
        "an arm further outside its box is not moved", "m", 0.0, 0.2),
    Parameter("gripper_open_above", 0.6, "opens above this action number", "1", 0.5, 1.0),
    Parameter("gripper_close_below", 0.4, "closes below this action number", "1", 0.0, 0.5),
    Parameter("max_stamp_skew_s", 1.0,
        "largest difference of a sample's stamp and arrival", "s", 0.01, 60.0),
    Parameter("pose_jump_margin_m", 0.10,
        "a measured pose further away than the arm can have moved, plus this, is refused",
        "m", 0.005, 1.0),
    Parameter("pose_jump_margin_rad", 0.6, "the same for its rotation", "rad", 0.02, 3.2),
    Parameter("pose_confirm_s", 0.5,
        "refused poses that agree for this long are believed; motion then needs ~/start",
        "s", 0.0, 10.0),
    Parameter("allow_unheard_goals", False,
        "move although nobody subscribes to a goal topic or gripper command"),
    Parameter("listen_first_s", 3.5,
        "~/start waits this long after configure: stop buttons may take as long to be found",
        "s", 0.0, 60.0),
    Parameter("resume_after_teleop", False, "go on when the dead-man is released, without ~/start"),
    Parameter("faults", "", "wrappers that make the policy misbehave, as JSON; for rehearsals"),
)
# fmt: on


def control_settings(values: Mapping[str, Any]) -> ControlSettings:
    """Return the core's settings from the parameters of the same names."""
    names = {field.name for field in fields(ControlSettings)}
    return ControlSettings(**{name: values[name] for name in values if name in names})


def policy_spec(values: Mapping[str, Any], embodiment: Embodiment) -> PolicySpec:
    """Return the policy to build.

    Raises EvlaError when a parameter has no effect, or `faults` is not JSON.
    """
    _refuse_unused(values)
    faults = parse_json(values["faults"] or "{}", "parameter faults")
    if not isinstance(faults, dict):
        raise EvlaError("parameter faults: expected a JSON object of wrapper to its options")
    return PolicySpec(
        values["policy"],
        embodiment.text,
        values["checkpoint"],
        values["device"],
        values["dtype"],
        values["decode"],
        values["inference_threads"] or spare_cores(),
        values["statistics"],
        values["runtime"] if values["policy"] == "evla" else "",
        faults=faults,
        server=values["server"],
        token_file=values["token_file"],
        ca_file=values["ca_file"],
        image_encoding=values["image_encoding"],
        deadline_s=_OF_TIMEOUT * values["inference_timeout_s"],
    )


def _refuse_unused(values: Mapping[str, Any]) -> None:
    """Raise EvlaError when a parameter of another policy is set."""
    remote = values["policy"] == "remote"
    if values["runtime"] != "auto" and values["policy"] != "evla":
        raise EvlaError(
            f"parameter runtime {values['runtime']!r} has no effect with "
            f"policy:={values['policy']}; leave it out"
        )
    others = ("checkpoint", "dtype", "decode", "statistics")
    for name in others if remote else ("server", "token_file", "ca_file"):
        if values[name]:
            raise EvlaError(
                f"parameter {name} {values[name]!r} has no effect with policy:={values['policy']}; "
                + ("the server's command line says it" if remote else "set policy:=remote")
            )
