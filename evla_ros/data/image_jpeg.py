# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encode RGB pictures as JPEG, and decode JPEG or PNG, with simplejpeg, OpenCV or Pillow.

simplejpeg and OpenCV both use libjpeg-turbo and give the same pixels; simplejpeg also decodes into
a given array. What it cannot read (PNG, CMYK, damaged files) is left to OpenCV.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import struct
from types import ModuleType

import numpy as np
import numpy.typing as npt

from evla_ros.data.image_limits import check_pixels
from evla_ros.data.image_resize import ImageError

ImageArray = npt.NDArray[np.uint8]
JPEG_QUALITY = 95  # what TFDS uses for Image features
_JPEG_START = b"\xff\xd8"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = struct.Struct(">II")  # width, height: the first numbers of IHDR, which comes first
_PNG_HEAD = 24


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


def encode_png(image: ImageArray) -> bytes:
    """Return the PNG bytes of uint8 [H, W, 3] RGB; nothing is lost."""
    buffer = io.BytesIO()
    _pillow().fromarray(image).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def encode_preview(image: ImageArray, quality: int) -> bytes:
    """Return JPEG bytes of uint8 [H, W, 3] RGB for people to look at, as fast as can be."""
    library = _simplejpeg()
    if library is None:
        return encode_jpeg(image, quality)
    contiguous = np.ascontiguousarray(image)
    return bytes(library.encode_jpeg(contiguous, quality, "RGB", "420", fastdct=True))


def decode_rgb(data: bytes | memoryview, out: ImageArray | None = None) -> ImageArray:
    """Decode JPEG or PNG bytes to uint8 [H, W, 3] RGB; EXIF rotation is ignored, as in TensorFlow.

    Args:
        data: The bytes of the file.
        out: A contiguous array of the picture's shape to decode into, such as a row of a batch.

    Raises:
        ImageError: The bytes are empty or damaged, or the picture does not fit `out`.
    """
    if len(data) == 0:
        raise ImageError("an image is empty (0 bytes)")
    image_size(data)  # refuses what is no JPEG or PNG, and too many pixels
    image = _decode_with_simplejpeg(data, out)
    if image is None:
        image = _decode_with_opencv(data)
    if out is None:
        return image
    put_image(image, out)
    return out


def put_image(image: ImageArray, out: ImageArray) -> None:
    """Copy a picture to `out` unless it is there already.

    Raises:
        ImageError: It does not fit.
    """
    if image.shape != out.shape or out.dtype != np.uint8:
        raise ImageError(
            f"an image of shape {list(image.shape)} does not fit into {out.dtype} {list(out.shape)}"
        )
    if not np.may_share_memory(image, out):
        out[...] = image


def _decode_with_simplejpeg(data: bytes | memoryview, out: ImageArray | None) -> ImageArray | None:
    """Return the picture, or None when another library has to decode it."""
    library = _simplejpeg()
    if library is None or bytes(data[:2]) != _JPEG_START:
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
    """Return (height, width) from the header of a JPEG or PNG without decoding the picture.

    Raises:
        ImageError: neither a JPEG nor a PNG, the header is cut, or it says more pixels than
            `image_limits` allows.
    """
    if bytes(data[:8]) == _PNG_START and len(data) >= _PNG_HEAD:
        width, height = _PNG_SIZE.unpack_from(data, 16)
    elif bytes(data[:2]) == _JPEG_START:
        height, width = _jpeg_size(data)
    else:
        raise ImageError(f"an image of {len(data)} bytes is neither JPEG nor PNG")
    check_pixels(height, width)
    return height, width


def _jpeg_size(data: bytes | memoryview) -> tuple[int, int]:
    library = _simplejpeg()
    if library is not None:
        with contextlib.suppress(ValueError):  # what it cannot read may be readable to Pillow
            height, width, *_ = library.decode_jpeg_header(data)
            return int(height), int(width)
    image = _pillow()
    try:
        with image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            return int(picture.height), int(picture.width)
    except (OSError, SyntaxError, ValueError, image.DecompressionBombError) as error:
        raise ImageError(f"a JPEG of {len(data)} bytes is damaged: it has no size") from error


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
        with _pillow().open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            return np.asarray(picture.convert("RGB"), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"an image of {len(data)} bytes cannot be decoded: {error}") from error


def decode_small(data: bytes | memoryview) -> ImageArray:
    """Decode a picture at about an eighth of its size, to look at whole datasets quickly.

    A JPEG is scaled while it is decoded (to a quarter below 160 pixels). The result is uint8 [h, w,
    3].
    """
    height, width = image_size(data)
    factor = 8 if min(height, width) >= 160 else 4 if min(height, width) >= 48 else 1
    cv2 = _opencv()
    if cv2 is None or factor == 1:
        return np.ascontiguousarray(decode_rgb(data)[::factor, ::factor])
    reduced = cv2.IMREAD_REDUCED_COLOR_8 if factor == 8 else cv2.IMREAD_REDUCED_COLOR_4
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), reduced)
    except cv2.error as error:
        raise ImageError(f"an image of {len(data)} bytes cannot be decoded") from error
    if image is None:
        raise ImageError(f"an image of {len(data)} bytes is neither valid JPEG nor PNG")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
