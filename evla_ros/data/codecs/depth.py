# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images as uint16 millimetres, 0 where nothing was measured.

Forms: sensor_msgs/Image 16UC1 [mm] and 32FC1 [m] (REP 118), and CompressedImage as PNG or as
compressed_depth_image_transport writes it (12 bytes of its own before a PNG).
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.camera import is_compressed
from evla_ros.data.image_jpeg import image_size
from evla_ros.data.image_limits import check_pixels
from evla_ros.data.image_message import ImageMessageError
from evla_ros.data.messages import ImageMessage, decode_compressed_image, decode_image
from evla_ros.errors import EvlaError, shorten

Depth = npt.NDArray[np.uint16]
ENCODINGS = ("16UC1", "mono16", "32FC1")
_QUANTISATION = struct.Struct("<iff")  # form, then a and b of depth = a / (value - b)
_FAR_MM = 65535.0


def depth_from_cdr(data: bytes | memoryview, message_type: str) -> Depth:
    """Return uint16 [H, W], millimetres, from the raw CDR bytes of an image message.

    Raises:
        BadSampleError: It holds no depth, or is damaged.
    """
    try:
        if is_compressed(message_type):
            message = decode_compressed_image(data)
            return _from_compressed(bytes(message.data), message.format)
        return _from_image(decode_image(data))
    except EvlaError as error:
        raise BadSampleError("message", str(error)) from error


def _from_image(image: ImageMessage) -> Depth:
    _check_encoding(image.encoding)
    check_pixels(image.height, image.width)
    kind = ("f4" if image.encoding == "32FC1" else "u2").rjust(
        3, ">" if image.is_bigendian else "<"
    )
    size = np.dtype(kind).itemsize
    step = image.step or image.width * size
    needed = step * (image.height - 1) + image.width * size
    if image.height < 1 or image.width < 1 or step < image.width * size or len(image.data) < needed:
        raise ImageMessageError(
            f"a depth image of {image.width}x{image.height} {image.encoding} does not fit into "
            f"{len(image.data)} bytes with rows of {step}"
        )
    shape, strides = (image.height, image.width * size), (step, 1)
    rows = np.lib.stride_tricks.as_strided(image.data, shape, strides, writeable=False)
    values = np.ascontiguousarray(rows).view(kind)
    return _millimetres(values * 1000.0) if kind.endswith("f4") else values.astype(np.uint16)


def _from_compressed(data: bytes, form: str) -> Depth:
    encoding, _, how = (part.strip() for part in form.partition(";"))
    _check_encoding(encoding)
    if "compressedDepth" not in how:
        if encoding == "32FC1":
            raise ImageMessageError(
                f"{shorten(repr(form))} holds no metres: a PNG has whole numbers"
            )
        return _png(data)
    if "rvl" in how.lower():
        raise ImageMessageError("compressedDepth in RVL is not read; set its format to png")
    if len(data) <= _QUANTISATION.size:
        raise ImageMessageError(f"a compressedDepth of {len(data)} bytes is cut off")
    _, a, b = _QUANTISATION.unpack_from(data)
    stored = _png(data[_QUANTISATION.size :])
    if encoding != "32FC1":
        return stored
    with np.errstate(divide="ignore", invalid="ignore"):
        metres = np.where(stored == 0, 0.0, a / (stored.astype(np.float64) - b))
    return _millimetres(metres * 1000.0)


def _check_encoding(encoding: str) -> None:
    if encoding not in ENCODINGS:
        raise ImageMessageError(
            f"image encoding {shorten(repr(encoding))} is no depth; usable: {', '.join(ENCODINGS)}"
        )


def _millimetres(values: npt.NDArray[Any]) -> Depth:
    """Round to whole millimetres; what is not finite, not in front or beyond 65.5 m becomes 0."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(values) & (values > 0.0) & (values <= _FAR_MM)
    rounded: Depth = np.where(known, np.rint(np.where(known, values, 0.0)), 0.0).astype(np.uint16)
    return rounded


def resize_depth(depth: Depth, size: tuple[int, int]) -> Depth:
    """Return [height, width] of the nearest pixels: no value is mixed over an edge."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp)
        for new, old in zip(size, depth.shape, strict=True)
    )
    return np.ascontiguousarray(depth[rows[:, None], columns[None, :]])


def _png(data: bytes) -> Depth:
    image_size(data)  # refuses what is no picture, and too many pixels
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise ImageMessageError("its picture is no PNG with one channel of 16 bits")
    return np.asarray(pixels)


def depth_png(depth: Depth) -> bytes:
    """Return a PNG of one channel with 16 bits."""
    import cv2

    _, encoded = cv2.imencode(".png", depth)
    return bytes(encoded.tobytes())
