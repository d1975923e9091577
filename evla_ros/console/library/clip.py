# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of a recorded episode, few and small enough to play back in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from evla_ros.data.bags.reader import open_bag, recorded_custom_data
from evla_ros.data.codecs.camera import is_compressed, rgb_from_cdr
from evla_ros.data.image_jpeg import encode_preview
from evla_ros.data.messages import decode_compressed_image
from evla_ros.embodiment import parse_embodiment
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.errors import EvlaError
from evla_ros.units import SECOND_NS

CLIP_HZ = 10.0
MOST_BYTES = 96 << 20
MOST_SIDE = 640
_QUALITY = 70
_JPEG = b"\xff\xd8"


@dataclass
class Clip:
    """Per camera the times [s] since the start and the JPEG files; `note`: what is left out."""

    times_s: dict[str, list[float]] = field(default_factory=dict)
    pictures: dict[str, list[bytes]] = field(default_factory=dict)
    duration_s: float = 0.0
    note: str = ""

    @property
    def bytes(self) -> int:
        """What it takes of memory."""
        return sum(len(one) for many in self.pictures.values() for one in many)


def read_clip(bag: Path) -> Clip:
    """Read the pictures of an episode, at most `CLIP_HZ` of each camera.

    Raises:
        EvlaError: The bag cannot be read, or carries no embodiment.
    """
    clip, size, start_ns = Clip(), 0, 0
    for camera, receive_ns, jpeg in _pictures(bag):
        start_ns = start_ns or receive_ns
        size += len(jpeg)
        if size > MOST_BYTES:
            clip.note = f"pictures after {clip.duration_s:.0f} s are left out: they are too many"
            break
        clip.duration_s = (receive_ns - start_ns) / SECOND_NS
        clip.times_s.setdefault(camera, []).append(round(clip.duration_s, 3))
        clip.pictures.setdefault(camera, []).append(jpeg)
    return clip


def first_picture(bag: Path) -> bytes:
    """Return the first picture of the first camera that has one.

    Raises:
        EvlaError: There is none.
    """
    for _, _, jpeg in _pictures(bag):
        return jpeg
    raise EvlaError(f"{bag.name} holds no picture that can be read")


def _pictures(bag: Path) -> Iterator[tuple[str, int, bytes]]:
    """Yield camera, receive time [ns] and JPEG; what comes sooner than `CLIP_HZ` is left out."""
    text = recorded_custom_data(bag).get("embodiment")
    if not text:
        raise EvlaError(f"{bag.name} carries no embodiment: its cameras are not known")
    next_ns: dict[str, int] = {}
    streams = streams_of(parse_embodiment(text, str(bag))).of_kind(Kind.CAMERA)
    with open_bag(bag) as opened:
        cameras = {
            topic: stream
            for stream in streams
            for topic in opened.info.topics
            if f"/{topic}".endswith(f"/{stream.topic.lstrip(chr(47))}")
        }
        for message in opened.as_written(cameras):
            if message.receive_ns < next_ns.get(message.topic, 0):
                continue
            next_ns[message.topic] = message.receive_ns + round(0.9 * SECOND_NS / CLIP_HZ)
            stream = cameras[message.topic]
            yield stream.key.name, message.receive_ns, as_jpeg(message.data, stream.type, _QUALITY)


def as_jpeg(data: bytes, message_type: str, quality: int) -> bytes:
    """Return the JPEG of a camera's message; one that is a JPEG already stays as it is.

    Raises:
        EvlaError: It cannot be read as a picture.
    """
    if is_compressed(message_type):
        content = bytes(decode_compressed_image(data).data)
        if content[:2] == _JPEG:
            return content
    rgb = rgb_from_cdr(data, message_type)
    step = -(-max(rgb.shape[:2]) // MOST_SIDE)
    return encode_preview(rgb[::step, ::step], quality)
