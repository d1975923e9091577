# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Take a lifecycle node from state to state, and hear from its log why it does not go."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Log
from rclpy.qos import DurabilityPolicy, QoSProfile

from evla_ros.ros.operator.client import NotDoneError, OperatorClient

SERVICE = "change_state"
UNCONFIGURED, _INACTIVE, _ACTIVE = (
    State.PRIMARY_STATE_UNCONFIGURED,
    State.PRIMARY_STATE_INACTIVE,
    State.PRIMARY_STATE_ACTIVE,
)
# Per word the states that it is possible in, and the number of the transition from there.
TRANSITIONS: Mapping[str, Mapping[int, int]] = MappingProxyType(
    {
        "configure": {UNCONFIGURED: Transition.TRANSITION_CONFIGURE},
        "activate": {_INACTIVE: Transition.TRANSITION_ACTIVATE},
        "deactivate": {_ACTIVE: Transition.TRANSITION_DEACTIVATE},
        "cleanup": {_INACTIVE: Transition.TRANSITION_CLEANUP},
        "shutdown": {
            UNCONFIGURED: Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
            _INACTIVE: Transition.TRANSITION_INACTIVE_SHUTDOWN,
            _ACTIVE: Transition.TRANSITION_ACTIVE_SHUTDOWN,
        },
    }
)
WORDS = (*TRANSITIONS, "state")
_NEXT = {UNCONFIGURED: "configure", _INACTIVE: "activate", _ACTIVE: "deactivate"}
_ANSWER_S, _LOG_S = 15.0, 1.0


def state_of(client: OperatorClient, node: str) -> State:
    """Return the state of a lifecycle node."""
    answer = client.ask(node, "get_state", GetState, GetState.Request(), _ANSWER_S)
    return answer.current_state


def change(client: OperatorClient, node: str, word: str, limit_s: float) -> str:
    """Ask for a transition; returns in a sentence what came of it.

    Raises:
        NotDoneError: The node refuses, with the reason that it writes into its log.
    """
    before = state_of(client, node)
    number = TRANSITIONS[word].get(before.id)
    if number is None:
        way = _NEXT.get(before.id)
        hint = f"; from there it can {way}" if way else ""
        raise NotDoneError(f"{node} is {before.label} and cannot {word}{hint}")
    log = _Log(client, node)
    request = ChangeState.Request(transition=Transition(id=number))
    answer = client.ask(node, SERVICE, ChangeState, request, limit_s)
    if not answer.success:
        client.spin_until(lambda: log.said, _LOG_S)
        raise NotDoneError(log.said or f"{node} could not {word}; its log says why")
    return f"{node} is {state_of(client, node).label}"


class _Log:
    """The newest error that a node has written since this began to listen."""

    def __init__(self, client: OperatorClient, node: str) -> None:
        self._name = node.strip("/").replace("/", ".")
        self.said = ""
        # Not latched: what went wrong before is not the answer to this call.
        qos = QoSProfile(depth=100, durability=DurabilityPolicy.VOLATILE)
        client.hear(Log, "/rosout", self._take, qos)

    def _take(self, message: Log) -> None:
        if message.name == self._name and message.level >= _level(Log.ERROR):
            self.said = message.msg


def _level(value: int | bytes) -> int:
    return value[0] if isinstance(value, bytes) else int(value)
