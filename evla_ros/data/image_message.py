# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turn sensor_msgs images (raw CDR or their fields) into RGB arrays, without ROS.

The one path that live node, converter and inspector share. Resizing is somebody else's.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from evla_ros.data.image_jpeg import decode_rgb
from evla_ros.data.image_resize import ImageError
from evla_ros.data.messages import decode_compressed_image, decode_image
from evla_ros.errors import EvlaError

Rgb = npt.NDArray[np.uint8]

# encoding -> channels in the message, order of red, green, blue in them
_PACKED = {
    "rgb8": (3, (0, 1, 2)),
    "bgr8": (3, (2, 1, 0)),
    "rgba8": (4, (0, 1, 2)),
    "bgra8": (4, (2, 1, 0)),
    "mono8": (1, (0, 0, 0)),
    "8UC1": (1, (0, 0, 0)),
    "8UC3": (3, (2, 1, 0)),
    "8UC4": (4, (2, 1, 0)),
    "rgb16": (3, (0, 1, 2)),
    "bgr16": (3, (2, 1, 0)),
    "mono16": (1, (0, 0, 0)),
}
_BAYER = {  # encoding -> name of OpenCV's conversion (OpenCV names the second row's first pixels)
    "bayer_rggb8": "COLOR_BayerBG2RGB",
    "bayer_bggr8": "COLOR_BayerRG2RGB",
    "bayer_gbrg8": "COLOR_BayerGR2RGB",
    "bayer_grbg8": "COLOR_BayerGB2RGB",
}
_YUV = {
    "yuv422_yuy2": "COLOR_YUV2RGB_YUY2",
    "yuyv": "COLOR_YUV2RGB_YUY2",
    "yuv422": "COLOR_YUV2RGB_UYVY",
    "uyvy": "COLOR_YUV2RGB_UYVY",
}
ENCODINGS = (*_PACKED, *_BAYER, *_YUV)


class ImageMessageError(EvlaError):
    """An image message whose encoding, size or data cannot be turned into RGB."""


def image_to_rgb(
    encoding: str, height: int, width: int, step: int, is_bigendian: bool, data: Any
) -> Rgb:
    """Return [height, width, 3] uint8 RGB from the fields of a sensor_msgs/Image.

    `data` is any byte buffer; `step` is the row length in bytes and may include padding.
    A copy is made only where the channels must move. 16-bit images keep their high byte.
    """
    pixel_bytes = _pixel_bytes(encoding)
    row_bytes = width * pixel_bytes
    step = step or row_bytes
    flat = np.frombuffer(data, dtype=np.uint8)
    if height <= 0 or width <= 0 or step < row_bytes or flat.size < step * (height - 1) + row_bytes:
        raise ImageMessageError(
            f"image {width}x{height} {encoding!r} with step {step} needs "
            f"{step * max(height, 0)} bytes, the message holds {flat.size}"
        )
    rows = np.lib.stride_tricks.as_strided(flat, (height, row_bytes), (step, 1), writeable=False)
    if encoding in _PACKED:
        return _packed_to_rgb(encoding, rows, width, is_bigendian)
    return _convert_with_opencv(encoding, rows, width)


def _pixel_bytes(encoding: str) -> int:
    if encoding in _PACKED:
        return _PACKED[encoding][0] * (2 if encoding.endswith("16") else 1)
    if encoding in _BAYER:
        return 1
    if encoding in _YUV:
        return 2
    raise ImageMessageError(
        f"image encoding {encoding!r} has no colour picture; usable: {', '.join(ENCODINGS)}"
    )


def _packed_to_rgb(encoding: str, rows: Rgb, width: int, is_bigendian: bool) -> Rgb:
    channels, order = _PACKED[encoding]
    height = rows.shape[0]
    if encoding.endswith("16"):
        rows = np.ascontiguousarray(rows)[:, (0 if is_bigendian else 1) :: 2]
    pixels = rows.reshape(height, width, channels)
    if order == (0, 1, 2) and channels == 3:
        return np.ascontiguousarray(pixels)
    if channels == 1:
        return np.repeat(pixels, 3, axis=2)
    step = -1 if order[0] == 2 else 1
    return np.ascontiguousarray(pixels[:, :, :3][:, :, ::step])


def _convert_with_opencv(encoding: str, rows: Rgb, width: int) -> Rgb:
    try:
        import cv2
    except ImportError as error:
        raise ImageMessageError(
            f"decoding {encoding!r} images needs OpenCV; install opencv-python-headless"
        ) from error
    rows = np.ascontiguousarray(rows)
    if encoding in _YUV:
        rows = rows.reshape(rows.shape[0], width, 2)
    code = getattr(cv2, _BAYER.get(encoding) or _YUV[encoding])
    return cast("Rgb", cv2.cvtColor(rows, code))


def compressed_to_rgb(data: Any, source: str = "image") -> Rgb:
    """Return [H, W, 3] uint8 RGB from the bytes of a JPEG or PNG, as datasets' pictures are read.

    Raises ImageMessageError when they are neither, or damaged.
    """
    content = memoryview(data).cast("B")
    if len(content) == 0:
        raise ImageMessageError(f"{source}: the compressed picture is empty")
    try:
        return decode_rgb(content)
    except ImageError as error:
        head = bytes(content[:4]).hex()
        raise ImageMessageError(f"{source}: {error} (starts with {head})") from error


def rgb_from_cdr(data: bytes | memoryview, message_type: str) -> Rgb:
    """Return RGB from the raw CDR bytes of a sensor_msgs Image or CompressedImage.

    `message_type` is the ROS name (`sensor_msgs/msg/Image`) or the embodiment file's transport
    (`raw`, `compressed`).
    """
    if message_type in ("raw", "sensor_msgs/msg/Image"):
        image = decode_image(data)
        return image_to_rgb(
            image.encoding,
            image.height,
            image.width,
            image.step,
            image.is_bigendian,
            image.data,
        )
    if message_type in ("compressed", "sensor_msgs/msg/CompressedImage"):
        return compressed_to_rgb(decode_compressed_image(data).data)
    raise ImageMessageError(
        f"{message_type!r} is no picture; use sensor_msgs/msg/Image or CompressedImage"
    )
