# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Watches goals and the first camera while the nodes play; what it sees becomes table and video."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.ros.evaluation.client import EvaluationClient
from evla_ros.ros.image_codec import decode_rgb
from evla_ros.ros.message_types import message_class
from evla_ros.ros.qos import every_sample, stream_profile

Rgb = npt.NDArray[np.uint8]


class Observer(EvaluationClient):
    """An evaluation client that also times the goals and keeps the frames of `primary`."""

    def __init__(self, namespace: str, embodiment: Embodiment, check: Callable[[], None]) -> None:
        """Join the graph; `check` raises when a process has ended, and is asked while waiting."""
        self.arrivals_s: list[float] = []
        self.frames: list[bytes] = []
        super().__init__(namespace, embodiment, check)
        streams = streams_of(embodiment)
        camera = streams.get(Kind.CAMERA, "primary")
        self._image_type = camera.type
        kind, qos = message_class(camera.type), stream_profile(camera)
        self._node.create_subscription(kind, camera.topic, self.frames.append, qos, raw=True)
        first = streams.of_kind(Kind.GOAL)[0]
        kind = message_class(first.type)
        self._node.create_subscription(kind, first.topic, self._on_timed_goal, every_sample())

    def pictures(self) -> list[Rgb]:
        """Return the frames seen since the start, uint8 [H, W, 3]."""
        return [decode_rgb(data, self._image_type) for data in self.frames]

    def _on_timed_goal(self, _: object) -> None:
        if self.policy is not None and self.policy.moving:
            self.arrivals_s.append(time.perf_counter())
