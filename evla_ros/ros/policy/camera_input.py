# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One camera: its messages go to the control core as raw CDR bytes, with their times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.subscription import Subscription

from evla_ros.data.messages import header_stamp_ns
from evla_ros.embodiment.streams import Stream
from evla_ros.ros.callbacks import OnFailure, subscribe_stream
from evla_ros.ros.policy.observations import RawImage


class CameraInput:
    """Hands every image of one camera over, undecoded."""

    def __init__(
        self,
        node: Node,
        stream: Stream,
        on_image: Callable[[str, RawImage], None],
        on_problem: OnFailure,
        *,
        use_header: bool,
    ) -> None:
        """Subscribe.

        Args:
            node: The node whose subscription it is.
            stream: The camera's row in the table of topics.
            on_image: Takes the camera's name and an image; called from the executor.
            on_problem: Takes in one sentence why an image is of no use.
            use_header: An image's time is the stamp in its header; otherwise its arrival.
        """
        self.name, self._node = stream.key.name, node
        self._on_image, self._use_header = on_image, use_header
        self._subscription = subscribe_stream(node, stream, self._callback(), on_problem, raw=True)

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
        sequence = info.get("publication_sequence_number")
        self._on_image(self.name, RawImage(stamp_ns, now_ns, data, sequence))

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)
