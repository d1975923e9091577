# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each node does on the graph, from the robot's streams and the nodes' parameters.

Names are those that a node writes: relative to its namespace, `~/` for its own, or absolute. A test
starts the real nodes and holds these sets to what they have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evla_ros.embodiment.streams import (
    POSE_STAMPED,
    TF_MESSAGE,
    Direction,
    Kind,
    Stream,
    StreamTable,
)
from evla_ros.ros.policy.run_episode import RECORDER_SERVICES
from evla_ros.ros.simulator.camera_names import camera_topics
from evla_ros.ros.teleop.keyboard import RECORDER_KEYS

Values = Mapping[str, Any]
Names = frozenset[str]
_NONE: Names = frozenset()
_MEASURED = (Kind.ODOMETRY, Kind.AXIS)
_SERVO = ("switch_command_type", "pause_servo")
CONSOLE_RECORDER_SERVICES = (
    "start", "keep", "discard", "mark_success", "mark_failure", "toggle_intervention",
)  # fmt: skip


@dataclass(frozen=True)
class Access:
    """The names that a node uses.

    Attributes:
        publishes: topics.
        subscribes: topics.
        serves: services that it offers.
        requests: services that it calls.
        executes: actions that it offers.
        calls: actions that it sends goals to.
    """

    publishes: Names = field(default=_NONE)
    subscribes: Names = field(default=_NONE)
    serves: Names = field(default=_NONE)
    requests: Names = field(default=_NONE)
    executes: Names = field(default=_NONE)
    calls: Names = field(default=_NONE)

    def __or__(self, other: Access) -> Access:
        """Return what either does."""
        return Access(
            self.publishes | other.publishes,
            self.subscribes | other.subscribes,
            self.serves | other.serves,
            self.requests | other.requests,
            self.executes | other.executes,
            self.calls | other.calls,
        )


ANY_NODE = Access(
    publishes=frozenset({"/rosout", "/parameter_events"}),
    serves=frozenset(
        {
            "~/describe_parameters", "~/get_parameter_types", "~/get_parameters",
            "~/list_parameters", "~/set_parameters", "~/set_parameters_atomically",
            "~/get_type_description",
        }
    ),
)  # fmt: skip
# Of a node that can follow simulated time.
CLOCK = Access(subscribes=frozenset({"/clock"}))
LIFECYCLE = Access(
    publishes=frozenset({"~/transition_event"}),
    serves=frozenset(
        {
            "~/change_state", "~/get_state", "~/get_available_states",
            "~/get_available_transitions", "~/get_transition_graph",
        }
    ),
)  # fmt: skip


def policy_access(streams: StreamTable, values: Values, *, servo: bool) -> Access:
    """Return what the policy node does; servo: an arm's goals go to MoveIt Servo.

    With `shadow` set it may not publish a goal to the robot at all.
    """
    joints = (s.topic for s in streams.of_kind(Kind.JOINTS) if s.required)
    heard = _topics(streams, Kind.CAMERA, Kind.GRIPPER, Kind.INSTRUCTION, Kind.ESTOP, *_MEASURED)
    heard |= _poses(streams) | frozenset(joints) | _given(values["teleop_topic"])
    goals = _told(streams)
    shadow = frozenset(f"~/shadow/{topic}" for topic in goals)
    said = frozenset({"~/status", "~/action_chunk", "/diagnostics"})
    recorder = values["recorder"]
    asked = _given(*(f"{recorder}/{name}" for name in RECORDER_SERVICES if recorder))
    asked |= frozenset(f"{values['servo_node']}/{name}" for name in _SERVO if servo)
    services = ("start", "stop", "reset_estop", "set_instruction")
    own = Access(
        publishes=said | shadow | (_NONE if values["shadow"] else goals),
        subscribes=heard | _given(f"{recorder}/status" if recorder else ""),
        serves=_own(*services),
        requests=asked,
        executes=_own("run"),
    )
    return own | ANY_NODE | CLOCK | LIFECYCLE


def recorder_access(streams: StreamTable, values: Values) -> Access:
    """Return what the recorder does; with `all_topics` it hears everything."""
    extra = (name.strip() for name in values["extra_topics"].split(","))
    heard = frozenset(streams.by_topic()) | frozenset(name for name in extra if name)
    heard |= _given(values["intervention_topic"], values["command_topic"])
    services = ("start", "keep", "discard", "toggle", "mark_success", "mark_failure")
    own = Access(
        publishes=_own("status", "episode_event"),
        subscribes=frozenset({"/*"}) if values["all_topics"] else heard,
        serves=_own(*services, "intervention", "toggle_intervention", "set_instruction"),
    )
    return own | ANY_NODE | CLOCK | LIFECYCLE


