# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resize, JPEG encode and decode: shapes, parity of the two libraries, damaged bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from synthetic_dataset import synthetic_image

from evla_ros.data import image_jpeg
from evla_ros.data.image_jpeg import decode_rgb, decode_small, encode_jpeg, image_size
from evla_ros.data.image_resize import ImageError, resize_rgb

PICTURE = synthetic_image(3, 0.4, (120, 176))


def as_png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()


LIBRARIES = {"simplejpeg": "simplejpeg", "opencv": "cv2", "pillow": "PIL"}  # the fastest first


def use_library(name, monkeypatch):
    """Let pictures be decoded by this library, as where the faster ones are missing."""
    pytest.importorskip(LIBRARIES[name], reason=f"{name} is not installed")
    for faster in list(LIBRARIES)[: list(LIBRARIES).index(name)]:
        monkeypatch.setattr(image_jpeg, f"_{faster}", lambda: None)


@pytest.fixture(params=sorted(LIBRARIES))
def library(request, monkeypatch):
    use_library(request.param, monkeypatch)
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


def test_fill_bytes_before_a_marker_are_legal(library):
    jpeg = encode_jpeg(PICTURE)
    filled = jpeg[:2] + b"\xff\xff\xff" + jpeg[2:]
    assert image_size(filled) == (120, 176)
    np.testing.assert_array_equal(decode_rgb(filled), decode_rgb(jpeg))


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


def as_jpeg(picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=90, **options)
    return buffer.getvalue()


RGB = Image.fromarray(PICTURE)
ON_ITS_SIDE = Image.Exif()
ON_ITS_SIDE[0x0112] = 6
JPEGS = {
    "4:2:0": as_jpeg(RGB, subsampling="4:2:0"),
    "4:2:2": as_jpeg(RGB, subsampling="4:2:2"),
    "4:4:4": as_jpeg(RGB, subsampling="4:4:4"),
    "progressive": as_jpeg(RGB, progressive=True),
    "grey": as_jpeg(RGB.convert("L")),
    "cmyk": as_jpeg(RGB.convert("CMYK")),
    "odd size": as_jpeg(RGB.crop((0, 0, 51, 77))),
    "on its side": as_jpeg(RGB, exif=ON_ITS_SIDE),
}


@pytest.mark.parametrize("form", sorted(JPEGS))
def test_the_fast_decoder_gives_the_same_pixels_as_opencv(form, monkeypatch):
    pytest.importorskip("simplejpeg", reason="simplejpeg is not installed")
    fast = decode_rgb(JPEGS[form])
    use_library("opencv", monkeypatch)
    np.testing.assert_array_equal(fast, decode_rgb(JPEGS[form]))


def test_a_picture_is_decoded_into_a_row_of_a_batch(library):
    batch = np.zeros((3, *PICTURE.shape), np.uint8)
    for data in (encode_jpeg(PICTURE), as_png(PICTURE)):
        assert decode_rgb(data, batch[1]) is not None
        np.testing.assert_array_equal(batch[1], decode_rgb(data))
        assert not batch[[0, 2]].any()
    turned = np.zeros((*PICTURE.shape[:2], 6), np.uint8)[..., ::2]  # not contiguous
    np.testing.assert_array_equal(decode_rgb(as_png(PICTURE), turned), PICTURE)


@pytest.mark.parametrize("shape", [(60, 176, 3), (240, 176, 3), (120, 176), (176, 120, 3)])
def test_a_picture_of_another_size_is_refused(library, shape):
    with pytest.raises(ImageError, match="does not fit"):
        decode_rgb(encode_jpeg(PICTURE), np.zeros(shape, np.uint8))
    with pytest.raises(ImageError, match="does not fit"):
        decode_rgb(encode_jpeg(PICTURE), np.zeros(PICTURE.shape, np.float32))
