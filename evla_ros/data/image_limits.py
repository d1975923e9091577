# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one place that decides whether a picture is small enough to be decoded.

A PNG of 2.6 MB can hold 900 million pixels. Sizes are read from headers before anything is
allocated.
"""

from __future__ import annotations

from evla_ros.data.image_resize import ImageError
from evla_ros.reading.limits import PIXELS


def check_pixels(height: int, width: int, what: str = "a picture") -> None:
    """Refuse a picture with too many pixels.

    Args:
        height: Rows, as the header says.
        width: Columns.
        what: Which picture, for the message.

    Raises:
        ImageError: It has more than `limits.PIXELS`, or none.
    """
    if height < 1 or width < 1:
        raise ImageError(f"{what} of {width}x{height} has no pixels")
    if height * width > PIXELS.value:
        raise ImageError(f"{what} of {width}x{height}: {PIXELS.sentence(height * width)}")
