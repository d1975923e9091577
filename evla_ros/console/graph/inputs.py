# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the console hears, kept as latest values: status, authority, poses, goals, chunks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Bool, String

from evla_ros.console.graph.reason_level import level_of
from evla_ros.control.reasons import Reason
from evla_ros.data.codecs.pose import pose_from_cdr
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import BOOL, STRING, Kind, streams_of
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose
from evla_ros.msg import ActionChunk, EpisodeEvent, PolicyStatus, RecorderStatus, SimStatus
from evla_ros.ros import callbacks
from evla_ros.ros.arm_input import pose_input
from evla_ros.ros.control_topics import ControlTopic
from evla_ros.ros.message_types import message_class
from evla_ros.ros.operator.status_report import policy_row, recorder_row
from evla_ros.ros.pose_conversion import nanoseconds
from evla_ros.ros.qos import every_sample, latched, reliable

MOST_CHUNKS = 40
GONE_S = 3.0


class Slot:
    """A newest value and when it came."""

    def __init__(self) -> None:
        self.value: Any = None
        self.heard_s = 0.0

    def put(self, value: Any) -> None:
        """Replace the value."""
        self.value, self.heard_s = value, time.monotonic()

    @property
    def age_s(self) -> float | None:
        """Seconds since it came [s]; None before the first."""
        return None if not self.heard_s else round(time.monotonic() - self.heard_s, 3)


class Inputs:
    """Subscribes; `state` is read by the server's thread, whole values are swapped in."""

    def __init__(self, node: Node, embodiment: Embodiment, names: Mapping[str, str]) -> None:
        """`names`: what the nodes are called here."""
        self._node, self._embodiment = node, embodiment
        self._slots: dict[str, Slot] = {}
        self._chunks: deque[dict[str, Any]] = deque(maxlen=MOST_CHUNKS)
        self._reports: deque[str] = deque(maxlen=5)
        self._bag_path = ""
        self._instruction = ""
        self._made: list[Any] = []
        recorder, policy = names["recorder"], names["policy"]
        hear = self._hear
        hear(f"{policy}/status", PolicyStatus, latched(), self._put("policy", _policy_row))
        hear(f"{recorder}/status", RecorderStatus, latched(), self._put("recorder", recorder_row))
        hear(f"{recorder}/episode_event", EpisodeEvent, reliable(), self._on_event)
        hear(f"{names['sim']}/status", SimStatus, every_sample(1), self._put("sim", _sim_row))
        hear(f"{policy}/action_chunk", ActionChunk, reliable(), self._on_chunk)
        hear(f"{names['teleop']}/authority", String, latched(), self._put("authority", _text))
        hear("teleop/active", Bool, latched(), self._put("active", _flag))
        streams = streams_of(embodiment)
        control = (
            (streams.get(Kind.ESTOP), BOOL, self._put("estop", _flag)),
            (streams.get(Kind.INSTRUCTION), STRING, self._put("instruction", _text)),
        )
        self._made += [ControlTopic(node, kind, s.topic, take) for s, kind, take in control]
        for arm in embodiment.arms:
            take, frame = partial(self._on_pose, f"pose:{arm.name}"), embodiment.base_frame
            pose_input(node, streams, arm.name, frame, take, _ignore)
            goal = streams.get(Kind.GOAL, arm.name)
            on_goal = partial(self._on_goal, f"goal:{arm.name}")
            kind = message_class(goal.type)
            callbacks.subscribe(node, kind, goal.topic, on_goal, every_sample(1), raw=True)

    def state(self) -> dict[str, Any]:
        """Return the newest of everything, in values that JSON has."""
        policy, recorder = self._fresh("policy"), self._fresh("recorder")
        estop = self._slot("estop")
        return {
            "policy": policy,
            "recorder": recorder,
            "sim": self._fresh("sim"),
            "authority": self._slot("authority").value,
            "teleop_active": bool(self._slot("active").value),
            "estop": {"heard": estop.age_s is not None, "pressed": bool(estop.value)},
            "instruction": self._slot("instruction").value or "",
            "arms": [self._arm(arm.name) for arm in self._embodiment.arms],
            "chunks": list(self._chunks),
            "reports": list(self._reports),
            "bag_path": self._bag_path,
        }

    def report(self, sentence: str) -> None:
        """Keep a report of an episode for the page."""
        self._reports.appendleft(sentence)

    def _hear(self, topic: str, kind: Any, qos: Any, take: Callable[[Any], object]) -> None:
        self._made.append(callbacks.subscribe(self._node, kind, topic, take, qos))

    def _slot(self, name: str) -> Slot:
        return self._slots.setdefault(name, Slot())

    def _put(self, name: str, row: Callable[[Any], Any]) -> Callable[[Any], None]:
        slot = self._slot(name)

        return lambda message: slot.put(row(message))

    def _fresh(self, name: str) -> dict[str, Any] | None:
        """Return a status with its age; None before the first."""
        slot = self._slot(name)
        if slot.value is None or slot.age_s is None:
            return None
        return {**slot.value, "heard_s": slot.age_s, "silent": slot.age_s > GONE_S}

    def _arm(self, name: str) -> dict[str, Any]:
        row: dict[str, Any] = {"name": name}
        for what in ("pose", "goal"):
            slot = self._slot(f"{what}:{name}")
            row[what], row[f"{what}_age_s"] = slot.value, slot.age_s
        return row

    def _on_pose(self, slot: str, _stamp_ns: int, pose: Pose) -> None:
        self._slot(slot).put([round(float(v), 4) for v in pose.position_m])

    def _on_goal(self, slot: str, data: bytes) -> None:
        try:
            self._on_pose(slot, 0, pose_from_cdr(data, self._embodiment.base_frame).pose)
        except EvlaError:
            return  # whoever follows it says what is wrong with it

    def _on_chunk(self, message: ActionChunk) -> None:
        stamp = nanoseconds(message.header.stamp)
        start, end = nanoseconds(message.inference_start), nanoseconds(message.inference_end)
        self._chunks.append(
            {
                "n": int(message.sequence),
                "at_s": round(stamp / 1e9, 3),
                "old_ms": round((nanoseconds(message.published) - stamp) / 1e6, 1),
                "infer_ms": round((end - start) / 1e6, 1),
                "late_rows": int(message.late_rows),
                "rows": int(message.chunk_length),
                "tick_ms": round(1e3 * message.tick_s, 1),
            }
        )

    def _on_event(self, message: EpisodeEvent) -> None:
        if message.kind == EpisodeEvent.START:
            self._bag_path = str(message.bag_path)


def _policy_row(message: PolicyStatus) -> dict[str, Any]:
    row = policy_row(message)
    return {**row, "level": level_of(row["reason"])}


def _text(message: String) -> str:
    return str(message.data)


def _flag(message: Bool) -> bool:
    return bool(message.data)


def _sim_row(message: SimStatus) -> dict[str, Any]:
    return {
        "task": message.task,
        "instruction": message.instruction,
        "elapsed_s": round(float(message.elapsed_s), 1),
        "success": bool(message.success),
        "succeeded_once": bool(message.succeeded_once),
    }


def _ignore(problem: str, reason: Reason = Reason.INPUT_INVALID) -> None:
    """The nodes that follow the pose say what is wrong with it."""
