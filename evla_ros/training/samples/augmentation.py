# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image augmentation as OpenVLA publishes it: a random crop of 90 % area, then light and colour.

A network that is trained with it is served the central 90 % of each picture (`image.center_crop` of
its configuration). Both crop the picture that the network is given: the whole frame, or the frame
padded to a square (`image.resize: letterbox`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evla_ros.model.image_processor import CROP_SIDE, ImageProcessor, resize_bicubic

BRIGHTNESS, CONTRAST, SATURATION, HUE = 0.2, (0.8, 1.2), (0.8, 1.2), 0.05
_GREY = torch.tensor([0.2989, 0.587, 0.114]).view(3, 1, 1)


def augment(
    processor: ImageProcessor, images: Mapping[str, npt.NDArray[np.uint8]], rng: np.random.Generator
) -> Tensor:
    """Augment the pictures of one observation.

    Args:
        processor: Says which cameras and which size.
        images: Camera -> uint8 [H, W, 3] RGB.
        rng: The source of randomness.

    Returns:
        uint8 [cameras, channels, S, S]; all cameras have the same colour changes.
    """
    size = processor.config.size
    colours = _draw_colours(rng)
    frames = []
    for camera in processor.config.cameras:
        frame = torch.from_numpy(np.ascontiguousarray(images[camera])).permute(2, 0, 1)[None]
        frame = processor.bordered(frame)
        height, width = frame.shape[-2:]
        rows, columns = max(1, round(height * CROP_SIDE)), max(1, round(width * CROP_SIDE))
        top = int(rng.integers(height - rows + 1))
        left = int(rng.integers(width - columns + 1))
        crop = frame[..., top : top + rows, left : left + columns]
        pictures = resize_bicubic(crop, size)[0].split(3)
        frames.append(torch.cat([_recolour(picture, *colours) for picture in pictures]))
    return torch.stack(frames)


def _draw_colours(rng: np.random.Generator) -> tuple[float, float, float, float]:
    return (
        float(rng.uniform(-BRIGHTNESS, BRIGHTNESS)),
        float(rng.uniform(*CONTRAST)),
        float(rng.uniform(*SATURATION)),
        float(rng.uniform(-HUE, HUE)),
    )


def _recolour(
    frame: Tensor, brightness: float, contrast: float, saturation: float, hue: float
) -> Tensor:
    """Change brightness (added), contrast, saturation and hue, in that order; [3, S, S] uint8."""
    pixels = (frame.float() / 255 + brightness).clamp(0, 1)
    mean = pixels.mean(dim=(1, 2), keepdim=True)
    pixels = ((pixels - mean) * contrast + mean).clamp(0, 1)
    grey = (pixels * _GREY).sum(0, keepdim=True)
    pixels = (grey + saturation * (pixels - grey)).clamp(0, 1)
    pixels = torch.einsum("ij,jhw->ihw", _hue_rotation(hue), pixels).clamp(0, 1)
    return (pixels * 255).round().to(torch.uint8)


def _hue_rotation(turns: float) -> Tensor:
    """Return the rotation of RGB about the grey axis by `turns` of a circle (YIQ hue shift)."""
    angle = 2 * np.pi * turns
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    third, root = (1 - cos) / 3, sin * 3**-0.5
    return torch.tensor(
        [
            [cos + third, third - root, third + root],
            [third + root, cos + third, third - root],
            [third - root, third + root, cos + third],
        ]
    )
