# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cameras, taken from the middleware only when a picture is wanted.

A subscription that no executor serves keeps its newest message in the middleware; a thread takes it
as often as pages look, and nothing is subscribed to that nobody looks at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from evla_ros.console.library.clip import as_jpeg
from evla_ros.console.server.robot import Picture
from evla_ros.data.messages import header_stamp_ns
from evla_ros.embodiment.streams import COMPRESSED_IMAGE, Kind, Stream, StreamTable
from evla_ros.errors import EvlaError
from evla_ros.ros.guarded_executor import taken
from evla_ros.ros.message_types import message_class
from evla_ros.ros.qos import newest_only
from evla_ros.ros.unserved_group import UnservedGroup

UNWATCHED_S = 3.0
LOOK_S = 2.0
_MOST_AGE_S = 60.0


class Tap:
    """One camera: raw, or as JPEG where somebody publishes that beside it."""

    def __init__(self, node: Node, stream: Stream, group: CallbackGroup, quality: int) -> None:
        self.name = stream.key.name
        self._node, self._stream, self._group, self._quality = node, stream, group, quality
        self._subscription: Any = None
        self._type = stream.type
        self._looked_s = 0.0
        self.picture: Picture | None = None
        self.problem = ""
        self._number = 0

    def close(self) -> None:
        """Unsubscribe."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription, self.picture, self.problem = None, None, ""

    def take(self) -> bool:
        """Take the newest message; returns whether there is a new picture."""
        self._look()
        newest = None
        while (found := taken(self._taken, self._subscription)) is not None:
            newest = found[0]
        if newest is None:
            return False
        try:
            jpeg = as_jpeg(newest, self._type, self._quality)
        except EvlaError as error:
            self.problem = str(error)
            return False
        self._number += 1
        self.problem = ""
        self.picture = Picture(self._number, jpeg, self._age_s(newest), time.monotonic())
        return True

    @staticmethod
    def _taken(subscription: Any) -> Any:
        with subscription.handle:
            return subscription.handle.take_message(subscription.msg_type, True)

    def _look(self) -> None:
        """Subscribe, to the compressed topic where it has a publisher."""
        now_s = time.monotonic()
        if self._subscription is not None and now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        topic, kind = self._stream.topic, self._stream.type
        beside = f"{topic}/compressed"
        if kind != COMPRESSED_IMAGE and self._node.count_publishers(beside):
            topic, kind = beside, COMPRESSED_IMAGE
        if self._subscription is not None and kind == self._type:
            return
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._type = kind
        self._subscription = self._node.create_subscription(
            message_class(kind), topic, _nothing, newest_only(), raw=True,
            callback_group=self._group,
        )  # fmt: skip

    def _age_s(self, data: bytes) -> float:
        """Return how old a message is by its stamp; -1 where its clock is another one."""
        now_ns = self._node.get_clock().now().nanoseconds
        age_s = (now_ns - header_stamp_ns(data)) / 1e9 if len(data) >= 12 else -1.0
        return age_s if 0.0 <= age_s < _MOST_AGE_S else -1.0


class Cameras:
    """Takes the pictures of those that are looked at, in a thread of its own."""

    def __init__(
        self, node: Node, streams: StreamTable, video_hz: float, quality: int,
        on_picture: Callable[[], object],
    ) -> None:  # fmt: skip
        group = UnservedGroup()
        self._taps = {
            stream.key.name: Tap(node, stream, group, quality)
            for stream in streams.of_kind(Kind.CAMERA)
        }
        self._period_s, self._on_picture = 1.0 / video_hz, on_picture
        self._wanted: dict[str, float] = {}
        self._watched: frozenset[str] = frozenset()
        self._ended, self._awake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="cameras", daemon=True)
        self._thread.start()

    def watch(self, names: Sequence[str]) -> None:
        """Say which are looked at now."""
        self._watched = frozenset(names) & set(self._taps)
        if self._watched:
            self._awake.set()

    def picture(self, name: str) -> Picture | None:
        """Return a camera's newest picture."""
        tap = self._taps.get(name)
        return None if tap is None else tap.picture

    def problems(self) -> dict[str, str]:
        """Return why pictures cannot be shown, by camera."""
        return {name: tap.problem for name, tap in self._taps.items() if tap.problem}

    def close(self) -> None:
        """End the thread and unsubscribe."""
        self._ended.set()
        self._awake.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._ended.is_set():
            begun_s = time.monotonic()
            watched = self._watched
            self._wanted.update(dict.fromkeys(watched, begun_s))
            new = False
            for name, wanted_s in list(self._wanted.items()):
                if begun_s - wanted_s > UNWATCHED_S:
                    self._taps[name].close()
                    del self._wanted[name]
                elif name in watched:
                    new = self._taps[name].take() or new
            if new:
                self._on_picture()
            if self._wanted:
                self._ended.wait(max(0.0, self._period_s - (time.monotonic() - begun_s)))
            else:
                self._awake.wait()
                self._awake.clear()
        for tap in self._taps.values():
            tap.close()


def _nothing(_data: bytes) -> None:
    """No executor serves the subscription."""
