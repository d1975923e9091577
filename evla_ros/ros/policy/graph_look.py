# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the policy node sees of the graph around its control topics, poses and commands."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rclpy.node import Node

from evla_ros.embodiment.streams import BOOL, StreamTable
from evla_ros.ros.command_output import CommandOutput
from evla_ros.ros.control_topics import ControlTopic
from evla_ros.ros.graph import GraphView, other_publishers, pose_publishers, publishers_of


class GraphLook:
    """Looks at the graph now and then; a look takes about half a millisecond."""

    def __init__(
        self,
        node: Node,
        streams: StreamTable,
        controls: Sequence[ControlTopic],
        output: CommandOutput,
        teleop_topic: str,
        listen_first_s: float,
    ) -> None:
        """Take what to look at.

        Args:
            node: The policy node.
            streams: Of its robot.
            controls: Its control topics.
            output: Its commands; in shadow mode they are nobody's concern.
            teleop_topic: Who publishes it (teleoperation) may publish goals; empty: nobody may.
            listen_first_s: From now on the control topics are listened to for this long [s of real
                time] before a start.
        """
        self._node, self._streams, self._controls = node, streams, controls
        self._output, self._teleop_topic = output, teleop_topic
        self._listen_until_s = time.monotonic() + listen_first_s
        self._before: set[str] = set()

    def look(self, *, at_once: bool = False) -> GraphView:
        """Return what is there now.

        Args:
            at_once: Name a rival at its first sight. Otherwise at the second: of a teleoperation
                node that has just started, its goal topic may be known before the other one.
        """
        rivals = {topic: self._rivals(topic) for topic in self._output.goal_topics()}
        before, self._before = self._before, {name for names in rivals.values() for name in names}
        return GraphView(
            [publisher for control in self._controls for publisher in control.unheard()],
            pose_publishers(self._node, self._streams),
            {
                topic: [name for name in names if at_once or name in before]
                for topic, names in rivals.items()
            },
            self._output.listeners(),
            time.monotonic() < self._listen_until_s,
        )

    def _rivals(self, topic: str) -> list[str]:
        others = other_publishers(self._node, topic)
        if not others or not self._teleop_topic:
            return others
        announcers = [
            p.node for p in publishers_of(self._node, self._teleop_topic) if p.type == BOOL
        ]
        return [name for name in others if name not in announcers]
