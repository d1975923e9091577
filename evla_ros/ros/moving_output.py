# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What leaves the node towards a mobile base and single joints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node

from evla_ros.control.ticks import Told
from evla_ros.data.codecs.axis import axes_fields
from evla_ros.data.codecs.base import velocity_fields
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import JOINT_TRAJECTORY, Kind, Stream, by_topic, streams_of
from evla_ros.ros.message_types import message_class, new_message
from evla_ros.ros.qos import stream_profile

# A trajectory takes this many goal periods: one that ended before the next comes would stop there.
_PERIODS = 2.0


class MovingOutput:
    """Publishers of the base and of the axes; nothing for a robot without."""

    def __init__(self, node: Node, embodiment: Embodiment, prefix: str) -> None:
        """Create the publishers; prefix: stands before every topic."""
        streams = streams_of(embodiment)
        self._names = [axis.name for axis in embodiment.axes]
        self._frame = "" if embodiment.base is None else embodiment.base.frame
        self._base = streams.find(Kind.BASE_COMMAND)
        self._within_s = _PERIODS / embodiment.goal_rate_hz

        def publisher(stream: Stream) -> Any:
            kind, profile = message_class(stream.type), stream_profile(stream)
            return node.create_publisher(kind, prefix + stream.topic, profile)

        self._base_out = None if self._base is None else publisher(self._base)
        groups = by_topic(streams.of_kind(Kind.AXIS_COMMAND))
        self._axes = [(group, publisher(group[0])) for group in groups.values()]

    def publish(self, told: Told, now_ns: int) -> None:
        """Send the velocity of the base and the positions of the axes; None is silence."""
        if told.base is not None and self._base is not None and self._base_out is not None:
            fields = velocity_fields(self._base, self._frame, told.base)
            self._base_out.publish(new_message(self._base.type, fields, now_ns))
        positions = dict(zip(self._names, told.axes, strict=False))
        for group, out in self._axes:
            known = [positions.get(stream.key.name) for stream in group]
            goals = [position for position in known if position is not None]
            if len(goals) == len(group):
                out.publish(self._axis_message(group, goals, now_ns))

    def _axis_message(self, group: Sequence[Stream], goals: Sequence[float], now_ns: int) -> Any:
        fields, kind = axes_fields(group, goals, self._within_s), group[0].type
        # A trajectory's stamp is when it begins: 0 is at once; one in the past would be refused.
        return new_message(kind, fields, 0 if kind == JOINT_TRAJECTORY else now_ns)

    def listeners(self) -> dict[str, int]:
        """Return per topic how many subscriptions match."""
        return {str(out.topic_name): out.get_subscription_count() for out in self._publishers()}

    def flush(self, timeout_s: float) -> None:
        """Wait until every reliable reader has the last command."""
        for out in self._publishers():
            out.wait_for_all_acked(Duration(seconds=timeout_s))

    def destroy(self, node: Node) -> None:
        """Destroy the publishers."""
        for out in self._publishers():
            node.destroy_publisher(out)
        self._base_out, self._axes = None, []

    def _publishers(self) -> list[Any]:
        base = [] if self._base_out is None else [self._base_out]
        return [*base, *(out for _, out in self._axes)]
