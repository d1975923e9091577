# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One camera: the newest message as raw CDR, its times, and whether two publishers share it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from evla_ros.data.messages import header_stamp_ns
from evla_ros.embodiment import Camera
from evla_ros.ros.qos import newest_only

_WINDOW_NS = 2_000_000_000


class RawImage(NamedTuple):
    """stamp_ns: capture; received_ns: arrival, both on the node's clock; data: CDR bytes."""

    stamp_ns: int
    received_ns: int
    data: bytes


class CameraInput:
    """Keeps the newest image undecoded; `on_image(name, image)` is called from the executor."""

    def __init__(
        self,
        node: Node,
        name: str,
        camera: Camera,
        on_image: Callable[[str, RawImage], None],
        *,
        use_header: bool,
    ) -> None:
        """Subscribe."""
        self.name = name
        self.transport = camera.transport
        self.latest: RawImage | None = None
        self.lost = 0
        self._node, self._on_image, self._use_header = node, on_image, use_header
        self._last_sequence: int | None = None
        self._steps_back: deque[int] = deque(maxlen=8)
        kind = CompressedImage if camera.transport == "compressed" else Image
        self._subscription = node.create_subscription(
            kind, camera.topic, self._callback(), newest_only(), raw=True
        )

    @property
    def topic(self) -> str:
        """The resolved topic name."""
        return str(self._subscription.topic_name)

    def _callback(self) -> Callable[..., None]:
        """Return the form that this rclpy calls; Humble's hands over no message info."""
        if hasattr(Subscription, "CallbackType"):
            return self._receive
        return lambda data: self._receive(data, {})

    def _receive(self, data: bytes, info: dict[str, Any]) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        stamp_ns = header_stamp_ns(data) if self._use_header and len(data) >= 12 else now_ns
        self._count_publishers(info.get("publication_sequence_number"), now_ns)
        self.latest = RawImage(stamp_ns, now_ns, data)
        self._on_image(self.name, self.latest)

    def _count_publishers(self, sequence: int | None, now_ns: int) -> None:
        """One publisher counts up; a restarted one steps back once; two keep doing so."""
        if sequence is None:
            return
        if self._last_sequence is not None:
            if sequence <= self._last_sequence:
                self._steps_back.append(now_ns)
            else:
                self.lost += sequence - self._last_sequence - 1
        self._last_sequence = sequence

    def conflict(self, now_ns: int) -> bool:
        """Return whether images of two publishers arrived in turn within the last seconds."""
        while self._steps_back and now_ns - self._steps_back[0] > _WINDOW_NS:
            self._steps_back.popleft()
        return len(self._steps_back) >= 3

    def clear(self) -> None:
        """Forget the newest image; after a clock jump its time means nothing."""
        self.latest = None
        self._steps_back.clear()

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)
