# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encode RGB pictures as JPEG once, and decode JPEG or PNG: simplejpeg, OpenCV or Pillow.

simplejpeg and OpenCV both carry libjpeg-turbo and give the same pixels; simplejpeg is faster and
decodes into a given array. What it does not take (PNG, CMYK, damaged files) goes to OpenCV.
"""

from __future__ import annotations

import functools
import importlib
import io
from types import ModuleType

import numpy as np
import numpy.typing as npt

from evla_ros.data.image_resize import ImageError

ImageArray = npt.NDArray[np.uint8]
JPEG_QUALITY = 95  # what TFDS uses for Image features


@functools.lru_cache(maxsize=1)
def _opencv() -> ModuleType | None:
    try:
        import cv2
    except ImportError:
        return None
    return cv2


@functools.lru_cache(maxsize=1)
def _simplejpeg() -> ModuleType | None:
    try:
        return importlib.import_module("simplejpeg")
    except ImportError:
        return None


def encode_jpeg(image: ImageArray, quality: int = JPEG_QUALITY) -> bytes:
    """Return the JPEG bytes of uint8 [H, W, 3] RGB (4:2:0 chroma, the default of both)."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ImageError(
            f"expected an RGB image uint8 [H, W, 3], got {image.dtype} {list(image.shape)}"
        )
    cv2 = _opencv()
    if cv2 is not None:
        ok, encoded = cv2.imencode(
            ".jpg",
            cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
            [cv2.IMWRITE_JPEG_QUALITY, quality],
        )
        if not ok:
            raise ImageError(f"OpenCV could not encode an image of shape {list(image.shape)}")
        return bytes(encoded.tobytes())
    buffer = io.BytesIO()
    _pillow().fromarray(image).save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def decode_rgb(data: bytes | memoryview, out: ImageArray | None = None) -> ImageArray:
    """Decode JPEG or PNG bytes to uint8 [H, W, 3] RGB; EXIF rotation is ignored, as in TensorFlow.

    With `out`, a contiguous array of the picture's shape (a row of a batch), the pixels are
    decoded right into it. Raises ImageError when the bytes are empty or damaged, or do not fit.
    """
    if len(data) == 0:
        raise ImageError("an image is empty (0 bytes)")
    image = _decode_with_simplejpeg(data, out)
    if image is None:
        image = _decode_with_opencv(data)
    if out is None:
        return image
    put_image(image, out)
    return out


def put_image(image: ImageArray, out: ImageArray) -> None:
    """Copy a picture to `out` unless it is there already; ImageError when it does not fit."""
    if image.shape != out.shape or out.dtype != np.uint8:
        raise ImageError(
            f"an image of shape {list(image.shape)} does not fit into {out.dtype} {list(out.shape)}"
        )
    if not np.may_share_memory(image, out):
        out[...] = image


def _decode_with_simplejpeg(data: bytes | memoryview, out: ImageArray | None) -> ImageArray | None:
    """Return None for what another library has to decode."""
    library = _simplejpeg()
    if library is None or bytes(data[:2]) != b"\xff\xd8":
        return None
    direct = out is not None and out.flags["C_CONTIGUOUS"] and out.dtype == np.uint8
    try:
        return np.asarray(library.decode_jpeg(data, "RGB", buffer=out if direct else None))
    except (ValueError, RuntimeError):
        return None


def _decode_with_opencv(data: bytes | memoryview) -> ImageArray:
    cv2 = _opencv()
    if cv2 is None:
        return _decode_with_pillow(bytes(data))
    rgb = getattr(cv2, "IMREAD_COLOR_RGB", None)  # OpenCV 4.10 and newer; saves a pass
    flags = (cv2.IMREAD_COLOR if rgb is None else rgb) | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error as error:
        raise ImageError(f"an image of {len(data)} bytes cannot be decoded: {error}") from error
    if image is None:
        raise ImageError(f"an image of {len(data)} bytes is neither valid JPEG nor PNG")
    if rgb is None:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return np.asarray(image, dtype=np.uint8)


def image_size(data: bytes | memoryview) -> tuple[int, int]:
    """Return (height, width) from the header of a JPEG or PNG without decoding the picture."""
    head = bytes(data[:26])
    if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) >= 24:
        return int.from_bytes(head[20:24], "big"), int.from_bytes(head[16:20], "big")
    if head[:2] != b"\xff\xd8":
        raise ImageError(f"an image of {len(data)} bytes is neither JPEG nor PNG")
    position, end = 2, len(data)
    while position + 9 <= end and data[position] == 0xFF:
        marker = data[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = bytes(data[position + 5 : position + 9])
            return int.from_bytes(size[:2], "big"), int.from_bytes(size[2:], "big")
        position += 2 + int.from_bytes(bytes(data[position + 2 : position + 4]), "big")
    raise ImageError(f"a JPEG of {len(data)} bytes has no size in its header")


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImageError(
            "images need OpenCV or Pillow, neither is installed: pip install 'evla_ros[data]'"
        ) from error
    return Image


def _decode_with_pillow(data: bytes) -> ImageArray:
    try:
        with _pillow().open(io.BytesIO(data)) as picture:
            return np.asarray(picture.convert("RGB"), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"an image of {len(data)} bytes cannot be decoded: {error}") from error


def decode_small(data: bytes | memoryview) -> ImageArray:
    """Decode a picture at about an eighth of its size, for looking at whole datasets quickly.

    JPEG is scaled while it is decoded (a quarter for pictures below 160 pixels): uint8 [h, w, 3].
    """
    height, width = image_size(data)
    factor = 8 if min(height, width) >= 160 else 4 if min(height, width) >= 48 else 1
    cv2 = _opencv()
    if cv2 is None or factor == 1:
        return np.ascontiguousarray(decode_rgb(data)[::factor, ::factor])
    reduced = cv2.IMREAD_REDUCED_COLOR_8 if factor == 8 else cv2.IMREAD_REDUCED_COLOR_4
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), reduced)
    if image is None:
        raise ImageError(f"an image of {len(data)} bytes is neither valid JPEG nor PNG")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
