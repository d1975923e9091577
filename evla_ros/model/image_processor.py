# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera frames to the square uint8 images that the network takes; its towers normalise them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from evla_ros.errors import nearest
from evla_ros.model.config import ImageConfig
from evla_ros.model.errors import ObservationError

_MEAN = (124, 116, 104)  # of ImageNet
CROP_SIDE = 0.9**0.5  # 90 % of the area, as random crops of scale 0.9 leave it


class ImageProcessor:
    """Brings the cameras of one observation to the size of the network."""

    def __init__(self, config: ImageConfig) -> None:
        self.config = config

    def __call__(self, images: Mapping[str, Any]) -> Tensor:
        """Process the configured cameras.

        Args:
            images: camera name -> [height, width, 3] uint8 RGB of any size; exactly these cameras.

        Returns:
            uint8 [cameras, channels, side, side]; channels are 3, or 3 for each tower where the
            borders of its letterbox have a colour of their own.

        Raises:
            ObservationError: a missing or unknown camera, a wrong dtype or shape, an empty image.
        """
        self._check_names(images)
        return torch.stack([self.process(name, images[name]) for name in self.config.cameras])

    def process(self, name: str, image: Any) -> Tensor:
        """Return one camera's frame [height, width, 3] as uint8 [channels, side, side]."""
        frame = torch.from_numpy(np.ascontiguousarray(check_image(name, image)))
        frame = self.bordered(frame.permute(2, 0, 1)[None])
        frame = resize_bicubic(frame, self.config.size)
        if self.config.center_crop:
            frame = center_crop(frame)
        return frame[0].contiguous()

    def bordered(self, frame: Tensor) -> Tensor:
        """Return a frame [1, 3, height, width] in its letterboxes, if the network takes any.

        Returns:
            [1, channels, side, side], one picture behind another for each colour of a border.
        """
        if self.config.resize != "letterbox":
            return frame
        return torch.cat([letterbox(frame, fill) for fill in self.config.fills or (_MEAN,)], 1)

    def _check_names(self, images: Mapping[str, Any]) -> None:
        for name in self.config.cameras:
            if name not in images:
                got = ", ".join(sorted(images)) or "none"
                raise ObservationError(f"camera {name!r} is missing; the observation has: {got}")
        for name in images:
            if name not in self.config.cameras:
                raise ObservationError(
                    f"unknown camera {name!r}; {nearest(name, self.config.cameras)}"
                )


def check_image(name: str, image: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return an image as an array [height, width, 3] uint8.

    Raises:
        ObservationError: names the camera and what is wrong with its image.
    """
    array = np.asarray(image)
    if array.dtype != np.uint8:
        finite = not np.issubdtype(array.dtype, np.floating) or bool(np.isfinite(array).all())
        detail = "" if finite else " with NaN or infinite pixels"
        raise ObservationError(
            f"camera {name!r}: pixels must be uint8 RGB, not {array.dtype}{detail}"
        )
    if array.ndim != 3 or array.shape[2] != 3:
        raise ObservationError(
            f"camera {name!r}: shape {list(array.shape)}, expected [height, width, 3]"
        )
    if 0 in array.shape:
        raise ObservationError(f"camera {name!r}: empty image of shape {list(array.shape)}")
    return array


def resize_bicubic(frame: Tensor, size: int) -> Tensor:
    """Squash a frame to a square, as Pillow does: bicubic, with antialiasing, first along the rows.

    Like Pillow it rounds and clips between its two passes. Frames that are larger than the square
    go through torch's kernel for uint8, which is fast and rarely a level or two apart.

    Args:
        frame: [1, 3, height, width] uint8.
        size: the side of the square in pixels.
    """
    height, width = frame.shape[-2:]
    if min(height, width) >= size:
        if height == width == size:
            return frame
        return functional.interpolate(frame, (size, size), mode="bicubic", antialias=True)
    for shape in ((height, size), (size, size)):
        passed = functional.interpolate(frame.float(), shape, mode="bicubic", antialias=True)
        frame = passed.add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)
    return frame


def letterbox(frame: Tensor, fill: tuple[int, int, int]) -> Tensor:
    """Pad a frame [1, 3, height, width] to a centred square with a border of one colour."""
    height, width = frame.shape[-2:]
    side = max(height, width)
    square = torch.tensor(fill, dtype=torch.uint8).view(1, 3, 1, 1).repeat(1, 1, side, side)
    top, left = (side - height) // 2, (side - width) // 2
    square[..., top : top + height, left : left + width] = frame
    return square


def center_crop(frame: Tensor) -> Tensor:
    """Keep the central 90 % of the area and stretch it back, like TensorFlow's crop_and_resize."""
    affine = torch.tensor([[[CROP_SIDE, 0.0, 0.0], [0.0, CROP_SIDE, 0.0]]])
    grid = functional.affine_grid(affine, list(frame.shape), align_corners=True)
    cropped = functional.grid_sample(frame.float(), grid, mode="bilinear", align_corners=True)
    return cropped.round().clamp(0, 255).to(torch.uint8)
