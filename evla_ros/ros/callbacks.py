# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every subscription, service and timer of our nodes is made here.

A callback that raises says so in one line of the log and tells its node, which goes on living.
"""

from __future__ import annotations

import functools
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from std_msgs.msg import String

from evla_ros.data.messages import decode_string
from evla_ros.embodiment.streams import Stream
from evla_ros.errors import EvlaError
from evla_ros.ros.message_types import message_class
from evla_ros.ros.qos import stream_profile

OnFailure = Callable[[str], object]
_REPEAT_S = 1.0


def subscribe(
    node: Node,
    kind: Any,
    topic: str,
    callback: Callable[..., object],
    qos: QoSProfile,
    on_failure: OnFailure | None = None,
    *,
    raw: bool = False,
    **options: Any,
) -> Subscription:
    """Subscribe to a topic.

    Bytes come from the middleware and become a message here: what cannot be read is a failure of
    this callback, where rclpy would drop it in silence or end the executor.

    Args:
        node: Whose subscription it is.
        kind: Message class.
        topic: Name, relative to the node's namespace.
        callback: Takes the message, and its info where rclpy hands it over.
        qos: Quality of service.
        on_failure: Told in one sentence when the callback raises, beside the log.
        raw: Hand over the serialised bytes instead of the message.
        options: What `create_subscription` takes besides.
    """
    taker = callback if raw else _reading(kind, callback)
    safe = _guarded(node, f"topic {topic}", taker, on_failure)
    return node.create_subscription(kind, topic, safe, qos, raw=True, **options)


def subscribe_stream(
    node: Node,
    stream: Stream,
    callback: Callable[..., object],
    on_failure: OnFailure | None = None,
    *,
    raw: bool = False,
) -> Subscription:
    """Subscribe to a row of the robot's table of topics; see `subscribe`."""
    kind, qos = message_class(stream.type), stream_profile(stream)
    return subscribe(node, kind, stream.topic, callback, qos, on_failure, raw=raw)


def serve(
    node: Node,
    kind: Any,
    name: str,
    action: Callable[[Any], str | Awaitable[str]],
    on_failure: OnFailure | None = None,
    complete: Callable[[Any], None] = lambda _: None,
) -> Service:
    """Offer a service whose answer has `success` and `message`.

    Args:
        node: Whose service it is.
        kind: Service class.
        name: Name of the service, such as `~/start`.
        action: Takes the request and returns the message of success, at once or as something to
            await; an EvlaError is a refusal.
        on_failure: Told in one sentence when the action raises anything else, beside the log.
        complete: Fills in what the answer of a success has besides.
    """
    say = _Failures(node, f"service {name}", on_failure)

    async def answer(request: Any, response: Any) -> Any:
        try:
            said = action(request)
            response.message = said if isinstance(said, str) else await said
            response.success = True
            complete(response)
        except EvlaError as error:
            response.message, response.success = str(error), False
        except Exception as error:  # noqa: BLE001 - the caller gets an answer, the node lives
            response.message, response.success = say(error), False
        return response

    # In a group of its own: rclpy calls nothing else of a group while an answer is awaited.
    group = MutuallyExclusiveCallbackGroup()
    return node.create_service(kind, name, answer, callback_group=group)


def repeat(
    node: Node, period_s: float, action: Callable[[], object], on_failure: OnFailure | None = None
) -> Timer:
    """Call `action` every `period_s` of real time, whatever the node's clock does."""
    safe = _guarded(node, f"timer {getattr(action, '__name__', '')}", action, on_failure)
    return node.create_timer(period_s, safe, clock=Clock(clock_type=ClockType.STEADY_TIME))


def _reading(kind: Any, callback: Callable[..., object]) -> Callable[..., object]:
    """Return the callback for bytes; rclpy reads from its signature what to hand over."""

    @functools.wraps(callback)
    def take(data: bytes, *info: Any) -> object:
        return callback(_message(kind, data), *info)

    return take


def _message(kind: Any, data: bytes) -> Any:
    """Return the message; EvlaError for bytes that are none, and for a text that is not UTF-8."""
    try:
        message = deserialize_message(data, kind)
    except Exception as error:  # of whatever kind the middleware's library has
        what = f"{len(data)} bytes beginning with {data[:4].hex(' ') or 'nothing'}"
        raise EvlaError(f"{what} are no {kind.__name__} that can be read") from error
    if kind is String:
        decode_string(data)  # newer rclpys put U+FFFD where a text is not UTF-8
    return message


def _guarded(
    node: Node, where: str, callback: Callable[..., object], on_failure: OnFailure | None
) -> Callable[..., object]:
    """Return the callback with the same signature, by which rclpy decides what to hand over."""
    say = _Failures(node, where, on_failure)

    @functools.wraps(callback)
    def call(*arguments: Any) -> object:
        try:
            return callback(*arguments)
        except Exception as error:  # noqa: BLE001 - rclpy would end the executor, with it the node
            return say(error)

    return call


class _Failures:
    """Says what a callback raised; of many in a row one a second, with their number."""

    def __init__(self, node: Node, where: str, on_failure: OnFailure | None) -> None:
        self._log, self._where, self._on_failure = node.get_logger(), where, on_failure
        self._said_s, self._unsaid = float("-inf"), 0

    def __call__(self, error: Exception) -> str:
        sentence = f"{self._where}: {_what(error)}"
        now_s = time.monotonic()
        if now_s - self._said_s < _REPEAT_S:
            self._unsaid += 1
        else:
            more = f" (and {self._unsaid} more before)" if self._unsaid else ""
            self._log.error(f"a callback failed: {sentence}{more}")
            self._said_s, self._unsaid = now_s, 0
        if self._on_failure is not None:
            try:
                self._on_failure(sentence)
            except Exception as second:  # noqa: BLE001 - nothing is left but to say it
                self._log.error(f"and nothing could be done about it: {_what(second)}")
        return sentence


def _what(error: Exception) -> str:
    if isinstance(error, EvlaError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    position = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
    return f"{type(error).__name__}: {error} [{position}]"
