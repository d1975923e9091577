# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resizing, cropping and normalisation against PIL and written-out references.

Every bad frame is named.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from evla_ros.model.config import ImageConfig
from evla_ros.model.errors import ObservationError
from evla_ros.model.image_processor import CROP_SIDE, ImageProcessor

RANDOM = np.random.default_rng(0)
SHAPES = [(480, 640), (64, 64), (224, 224), (100, 33), (1, 1), (720, 1280)]


def smooth(height: int, width: int) -> np.ndarray:
    """A frame with structure at several scales and noise."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / 9 + c) + np.cos(y / 13 - c) for c in range(3)], axis=-1)
    noisy = 127 + 50 * waves + RANDOM.normal(0, 8, waves.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def processor(**settings: Any) -> ImageProcessor:
    """A processor of one camera at 224 px."""
    return ImageProcessor(ImageConfig(**{"size": 224, "cameras": ("primary",), **settings}))


def pillow(picture: Image.Image, size: int) -> np.ndarray:
    """Resize as Pillow did always and, since version 13, only where a frame is wide: rows first."""
    rows = picture.resize((size, picture.height), Image.Resampling.BICUBIC)
    return np.asarray(rows.resize((size, size), Image.Resampling.BICUBIC))


def check_near(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Hardly a number differs, and those by a rounding of either pass."""
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.max() <= 2
    assert (apart > 0).mean() < 0.02


@pytest.mark.parametrize("shape", SHAPES)
def test_squash_agrees_with_pil(shape: tuple[int, int]) -> None:
    frame = smooth(*shape)
    ours = processor()({"primary": frame})[0].permute(1, 2, 0).numpy()
    check_near(ours, pillow(Image.fromarray(frame), 224))


@pytest.mark.parametrize("shape", [(480, 640), (120, 100), (100, 33), (433, 634), (720, 1280)])
@pytest.mark.parametrize("size", [96, 224])
def test_noise_agrees_with_pil_too(shape: tuple[int, int], size: int) -> None:
    """Noise overshoots at every edge, so each of the two passes has to be rounded and clipped."""
    frame = RANDOM.integers(0, 256, (*shape, 3), dtype=np.uint8)
    ours = processor(size=size)({"primary": frame})[0].permute(1, 2, 0).numpy()
    check_near(ours, pillow(Image.fromarray(frame), size))


@pytest.mark.parametrize("shape", SHAPES)
def test_letterbox_agrees_with_pil(shape: tuple[int, int]) -> None:
    frame = smooth(*shape)
    height, width = shape
    side = max(shape)
    square = Image.new("RGB", (side, side), (124, 116, 104))
    square.paste(Image.fromarray(frame), ((side - width) // 2, (side - height) // 2))
    ours = processor(resize="letterbox")({"primary": frame})[0].permute(1, 2, 0).numpy()
    check_near(ours, pillow(square, 224))


def test_center_crop_agrees_with_crop_and_resize() -> None:
    """TensorFlow's crop_and_resize, written out: corners aligned, bilinear."""
    frame = smooth(224, 224)
    ours = processor(center_crop=True)({"primary": frame})[0].permute(1, 2, 0).numpy()
    low = (1 - CROP_SIDE) / 2
    at = (low + np.arange(224) * CROP_SIDE / 223) * 223
    start = np.floor(at).astype(int)
    weight = at - start
    rows = frame[start] * (1 - weight)[:, None, None] + frame[start + 1] * weight[:, None, None]
    both = rows[:, start] * (1 - weight)[None, :, None] + rows[:, start + 1] * weight[None, :, None]
    assert np.abs(ours - both).max() <= 1


def test_cameras_come_in_configured_order() -> None:
    frames = {name: np.full((8, 8, 3), value, np.uint8) for name, value in (("b", 9), ("a", 5))}
    stacked = processor(cameras=("a", "b"), size=4)(frames)
    assert stacked.dtype == torch.uint8
    assert stacked[:, 0, 0, 0].tolist() == [5, 9]


def test_a_view_with_negative_strides_is_taken() -> None:
    frame = smooth(30, 40)
    flipped = processor()({"primary": frame[::-1, ::-1]})
    assert torch.equal(flipped, processor()({"primary": frame[::-1, ::-1].copy()}))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ({}, "camera 'primary' is missing"),
        ({"primary": smooth(4, 4), "wirst": smooth(4, 4)}, "unknown camera 'wirst'"),
        ({"primary": np.full((4, 4, 3), np.nan)}, "NaN"),
        ({"primary": np.zeros((4, 4, 3), np.float32)}, "must be uint8 RGB, not float32"),
        ({"primary": np.zeros((0, 4, 3), np.uint8)}, "empty image"),
        ({"primary": np.zeros((4, 4), np.uint8)}, r"shape \[4, 4\]"),
        ({"primary": np.zeros((4, 4, 4), np.uint8)}, r"shape \[4, 4, 4\]"),
        ({"primary": None}, "must be uint8"),
    ],
)
def test_bad_frames_are_named(images: dict[str, Any], message: str) -> None:
    with pytest.raises(ObservationError, match=message):
        processor()(images)
