# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera pictures as CDR, in either sensor_msgs/Image or sensor_msgs/CompressedImage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.data.bags import encode
from evla_ros.data.image_jpeg import JPEG_QUALITY, encode_jpeg
from evla_ros.data.image_message import ImageMessageError, compressed_to_rgb, image_to_rgb
from evla_ros.data.messages import decode_compressed_image, decode_image
from evla_ros.embodiment.streams import COMPRESSED_IMAGE, IMAGE

Rgb = npt.NDArray[np.uint8]


def is_compressed(message_type: str) -> bool:
    """Return whether a camera's messages hold a JPEG or PNG.

    Raises:
        ImageMessageError: The type is not one of a camera.
    """
    if message_type not in (IMAGE, COMPRESSED_IMAGE):
        raise ImageMessageError(
            f"{message_type!r} is no picture; use {IMAGE} or {COMPRESSED_IMAGE}"
        )
    return message_type == COMPRESSED_IMAGE


def rgb_from_cdr(data: bytes | memoryview, message_type: str) -> Rgb:
    """Return uint8 [H, W, 3] RGB from the raw CDR bytes of a camera's message.

    Raises:
        ImageMessageError: The type is not one of a camera, or the picture cannot be turned into
            RGB.
    """
    if is_compressed(message_type):
        message = decode_compressed_image(data)
        return compressed_to_rgb(message.data, format_=message.format)
    image = decode_image(data)
    return image_to_rgb(
        image.encoding, image.height, image.width, image.step, image.is_bigendian, image.data
    )


def picture_to_cdr(
    message_type: str,
    stamp_ns: int,
    frame: str,
    picture: Rgb | bytes,
    quality: int = JPEG_QUALITY,
) -> bytes:
    """Return a camera's message as CDR.

    Args:
        message_type: The type of the message.
        stamp_ns: Capture time [ns].
        frame: The camera's frame.
        picture: uint8 [H, W, 3] RGB, or the bytes of a JPEG, which go into a compressed message as
            they are.
        quality: JPEG quality when an array is compressed.
    """
    if is_compressed(message_type):
        jpeg = picture if isinstance(picture, bytes) else encode_jpeg(picture, quality)
        return encode.encode_compressed_image(stamp_ns, frame, jpeg)
    rgb = compressed_to_rgb(picture) if isinstance(picture, bytes) else picture
    return encode.encode_image(stamp_ns, frame, rgb)
