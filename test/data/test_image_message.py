# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our CDR and image decoding against rosbags' serialiser, OpenCV's mosaics and malformed bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rosbags.typesys import Stores, get_typestore

from evla_ros.data import messages
from evla_ros.data.codecs.camera import rgb_from_cdr
from evla_ros.data.image_message import ENCODINGS, ImageMessageError, image_to_rgb
from evla_ros.data.messages import (
    decode_joint_state,
    decode_pose_stamped,
    decode_tf_message,
    header_stamp_ns,
)
from evla_ros.embodiment.streams import COMPRESSED_IMAGE, IMAGE
from evla_ros.errors import EvlaError

STORE = get_typestore(Stores.ROS2_JAZZY)
T = STORE.types
DECODERS = sorted(name for name in vars(messages) if name.startswith("decode_"))


def _header(frame="camera_optical", sec=5, nanosec=7):
    return T["std_msgs/msg/Header"](
        stamp=T["builtin_interfaces/msg/Time"](sec=sec, nanosec=nanosec), frame_id=frame
    )


def _image(pixels, encoding, *, step=None, big=False):
    message = T["sensor_msgs/msg/Image"](
        header=_header(),
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=int(big),
        step=step or pixels.strides[0],
        data=np.frombuffer(pixels.tobytes(), np.uint8),
    )
    return bytes(STORE.serialize_cdr(message, "sensor_msgs/msg/Image"))


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


@given(frame=st.text(max_size=9), little=st.booleans())
@settings(max_examples=30, deadline=None)
def test_frame_id_length_and_byte_order_never_shift_the_picture(frame, little):
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    frame = frame.replace("\0", "")
    message = T["sensor_msgs/msg/Image"](
        _header(frame), 2, 3, "rgb8", 0, 9, np.frombuffer(pixels.tobytes(), np.uint8)
    )
    raw = bytes(STORE.serialize_cdr(message, "sensor_msgs/msg/Image", little_endian=little))
    np.testing.assert_array_equal(rgb_from_cdr(raw, IMAGE), pixels)
    assert header_stamp_ns(raw) == 5_000_000_007


@pytest.mark.parametrize(
    ("encoding", "arrange"),
    [
        ("rgb8", lambda p: p),
        ("bgr8", lambda p: p[:, :, ::-1]),
        ("rgba8", lambda p: np.dstack([p, p[:, :, 0]])),
        ("bgra8", lambda p: np.dstack([p[:, :, ::-1], p[:, :, 0]])),
    ],
)
def test_packed_encodings_give_the_same_rgb(picture, encoding, arrange):
    raw = _image(np.ascontiguousarray(arrange(picture)), encoding)
    np.testing.assert_array_equal(rgb_from_cdr(raw, IMAGE), picture)


@pytest.mark.parametrize("big", [False, True])
def test_sixteen_bit_images_keep_the_high_byte(picture, big):
    wide = (picture.astype(np.uint16) << 8 | 7).astype(">u2" if big else "<u2")
    np.testing.assert_array_equal(rgb_from_cdr(_image(wide, "rgb16", big=big), IMAGE), picture)
    grey = np.ascontiguousarray(wide[:, :, 0])
    rgb = rgb_from_cdr(_image(grey, "mono16", big=big), IMAGE)
    np.testing.assert_array_equal(rgb, np.repeat(picture[:, :, :1], 3, axis=2))


def test_padding_at_the_row_end_is_dropped(picture):
    padded = np.full((6, 32), 99, np.uint8)
    padded[:, :24] = picture.reshape(6, 24)
    rgb = image_to_rgb("rgb8", 6, 8, 32, False, padded.tobytes())
    np.testing.assert_array_equal(rgb, picture)


