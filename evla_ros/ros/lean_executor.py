# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A single-threaded executor that spends little on each message.

For every message rclpy's own gathers all entities anew, and wakes twice more. This one keeps its
wait set and hands messages over itself; everything else it leaves to rclpy's. rclpy's experimental
EventsExecutor costs as little, but fails on callbacks that take a message's info (Jazzy), and
Humble has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from itertools import chain
from typing import Any

from rclpy.executors import ShutdownException, TimeoutException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.subscription import Subscription

from evla_ros.ros.guarded_executor import GuardedExecutor, taken
from evla_ros.ros.unserved_group import UnservedGroup

try:
    from rclpy.exceptions import InvalidHandle
except ImportError:  # Humble
    from rclpy.handle import InvalidHandle

_LOOK_S = 0.5
_NO_EVENTS = 0


class LeanExecutor(GuardedExecutor):
    """Subscription callbacks must be plain functions, each may run whenever a message comes.

    Timers, services, clients, guard conditions and actions are served at once, as ever; events of
    the quality of service within half a second.
    """

    def __init__(self, **arguments: Any) -> None:
        """Take what rclpy's executor takes."""
        super().__init__(**arguments)
        self._held = ExitStack()
        self._wait_set: Any = None
        self._waited_for: list[tuple[Callable[[Any], Any], Any]] = []
        self._subscriptions: dict[int, Subscription] = {}
        self._node_guards: list[Any] = []
        self._actions: list[Any] = []
        self._stale, self._looked_s = True, 0.0

    def spin(self) -> None:
        """Serve until shutdown; as rclpy's own does where its inner parts are not as expected."""
        try:
            self._gather()
        except (AttributeError, TypeError):
            self._held.close()
            super().spin()
            return
        try:
            while self._context.ok() and not self._is_shutdown:
                self._turn()
        finally:
            self._held.close()

    def _turn(self) -> None:
        """Wait for something and serve it."""
        if self._stale:
            self._gather()
        wait_set = self._wait_set
        wait_set.clear_entities()
        for add, handle in self._waited_for:
            add(handle)
        for action in self._actions:
            action.add_to_wait_set(wait_set)
        wait_set.wait(round(_LOOK_S * 1e9))
        if self._is_shutdown or not self._context.ok():
            return
        others = self._others_ready()
        for pointer in wait_set.get_ready_entities("subscription"):
            if pointer in self._subscriptions:
                _hand_over(self._subscriptions[pointer])
            else:  # the feedback or the status of an action client
                others = True
        if others or time.monotonic() - self._looked_s > _LOOK_S:
            self._serve_others()

    def _others_ready(self) -> bool:
        """Return whether anything but messages is ready."""
        ready = self._wait_set.get_ready_entities
        triggered = ready("guard_condition")
        self._stale = self._stale or bool(triggered)
        for guard in self._node_guards:
            # Waiting took the trigger away; where this is set, rclpy triggers it again.
            guard._executor_triggered |= guard.handle.pointer in triggered  # noqa: SLF001
        if triggered and (self._node_guards or self._has_tasks()):
            return True
        return any(ready(kind) for kind in ("timer", "service", "client"))

    def _has_tasks(self) -> bool:
        ready = getattr(self, "_ready_tasks", None)  # since Lyrical
        if ready is not None:
            return bool(ready)
        return any(not task.done() for task, *_ in self._tasks)

    def _serve_others(self) -> None:
        """Let rclpy do one round of its own; afterwards there may be other entities.

        rclpy hands over a task again and again that waits for something: it gets one turn a round.
        """
        self._stale, self._looked_s = True, time.monotonic()
        waiting: set[int] = set()
        try:
            while True:
                task, _, _ = self.wait_for_ready_callbacks(0)
                if id(task) in waiting:
                    return
                task()
                if task.done():
                    task.result()
                else:
                    waiting.add(id(task))
        except (TimeoutException, ShutdownException):
            return

    def _gather(self) -> None:
        """Make the wait set of what the nodes have now, and keep that alive until the next one."""
        self._held.close()
        nodes = self.get_nodes()
        everything = chain(*(node.subscriptions for node in nodes))
        unserved = UnservedGroup
        subscriptions = [s for s in everything if not isinstance(s.callback_group, unserved)]
        self._node_guards = list(chain(*(node.guards for node in nodes)))
        kinds = {
            "subscription": subscriptions,
            "guard_condition": [*self._node_guards, *self._own_guards()],
            "timer": list(chain(*(node.timers for node in nodes))),
            "client": list(chain(*(node.clients for node in nodes))),
            "service": list(chain(*(node.services for node in nodes))),
        }
        handles = {kind: self._alive(entities) for kind, entities in kinds.items()}
        self._actions = self._alive_actions(nodes)
        self._held.enter_context(self._context.handle)
        counts = {kind: len(found) for kind, found in handles.items()}
        for action in self._actions:
            entities = action.get_num_entities()
            for kind in counts:
                counts[kind] += getattr(entities, f"num_{kind}s")
        self._wait_set = rclpy_implementation.WaitSet(
            *counts.values(), _NO_EVENTS, self._context.handle
        )
        self._waited_for = [
            (getattr(self._wait_set, f"add_{kind}"), handle)
            for kind, found in handles.items()
            for handle in found
        ]
        alive = {handle.pointer for handle in handles["subscription"]}
        pairs = ((found.handle.pointer, found) for found in subscriptions)
        self._subscriptions = {pointer: found for pointer, found in pairs if pointer in alive}
        self._stale = False

    def _own_guards(self) -> list[Any]:
        """Return what wakes this executor; after a shutdown nothing does."""
        return [guard for guard in (self._guard, self._sigint_gc) if guard is not None]

    def _alive_actions(self, nodes: Iterable[Any]) -> list[Any]:
        """Return the action servers and clients; other waitables are events of the middleware."""
        found = []
        for waitable in chain(*(node.waitables for node in nodes)):
            entities = waitable.get_num_entities()
            if not (entities.num_services or entities.num_clients):
                continue
            try:
                self._held.enter_context(waitable)
                found.append(waitable)
            except InvalidHandle:  # destroyed in another thread just now
                continue
        return found

    def _alive(self, entities: list[Any]) -> list[Any]:
        found = []
        for entity in entities:
            try:
                self._held.enter_context(entity.handle)
                found.append(entity.handle)
            except InvalidHandle:  # destroyed in another thread just now
                continue
        return found


def _hand_over(subscription: Subscription) -> None:
    """Take one message and call back with it, and with its info where the callback wants that."""
    found = taken(_take, subscription)
    if found is None:
        return
    kinds = getattr(Subscription, "CallbackType", None)  # Humble has none: always the message alone
    if kinds is not None and subscription._callback_type is kinds.WithMessageInfo:  # noqa: SLF001
        subscription.callback(*found)
    else:
        subscription.callback(found[0])


def _take(subscription: Subscription) -> Any:
    with subscription.handle:
        return subscription.handle.take_message(subscription.msg_type, subscription.raw)
