# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Goals that are whole ways: what a controller would ignore is never written and never read."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.data.bags import encode
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.goal import way_fields, way_from_cdr, way_to_cdr
from evla_ros.embodiment.streams import POSE_TRAJECTORY
from evla_ros.geometry import Pose, TimedPose, distance, pose_on_way

WAY = (
    TimedPose(100_000_000, Pose.from_xyz_rpy([0.4, 0.1, 0.3], [3.0, 0.1, 0.2])),
    TimedPose(1_200_000_001, Pose.from_xyz_rpy([0.5, 0.0, 0.2], [3.1, 0.0, 0.0])),
)


def same(a, b) -> bool:
    return [p.after_ns for p in a] == [p.after_ns for p in b] and all(
        distance(x.pose, y.pose) < (1e-9, 1e-6) for x, y in zip(a, b, strict=True)
    )


def test_a_way_comes_back_from_its_bytes():
    stamp_ns, way = way_from_cdr(way_to_cdr(7, "base_link", WAY), "base_link")
    assert stamp_ns == 7
    assert same(way, WAY)
    assert same(way_from_cdr(way_to_cdr(0, "", WAY), "base_link").way, WAY)  # empty: the base frame


def test_the_message_is_what_the_middleware_sends():
    pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
    from rclpy.serialization import serialize_message

    from evla_ros.ros.message_types import new_message

    message = new_message(POSE_TRAJECTORY, way_fields("base_link", WAY), 0)
    assert message.header.frame_id == "base_link"
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (0, 0)
    assert [len(point.transforms) for point in message.points] == [1, 1]
    assert not message.points[0].velocities
    assert (message.points[1].time_from_start.sec, message.points[1].time_from_start.nanosec) == (
        1, 200_000_001,
    )  # fmt: skip
    data = serialize_message(message)
    assert same(way_from_cdr(data, "base_link").way, WAY)
    message.points[0].velocities = [_twist()]
    assert same(way_from_cdr(serialize_message(message), None).way, WAY)


def _twist():
    from geometry_msgs.msg import Twist

    return Twist()


@pytest.mark.parametrize("times", [[], [0], [5, 5], [7, 6], [-1]])
def test_times_that_do_not_grow_are_never_sent(times):
    with pytest.raises(ValueError, match="grow strictly"):
        way_fields("", [TimedPose(time, WAY[0].pose) for time in times])


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (way_to_cdr(0, "tool0", WAY), "comes in frame 'tool0'"),
        (way_to_cdr(0, "", ()), "has no point"),
        (way_to_cdr(0, "", (WAY[0]._replace(after_ns=0), WAY[1])), "point 0 does not grow"),
        (way_to_cdr(0, "", (WAY[1], WAY[0])), "point 1 does not grow"),
        (way_to_cdr(0, "", WAY)[:-20], "message ends|ends at byte|do not fit"),
        (b"\0\1\0\0" + b"\xff" * 60, "."),
    ],
)
def test_what_the_controller_ignores_is_a_bad_sample(data, fault):
    with pytest.raises(BadSampleError, match=fault):
        way_from_cdr(data, "base_link")


def test_numbers_that_are_not_finite_are_a_bad_sample():
    data = bytearray(encode.encode_pose_trajectory(0, "", WAY))
    at = bytes(data).index(np.float64(0.4).tobytes())
    data[at : at + 8] = np.float64(np.nan).tobytes()
    with pytest.raises(BadSampleError, match="finite|nan"):
        way_from_cdr(bytes(data), None)


def test_a_way_is_straight_between_its_poses():
    start = Pose.from_xyz_rpy([0.3, 0.1, 0.3], [3.0, 0.1, 0.2])
    assert pose_on_way(start, WAY, 0) is not None
    np.testing.assert_allclose(pose_on_way(start, WAY, 50_000_000).position_m, [0.35, 0.1, 0.3])
    assert pose_on_way(start, WAY, 9_000_000_000) is WAY[-1].pose
    np.testing.assert_allclose(pose_on_way(start, WAY, -5).position_m, start.position_m)
