# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a network is trained on and what it is served agree: crops, and letterboxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evla_ros.model.config import ImageConfig
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.training.config_file import parse_config
from evla_ros.training.parts import build
from evla_ros.training.samples import augmentation

SIZE = 64


def processor(**changes) -> ImageProcessor:
    return ImageProcessor(ImageConfig(size=SIZE, cameras=("primary",), **changes))


@pytest.fixture
def crops_alone(monkeypatch):
    monkeypatch.setattr(augmentation, "_draw_colours", lambda _: (0.0, 1.0, 1.0, 0.0))


@pytest.mark.parametrize("augment", [True, False])
def test_augment_decides_what_the_checkpoint_is_served(settings, augment):
    made = build(parse_config({**settings, "data": {"augment": augment}}, "test"))
    assert made.model.config.image.center_crop is augment


def test_random_crops_lie_about_the_crop_that_is_served(crops_alone):
    """On a ramp the mean of many crops is the centre."""
    rows, columns = np.mgrid[0:90, 0:120]
    frame = np.stack([rows * 2, columns * 2, rows + columns], -1).astype(np.uint8)
    rng = np.random.default_rng(0)
    drawn = [augmentation.augment(processor(), {"primary": frame}, rng) for _ in range(300)]
    assert len({picture.numpy().tobytes() for picture in drawn}) > 20
    mean = torch.stack(drawn).float().mean(0)
    served = processor(center_crop=True)({"primary": frame}).float()
    whole = processor()({"primary": frame}).float()
    assert (mean - served).abs().mean() < 1.0
    assert (whole - served).abs().mean() > 2.0


def test_a_letterbox_is_cropped_with_its_borders_as_it_is_served(crops_alone):
    frame = np.full((60, 120, 3), 255, np.uint8)
    boxed = processor(resize="letterbox")
    rng = np.random.default_rng(1)
    border = boxed({"primary": frame})[0, :, 0, 0].float()
    for _ in range(20):
        picture = augmentation.augment(boxed, {"primary": frame}, rng)[0].float()
        for row in (0, SIZE - 1):
            assert (picture[:, row] - border[:, None]).abs().max() <= 2
        assert picture[:, SIZE // 2].min() >= 253
        white = (picture[0, :, SIZE // 2] > 250).sum() / SIZE
        assert float(white) == pytest.approx(0.5 / augmentation.CROP_SIDE, abs=0.04)


def test_each_border_colour_of_a_letterbox_is_a_picture_with_the_same_crop(crops_alone):
    fills = ((10, 20, 30), (200, 100, 50))
    frame = np.full((60, 120, 3), 255, np.uint8)
    boxed = processor(resize="letterbox", fills=fills)
    picture = augmentation.augment(boxed, {"primary": frame}, np.random.default_rng(2))[0]
    assert picture.shape == (6, SIZE, SIZE)
    for first, fill in ((0, fills[0]), (3, fills[1])):
        corner = picture[first : first + 3, 0, 0].tolist()
        assert np.allclose(corner, fill, atol=2)
    inside = [(picture[c] == 255).sum() for c in (0, 3)]
    assert abs(int(inside[0]) - int(inside[1])) <= 2 * SIZE
