# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small drawing helpers on Pillow: scaled frames and text."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Episode
from evla_ros.data.image_resize import ImageError

ImageArray = npt.NDArray[np.uint8]
BACKGROUND, INK, FAINT = (250, 250, 248), (25, 25, 25), (110, 110, 110)
ACCENT, RED = (0, 95, 184), (200, 70, 0)
_LONGEST_TEXT, _WIDEST = 1000, 16


def pillow() -> Any:
    """Return the package PIL with Image, ImageDraw and ImageFont loaded."""
    try:
        import PIL.Image
        import PIL.ImageDraw
        import PIL.ImageFont
    except ImportError as error:
        raise ImageError(
            "drawing needs Pillow, which is not installed: pip install 'evla_ros[data]'"
        ) from error
    return PIL


@functools.lru_cache(maxsize=16)
def font(size: int) -> Any:
    """Return DejaVu Sans as matplotlib ships it (most scripts), else Pillow's own (few accents)."""
    try:
        import matplotlib as mpl

        path = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
        return pillow().ImageFont.truetype(str(path), size - 1)
    except (ImportError, OSError):
        return pillow().ImageFont.load_default(size)


def shown_cameras(episode: Episode) -> list[str]:
    """Return the camera keys of an episode, the primary one first, placeholders left out."""
    first = ("primary", "head", "image_0")
    return sorted(episode.real_cameras, key=lambda k: (not any(w in k for w in first), k))


def fit_text(draw: Any, text: str, face: Any, width: int) -> str:
    """Return the text, ended by an ellipsis where it is wider than `width` pixels.

    Args:
        draw: A drawing of Pillow, which measures.
        text: Any text; line breaks become blanks.
        face: The font.
        width: The width [pixels].
    """
    text = " ".join(text[:_LONGEST_TEXT].split())
    if draw.textlength(text, font=face) <= width:
        return text
    while text and draw.textlength(text + "…", font=face) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def scaled(image: ImageArray, height: int) -> ImageArray:
    """Return a picture scaled to a height, with its aspect ratio kept up to 16 to 1.

    Args:
        image: uint8 [H, W, 3].
        height: The height [pixels]; from twice the size on, pixels stay visible as squares.

    Returns:
        uint8 [height, width, 3].
    """
    image_module = pillow().Image
    width = round(image.shape[1] * height / image.shape[0])
    width = min(max(1, width), _WIDEST * height)  # a picture of one row would fill the memory
    enlarge = height >= 2 * image.shape[0]
    how = image_module.Resampling.NEAREST if enlarge else image_module.Resampling.LANCZOS
    return np.asarray(image_module.fromarray(image).resize((width, height), how))
