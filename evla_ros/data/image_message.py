# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turn the fields of sensor_msgs images into RGB arrays, without ROS.

The live node, the converter and the inspector share this code; `evla_ros.data.codecs.camera` reads
the fields. Pictures are not resized here.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from evla_ros.data.image_jpeg import decode_rgb
from evla_ros.data.image_limits import check_pixels
from evla_ros.data.image_resize import ImageError
from evla_ros.errors import EvlaError, shorten

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
_DEPTH = ("16UC", "16SC", "32FC", "32SC", "64FC")
_PNG, _GREY_16 = b"\x89PNG\r\n\x1a\n", b"\x10\x00"  # bit depth and colour type in its header
ENCODINGS = (*_PACKED, *_BAYER, *_YUV)


class ImageMessageError(EvlaError):
    """An image message whose encoding, size or data cannot be turned into RGB."""


def image_to_rgb(
    encoding: str, height: int, width: int, step: int, is_bigendian: bool, data: Any
) -> Rgb:
    """Return [height, width, 3] uint8 RGB from the fields of a sensor_msgs/Image.

    A copy is made only where channels must be reordered. 16-bit images keep their high byte.

    Args:
        encoding: Such as `rgb8`, as in sensor_msgs.
        height: Rows.
        width: Columns.
        step: Bytes of a row, padding included.
        is_bigendian: Byte order of 16-bit images.
        data: Any byte buffer.

    Raises:
        ImageMessageError: The encoding is unknown, or size and data do not fit.
    """
    pixel_bytes = _pixel_bytes(encoding)
    try:
        check_pixels(height, width, f"an image {encoding!r}")
    except ImageError as error:
        raise ImageMessageError(str(error)) from error
    if encoding in _YUV and width % 2:
        raise ImageMessageError(
            f"image encoding {encoding!r} with the odd width {width}: two pixels share a colour, "
            "so its width is even"
        )
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
        f"image encoding {shorten(repr(encoding))} has no colour picture; usable: "
        f"{', '.join(ENCODINGS)}"
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
    try:
        return cast("Rgb", cv2.cvtColor(rows, code))
    except cv2.error as error:
        raise ImageMessageError(
            f"image {width}x{len(rows)} {encoding!r} cannot be turned into RGB: OpenCV refuses "
            "its size"
        ) from error


def compressed_to_rgb(data: Any, source: str = "image", format_: str = "") -> Rgb:
    """Return [H, W, 3] uint8 RGB from the bytes of a JPEG or PNG, as pictures of datasets are read.

    What the picture was made from gives the same answer as it would uncompressed: depth is refused,
    a Bayer pattern turned into colours.

    Args:
        data: The bytes.
        source: What error messages call the picture.
        format_: The `format` of the message. image_transport writes `ENCODING; jpeg compressed ...`
            there; others just `jpeg` or `png`.

    Raises:
        ImageMessageError: The bytes are neither, or damaged, or hold no colour picture.
    """
    content = memoryview(data).cast("B")
    encoding = _encoding_in(format_, content)
    if len(content) == 0:
        raise ImageMessageError(f"{source}: the compressed picture is empty")
    try:
        rgb = decode_rgb(content)
    except ImageError as error:
        head = bytes(content[:4]).hex()
        raise ImageMessageError(f"{source}: {error} (starts with {head})") from error
    if encoding in _BAYER and bool((rgb == rgb[:, :, :1]).all()):
        return _convert_with_opencv(encoding, rgb[:, :, 0], rgb.shape[1])
    return rgb


def _encoding_in(format_: str, content: memoryview) -> str:
    """Return the encoding that a compressed picture was made from, empty where none is named."""
    named, mark, _ = format_.partition(";")
    encoding = named.strip() if mark else ""
    depth = encoding.startswith(_DEPTH) or "compressedDepth" in format_
    if depth or encoding.startswith("bayer_"):
        _pixel_bytes(encoding or format_)
    if encoding != "mono16" and bytes(content[:8]) == _PNG and bytes(content[24:26]) == _GREY_16:
        raise ImageMessageError(
            f"a PNG with one channel of 16 bits, and its format {format_!r} names no encoding of a "
            "picture: it looks like depth"
        )
    return encoding
