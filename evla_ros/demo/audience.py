# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Watches goals and the first camera while the nodes play; what it sees becomes table and video."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PoseStamped

from evla_ros.embodiment import Embodiment
from evla_ros.ros.evaluation_client import EvaluationClient
from evla_ros.ros.image_codec import decode_rgb
from evla_ros.ros.qos import every_sample, newest_only

Rgb = npt.NDArray[np.uint8]


class Audience(EvaluationClient):
    """An evaluation client that also times the goals and keeps the frames of `primary`."""

    def __init__(self, namespace: str, embodiment: Embodiment, check: Callable[[], None]) -> None:
        """check: raises when a process has ended; asked while waiting."""
        self.arrivals_s: list[float] = []
        self.frames: list[bytes] = []
        super().__init__(namespace, embodiment, check)
        camera = embodiment.cameras["primary"]
        self._transport = camera.transport
        self._node.create_subscription(
            _image_type(camera.transport), camera.topic, self.frames.append, newest_only(), raw=True
        )
        first = embodiment.arms[0].goal.topic
        self._node.create_subscription(PoseStamped, first, self._on_timed_goal, every_sample())

    def pictures(self) -> list[Rgb]:
        """Return the frames seen since the start, uint8 [H, W, 3]."""
        return [decode_rgb(data, self._transport) for data in self.frames]

    def _on_timed_goal(self, _: PoseStamped) -> None:
        if self.policy is not None and self.policy.moving:
            self.arrivals_s.append(time.perf_counter())


def _image_type(transport: str) -> Any:
    from sensor_msgs.msg import CompressedImage, Image

    return Image if transport == "raw" else CompressedImage
