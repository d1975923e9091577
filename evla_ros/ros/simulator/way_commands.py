# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arms of the simulated robot that take whole ways, as a Cartesian trajectory controller does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rclpy.node import Node

from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.goal import CommandedWay, way_from_cdr
from evla_ros.embodiment.streams import POSE_TRAJECTORY, Kind, streams_of
from evla_ros.geometry import pose_on_way
from evla_ros.ros.callbacks import subscribe
from evla_ros.ros.message_types import message_class
from evla_ros.ros.qos import newest_only
from evla_ros.sim.world import World


class WayCommands:
    """Hears ways and leads the arms along them; the newest way replaces the one before."""

    def __init__(self, node: Node, world: World, refuse: Callable[[str], None]) -> None:
        """Subscribe for the arms that are told ways; refuse: says why one is not followed."""
        self._world, self._refuse = world, refuse
        self._ways: dict[str, tuple[int, CommandedWay]] = {}
        self._now_ns = 0
        for stream in streams_of(world.embodiment).of_kind(Kind.GOAL):
            if stream.type == POSE_TRAJECTORY:
                taker = partial(self._on_way, stream.key.name)
                kind = message_class(stream.type)
                subscribe(node, kind, stream.topic, taker, newest_only(), raw=True)

    def step(self, passed_ns: int) -> None:
        """Lead the arms on; `passed_ns`: simulated time since the last step."""
        self._now_ns += passed_ns
        for arm, (begun_ns, told) in self._ways.items():
            goal = pose_on_way(told.start, told.way, self._now_ns - begun_ns)
            self._world.command(arm, goal)

    def clear(self) -> None:
        """Forget every way: an episode begins."""
        self._ways.clear()

    def _on_way(self, arm: str, data: bytes) -> None:
        try:
            way = way_from_cdr(data, self._world.embodiment.base_frame).way
        except BadSampleError as error:
            self._refuse(f"goal of {arm}: {error}")
            return
        names = [one.name for one in self._world.embodiment.arms]
        start = self._world.arms[names.index(arm)].pose(self._world.data)
        self._ways[arm] = (self._now_ns, CommandedWay(start, way))
