# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics that a simulated camera publishes on; imports no simulation."""

from __future__ import annotations

from typing import NamedTuple

from evla_ros.data.codecs.camera import is_compressed
from evla_ros.embodiment.streams import COMPRESSED_IMAGE, Stream


class CameraNames(NamedTuple):
    """The topics of one camera: of its images by message type, and of its CameraInfo."""

    images: dict[str, str]
    info: str

    @property
    def all(self) -> tuple[str, ...]:
        """Every topic."""
        return (*self.images.values(), self.info)


def camera_topics(stream: Stream, *, compressed: bool) -> CameraNames:
    """Return a camera's topics; `compressed` adds JPEG beside raw images, as drivers do."""
    images, base = {stream.type: stream.topic}, stream.topic
    if is_compressed(stream.type):
        base = base.removesuffix("/compressed")
    elif compressed:
        images[COMPRESSED_IMAGE] = f"{base}/compressed"
    folder = base[: base.rfind("/") + 1]  # empty where the name has none
    return CameraNames(images, f"{folder}camera_info")
