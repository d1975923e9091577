# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One picture of a film: a large overview, what the cameras see beside it, two lines below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from evla_ros.data.image_resize import resize_rgb
from evla_ros.sim.world import World

Image = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]
GREY, ORANGE, GREEN = (165, 170, 180), (255, 190, 90), (120, 220, 130)
_HEIGHT, _WIDTH, _CAPTION = 432, 576, 56


@dataclass(frozen=True)
class Caption:
    """What stands below: `title` and `right` large, `line` small under them, in `colour`."""

    title: str
    right: str
    line: str
    colour: Colour = GREY


def film_frame(world: World, caption: Caption, quality: str) -> Image:
    """Draw the present state of a world: uint8 [488, 792, 3] with two cameras."""
    overview = world.render(world.description.video_camera, _WIDTH, _HEIGHT, quality)
    views = list(world.images().values())
    side = _HEIGHT // max(2, len(views)) // 2 * 2
    column = np.full((_HEIGHT, side, 3), 32, dtype=np.uint8)
    for i, view in enumerate(views):
        column[i * side : (i + 1) * side] = resize_rgb(view, side)
    picture = np.concatenate([overview, column], axis=1)
    return np.concatenate([picture, _bar(picture.shape[1], caption)])


def _bar(width: int, caption: Caption) -> Image:
    bar = PilImage.new("RGB", (width, _CAPTION), (20, 22, 26))
    draw = ImageDraw.Draw(bar)
    large, small = ImageFont.load_default(17), ImageFont.load_default(13)
    draw.text((10, 6), caption.title, font=large, fill=(240, 240, 240))
    draw.text((width - 10, 6), caption.right, font=large, fill=(240, 240, 240), anchor="ra")
    draw.text((10, 32), caption.line, font=small, fill=caption.colour)
    return np.asarray(bar, dtype=np.uint8)
