# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resize, JPEG encode and decode: shapes, parity of the two libraries, damaged bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from evla_ros.data import image_jpeg
from evla_ros.data.image_jpeg import decode_rgb, decode_small, encode_jpeg, image_size
from evla_ros.data.image_resize import ImageError, resize_rgb
from evla_ros.data.synthetic import synthetic_image

PICTURE = synthetic_image(3, 0.4, (120, 176))


def as_png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture(params=["opencv", "pillow"])
def library(request, monkeypatch):
    if request.param == "opencv":
        pytest.importorskip("cv2", reason="OpenCV is not installed")
    else:
        monkeypatch.setattr(image_jpeg, "_opencv", lambda: None)
    return request.param


def test_resize_squashes_and_keeps_what_fits():
    assert resize_rgb(PICTURE, (50, 60)).shape == (50, 60, 3)
    assert resize_rgb(PICTURE, 32).shape == (32, 32, 3)
    np.testing.assert_array_equal(resize_rgb(PICTURE, (120, 176)), PICTURE)
    flat = np.full((97, 31, 3), (10, 200, 90), np.uint8)
    assert (resize_rgb(flat, 24) == (10, 200, 90)).all()
    assert resize_rgb(PICTURE[::2, ::-1], 40).flags["C_CONTIGUOUS"]


@pytest.mark.parametrize(
    "bad", [PICTURE[..., 0], PICTURE.astype(np.float32), PICTURE[:0], PICTURE[..., :2]]
)
def test_what_is_no_rgb_image_is_refused(bad):
    with pytest.raises(ImageError, match="expected an RGB image"):
        resize_rgb(bad, 8)
    with pytest.raises(ImageError, match="expected an RGB image"):
        encode_jpeg(bad)
    with pytest.raises(ImageError, match="at least 1x1"):
        resize_rgb(PICTURE, 0)


def test_jpeg_comes_back_close_and_rgb_stays_rgb(library):
    red = np.zeros((40, 48, 3), np.uint8)
    red[..., 0] = 255
    data = encode_jpeg(red)
    assert encode_jpeg(red) == data
    decoded = decode_rgb(data)
    assert decoded[..., 0].min() > 250
    assert decoded[..., 1:].max() < 5
    error = np.abs(decode_rgb(encode_jpeg(PICTURE)).astype(int) - PICTURE)
    assert error.mean() < 4


def test_png_is_read_exactly(library):
    np.testing.assert_array_equal(decode_rgb(as_png(PICTURE)), PICTURE)


def test_sizes_from_the_header(library):
    assert image_size(encode_jpeg(PICTURE)) == (120, 176)
    assert image_size(as_png(PICTURE)) == (120, 176)
    assert image_size(memoryview(encode_jpeg(PICTURE))) == (120, 176)


@pytest.mark.parametrize("size", [(24, 32), (120, 176), (224, 224), (480, 640)])
def test_a_small_picture_shows_the_same(library, size):
    image = synthetic_image(1, 0.7, size)
    small = decode_small(encode_jpeg(image))
    whole = np.asarray(Image.fromarray(image).resize(small.shape[1::-1], Image.Resampling.BOX))
    assert small.shape[0] >= 16
    assert np.abs(small.astype(int) - whole).mean() < 25


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8", b"hello", b"\x89PNG\r\n\x1a\n"])
def test_damaged_pictures_are_a_sentence(library, data):
    for function in (decode_rgb, image_size, decode_small):
        with pytest.raises(ImageError) as refusal:
            function(data)
        assert "\n" not in str(refusal.value)


def test_cut_pictures_never_crash(library):
    data = encode_jpeg(PICTURE)
    for end in range(0, len(data), max(1, len(data) // 60)):
        try:
            assert decode_rgb(data[:end]).shape == PICTURE.shape
        except ImageError as refusal:
            assert "\n" not in str(refusal)
