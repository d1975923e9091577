# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one image resize of the package, for live inference, the converter and the simulator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError


class ImageError(EvlaError):
    """A picture that cannot be resized, encoded or decoded."""


def resize_rgb(image: npt.NDArray[np.uint8], size: int | tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resize a picture; its aspect ratio is not kept.

    PIL Lanczos with antialiasing, which matches the Lanczos3 of TensorFlow that the OpenVLA and
    Octo loaders use to within rounding. An image of the right size is returned unchanged.

    Args:
        image: uint8 [H, W, 3].
        size: A side or (height, width) [pixels].

    Returns:
        uint8 [height, width, 3], contiguous.

    Raises:
        ImageError: The image has another dtype or shape.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ImageError(
            f"expected an RGB image uint8 [H, W, 3], got {image.dtype} {list(image.shape)}"
        )
    if height < 1 or width < 1:
        raise ImageError(f"image size must be at least 1x1, got {height}x{width}")
    if image.shape[:2] == (height, width):
        return np.ascontiguousarray(image)
    try:
        from PIL import Image
    except ImportError as error:
        raise ImageError(
            "resizing images needs Pillow, which is not installed: pip install 'evla_ros[data]'"
        ) from error
    picture = Image.fromarray(np.ascontiguousarray(image))
    resized = picture.resize((width, height), resample=Image.Resampling.LANCZOS)
    pixels: npt.NDArray[np.uint8] = np.array(resized, dtype=np.uint8)
    return pixels
