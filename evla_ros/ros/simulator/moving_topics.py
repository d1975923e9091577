# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The base and the axes of the simulated robot on their topics: what is told, what is measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node

from evla_ros.data.codecs.axis import axes_fields, axis_from_cdr
from evla_ros.data.codecs.base import odometry_fields, velocity_from_cdr
from evla_ros.embodiment.streams import JOINT_STATE, Kind, Stream, by_topic, streams_of
from evla_ros.errors import EvlaError
from evla_ros.ros.callbacks import subscribe
from evla_ros.ros.message_types import message_class, new_message
from evla_ros.ros.qos import reliable
from evla_ros.sim.demonstrations import ODOM_FRAME
from evla_ros.sim.world import World


class MovingTopics:
    """Publishes odometry, and the positions of axes that are not in the joint states."""

    def __init__(self, node: Node, world: World) -> None:
        """Create the publishers of what the robot has."""
        self._world, streams = world, streams_of(world.embodiment)

        def publisher(stream: Stream) -> Any:
            return node.create_publisher(message_class(stream.type), stream.topic, reliable(5))

        odometry = streams.find(Kind.ODOMETRY)
        self._odometry = None if odometry is None else (odometry, publisher(odometry))
        own = [s for s in streams.of_kind(Kind.AXIS) if s.type != JOINT_STATE]
        self._axes = [(stream, publisher(stream)) for stream in own]

    def publish(self, stamp_ns: int) -> None:
        """Publish what is measured now."""
        world, body = self._world, self._world.embodiment
        if self._odometry is not None and world.base is not None and body.base is not None:
            stream, out = self._odometry
            frames = (ODOM_FRAME, body.base.frame)
            pose, velocity = world.base.pose(world.data), world.base.velocity(world.data)
            out.publish(new_message(stream.type, odometry_fields(frames, pose, velocity), stamp_ns))
        positions = {axis.name: axis.position(world.data) for axis in world.axes}
        for stream, out in self._axes:
            fields = axes_fields([stream], [positions[stream.key.name]])
            out.publish(new_message(stream.type, fields, stamp_ns))


class MovingCommands:
    """Hears velocities and position goals, and tells the world."""

    def __init__(self, node: Node, world: World, refuse: Callable[[str], None]) -> None:
        """Subscribe to what the robot has; refuse: says why a command is not obeyed."""
        self._world, self._refuse = world, refuse
        streams = streams_of(world.embodiment)
        base = streams.find(Kind.BASE_COMMAND)
        if base is not None:
            self._hear(node, base, partial(self._on_velocity, base))
        for group in by_topic(streams.of_kind(Kind.AXIS_COMMAND)).values():
            self._hear(node, group[0], partial(self._on_positions, group))

    @staticmethod
    def _hear(node: Node, stream: Stream, taker: Callable[[bytes], None]) -> None:
        kind = message_class(stream.type)
        subscribe(node, kind, stream.topic, taker, reliable(10), raw=True)

    def _on_velocity(self, stream: Stream, data: bytes) -> None:
        base = self._world.embodiment.base
        try:
            command = velocity_from_cdr(stream, data)
        except EvlaError as error:
            self._refuse(f"velocity of the base: {error}")
            return
        if base is not None and command.frame not in ("", base.frame):
            self._refuse(f"velocity in frame {command.frame!r}; this base takes {base.frame!r}")
            return
        self._world.command_base(command.velocity)

    def _on_positions(self, group: tuple[Stream, ...], data: bytes) -> None:
        names = [axis.name for axis in self._world.axes]
        for stream in group:
            try:
                position = axis_from_cdr(stream, data).position
            except EvlaError as error:
                self._refuse(f"goal of axis {stream.key.name}: {error}")
                return
            if position is None:
                self._refuse(f"goal without joint {stream.selector[0]!r}")
            elif not self._world.command_axis(names.index(stream.key.name), position):
                self._refuse(f"goal {position} of axis {stream.key.name}")
