# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one image resize of the project: live path, converter and simulator all call it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError


class ImageError(EvlaError):
    """A picture that cannot be resized, encoded or decoded."""


def resize_rgb(image: npt.NDArray[np.uint8], size: int | tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Squash uint8 [H, W, 3] to `size` (a side, or (height, width)): uint8, contiguous.

    PIL Lanczos with antialias: within 0.2/255 on average of the Lanczos3 of TensorFlow, which the
    OpenVLA and Octo loaders use. The aspect ratio is not kept, as in those loaders. An image that
    has the size already comes back unchanged. Raises ImageError for another dtype or shape.
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