def teleop_access(streams: StreamTable, values: Values) -> Access:
    """Return what teleoperation does with the devices that its parameters name."""
    devices = (
        "joy",
        "console",
        "twist",
        "base_twist",
        "pose",
        "clutch",
        "gripper",
        "policy_status",
    )
    heard = _given(*(values[f"{device}_topic"] for device in devices))
    keys = (f"{values['recorder']}/{service}" for service in RECORDER_KEYS.values())
    said = frozenset({values["active_topic"], "~/authority"})
    own = Access(
        publishes=said | _told(streams),
        subscribes=heard | _poses(streams) | _topics(streams, Kind.ESTOP, *_MEASURED),
        serves=_own("reset_estop", "stop"),
        requests=frozenset(keys) if values["keyboard"] else _NONE,
    )
    return own | ANY_NODE | CLOCK


def sim_access(streams: StreamTable, values: Values) -> Access:
    """Return what the simulated robot does, with a clock of its own as well."""
    cameras = frozenset(
        topic
        for stream in streams.of_kind(Kind.CAMERA)
        for topic in camera_topics(stream, compressed=values["compressed"]).all
    )
    poses = frozenset(s.topic for s in streams.of_kind(Kind.POSE) if s.type == POSE_STAMPED)
    said = cameras | poses | _topics(streams, Kind.GRIPPER, Kind.JOINTS, *_MEASURED)
    said |= _topics(streams, Kind.INSTRUCTION) | _own("status")
    own = Access(publishes=said | {"/clock"}, subscribes=_told(streams), serves=_own("reset"))
    return own | ANY_NODE


def console_access(streams: StreamTable) -> Access:
    """Return what the operator's console does: it watches, calls, and passes on a held dead-man."""
    reports = {"policy/status", "policy/action_chunk", "recorder/status", "recorder/episode_event"}
    reports |= {"teleop/authority", "teleop/active", "sim/status"}
    cameras = frozenset(
        topic
        for stream in streams.of_kind(Kind.CAMERA)
        for topic in camera_topics(stream, compressed=True).images.values()
    )
    asked = {f"recorder/{name}" for name in CONSOLE_RECORDER_SERVICES}
    asked |= {"policy/start", "policy/stop", "policy/reset_estop", "policy/set_instruction"}
    asked |= {"teleop/stop", "teleop/reset_estop", "recorder/set_instruction", "sim/reset"}
    own = Access(
        publishes=_own("teleop", "command"),
        subscribes=frozenset(reports) | cameras | _poses(streams)
        | _topics(streams, Kind.GOAL, Kind.ESTOP, Kind.INSTRUCTION),
        requests=frozenset(asked),
    )  # fmt: skip
    return own | ANY_NODE | CLOCK


def operator_access(streams: StreamTable, nodes: Mapping[str, Access]) -> Access:
    """Return what a person's tools may do with these nodes: call, listen, instruct and stop."""
    reports = {
        f"{node}/{topic[2:]}"
        for node, access in nodes.items()
        for topic in access.publishes
        if topic.startswith("~/") and not topic.startswith("~/shadow/")
    }
    services = {
        f"{node}/{name.removeprefix('~/')}"
        for node, access in nodes.items()
        for name in access.serves
    }
    own = Access(
        publishes=_topics(streams, Kind.INSTRUCTION, Kind.ESTOP),
        subscribes=frozenset(reports | {"/diagnostics", "/rosout"}),
        requests=frozenset(services),
        calls=frozenset(
            f"{node}/{name.removeprefix('~/')}"
            for node, access in nodes.items()
            for name in access.executes
        ),
    )
    return own | ANY_NODE | CLOCK


def _topics(streams: StreamTable, *kinds: Kind) -> Names:
    return frozenset(stream.topic for kind in kinds for stream in streams.of_kind(kind))


def _told(streams: StreamTable) -> Names:
    """Return the topics that move the robot."""
    return frozenset(s.topic for s in streams if s.role.direction is Direction.OUTPUT)


def _poses(streams: StreamTable) -> Names:
    poses: tuple[Stream, ...] = streams.of_kind(Kind.POSE)
    static = streams.find(Kind.TF_STATIC)
    topics = frozenset(stream.topic for stream in poses)
    by_tf = static is not None and any(stream.type == TF_MESSAGE for stream in poses)
    return topics | ({static.topic} if static is not None and by_tf else _NONE)


def _own(*names: str) -> Names:
    return frozenset(f"~/{name}" for name in names)


def _given(*topics: str) -> Names:
    """Return the topics of parameters that are empty where there is none."""
    return frozenset(topic for topic in topics if topic)
