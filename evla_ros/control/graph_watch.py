# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who else is in the graph: publishers that cannot be heard, rivals, commands nobody takes.

An adapter looks at the graph now and then (once a second is often enough) and tells all it sees
there; each call replaces what the same call said before. What was never told is no fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evla_ros.control.reasons import Finding, Reason


class UnheardPublisher(NamedTuple):
    """A publisher of a control topic whose QoS no subscription of this node matches.

    topic: resolved name. node: full name of the publisher's node. policy: what does not fit, such
    as `durability volatile`.
    """

    topic: str
    node: str
    policy: str


class GraphWatch:
    """Newest facts about the graph, and which of them forbid motion."""

    def __init__(self, *, allow_unheard_goals: bool = False) -> None:
        """Take whether motion is allowed while nobody takes the commands."""
        self._allow_unheard = allow_unheard_goals
        self._unheard: tuple[UnheardPublisher, ...] = ()
        self._poses: dict[str, tuple[str, ...]] = {}
        self._goals: dict[str, tuple[str, ...]] = {}
        self._listeners: dict[str, int] = {}
        self._listening = False

    def set_listening(self, listening: bool) -> bool:
        """Take whether publishers of control topics may still be unknown; returns whether changed.

        The middleware takes seconds to find those that were there before.
        """
        before, self._listening = self._listening, listening
        return before != listening

    def set_unheard(self, publishers: Sequence[UnheardPublisher]) -> bool:
        """Take every publisher of a control topic that cannot be heard; returns whether changed."""
        before, self._unheard = self._unheard, tuple(sorted(publishers))
        return before != self._unheard

    def set_pose_publishers(self, topic: str, nodes: Sequence[str]) -> bool:
        """Take all nodes that publish a measured pose, one name a publisher; more than one clash.

        Returns whether something changed.
        """
        return _replaced(self._poses, topic, nodes)

    def set_rival_goal_publishers(self, topic: str, nodes: Sequence[str]) -> bool:
        """Take the other nodes that publish goals on a topic of ours; any of them is a conflict.

        Leave out this node, and a node that announces itself before it sends (teleoperation).
        Returns whether something changed.
        """
        return _replaced(self._goals, topic, nodes)

    def set_listeners(self, topic: str, count: int) -> bool:
        """Take how many subscribe to a goal topic or gripper command; returns whether changed."""
        before = self._listeners.get(topic)
        self._listeners[topic] = count
        return before != count

    def findings(self) -> list[Finding]:
        """Return everything that forbids motion."""
        found = [
            Finding(Reason.CONTROL_UNHEARD, f"{topic}: {node} offers {policy}")
            for topic, node, policy in self._unheard
        ]
        for topic, nodes in self._poses.items():
            if len(nodes) > 1:
                found.append(Finding(Reason.POSE_CONFLICT, f"{topic}: {', '.join(nodes)}"))
        for topic, nodes in self._goals.items():
            if nodes:
                found.append(Finding(Reason.GOAL_CONFLICT, f"{topic}: {', '.join(nodes)}"))
        if self._listening:
            found.append(Finding(Reason.LISTENING))
        if not self._allow_unheard:
            silent = [topic for topic, count in self._listeners.items() if count == 0]
            found += [Finding(Reason.GOAL_UNHEARD, topic) for topic in silent]
        return found


def _replaced(known: dict[str, tuple[str, ...]], topic: str, nodes: Sequence[str]) -> bool:
    before = known.get(topic, ())
    known[topic] = tuple(sorted(nodes))
    return before != known[topic]