@pytest.mark.parametrize("name", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_mosaic_of_one_colour_decodes_to_that_colour(name):
    colour = {"r": 200, "g": 90, "b": 20}
    mosaic = np.empty((8, 8), np.uint8)
    for index, letter in enumerate(name):
        mosaic[index // 2 :: 2, index % 2 :: 2] = colour[letter]
    rgb = rgb_from_cdr(_image(mosaic, f"bayer_{name}8"), IMAGE)
    np.testing.assert_array_equal(rgb[4, 4], [200, 90, 20])


def test_yuyv_of_one_colour_decodes_to_that_colour():
    packed = np.zeros((4, 4, 2), np.uint8)
    packed[:, :, 0], packed[:, 0::2, 1], packed[:, 1::2, 1] = 81, 90, 240  # BT.601 red
    for encoding, pixels in (("yuv422_yuy2", packed), ("uyvy", packed[:, :, ::-1])):
        rgb = rgb_from_cdr(_image(np.ascontiguousarray(pixels), encoding), IMAGE)
        assert rgb[1, 1, 0] > 240, encoding
        assert max(rgb[1, 1, 1:]) < 15, encoding


@pytest.mark.parametrize("encoding", ["yuv422", "yuv422_yuy2", "uyvy", "yuyv"])
def test_an_odd_width_of_shared_colours_is_named(encoding):
    with pytest.raises(ImageMessageError, match=f"'{encoding}' with the odd width 5"):
        image_to_rgb(encoding, 4, 5, 0, False, bytes(40))


def test_compressed_picture_is_rgb_and_close(picture):
    from PIL import Image

    smooth = np.full((32, 32, 3), (200, 60, 10), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(smooth).save(buffer, "JPEG", quality=95)
    message = T["sensor_msgs/msg/CompressedImage"](
        _header(), "rgb8; jpeg compressed bgr8", np.frombuffer(buffer.getvalue(), np.uint8)
    )
    raw = bytes(STORE.serialize_cdr(message, "sensor_msgs/msg/CompressedImage"))
    rgb = rgb_from_cdr(raw, COMPRESSED_IMAGE)
    assert np.abs(rgb.astype(int) - smooth).max() <= 3


def test_poses_joints_and_transforms_agree_with_rosbags():
    point = T["geometry_msgs/msg/Point"](1.0, -2.0, 3.5)
    turn = T["geometry_msgs/msg/Quaternion"](0.1, 0.2, 0.3, 0.9)
    pose = T["geometry_msgs/msg/PoseStamped"](
        _header("b"), T["geometry_msgs/msg/Pose"](point, turn)
    )
    got = decode_pose_stamped(STORE.serialize_cdr(pose, "geometry_msgs/msg/PoseStamped"))
    np.testing.assert_array_equal(got.position_m, [1, -2, 3.5])
    np.testing.assert_array_equal(got.quaternion_xyzw, [0.1, 0.2, 0.3, 0.9])
    joints = T["sensor_msgs/msg/JointState"](
        _header(), ["a", "elbow"], np.array([1.0, 2.0]), np.array([]), np.array([4.0])
    )
    state = decode_joint_state(STORE.serialize_cdr(joints, "sensor_msgs/msg/JointState"))
    assert state.names == ("a", "elbow")
    assert (state.position.tolist(), state.velocity.size, state.effort.tolist()) == ([1, 2], 0, [4])
    vector = T["geometry_msgs/msg/Vector3"](0.5, 0.6, 0.7)
    move = T["geometry_msgs/msg/Transform"](vector, turn)
    stamped = T["geometry_msgs/msg/TransformStamped"](_header("base"), "tool_frame", move)
    message = T["tf2_msgs/msg/TFMessage"]([stamped, stamped])
    tree = decode_tf_message(STORE.serialize_cdr(message, "tf2_msgs/msg/TFMessage"))
    assert [(t.header.frame_id, t.child_frame) for t in tree] == [("base", "tool_frame")] * 2
    np.testing.assert_array_equal(tree[1].translation_m, [0.5, 0.6, 0.7])


def test_unusable_encoding_names_the_usable_ones(picture):
    with pytest.raises(ImageMessageError, match="32FC1.*rgb8"):
        rgb_from_cdr(_image(picture, "32FC1"), IMAGE)
    assert "bgr8" in ENCODINGS


@given(data=st.binary(max_size=80), flip=st.integers(0, 200), kind=st.sampled_from(DECODERS))
@settings(max_examples=300, deadline=None)
def test_garbage_is_an_error_with_a_sentence_never_a_crash(data, flip, kind):
    base = bytearray(_image(np.zeros((2, 2, 3), np.uint8), "rgb8"))
    base[flip % len(base)] ^= 0xFF
    for raw in (b"\0\1\0\0" + data, data, bytes(base), bytes(base[: flip % len(base)])):
        try:
            getattr(messages, kind)(raw)
        except EvlaError as error:
            assert str(error)
