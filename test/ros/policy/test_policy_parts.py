# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of the policy node that need rclpy but no graph: parameters, goal loop, codec."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

from evla_ros.bench.fake_robot import GoalRecord
from evla_ros.bench.goal_timing import Stop, grid_lateness, stop_times
from evla_ros.control.controller import Controller
from evla_ros.control.limits.moving_parts import RobotLimits
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import COMPRESSED_IMAGE, IMAGE, streams_of
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose
from evla_ros.ros.image_codec import decode_rgb
from evla_ros.ros.parameters import markdown
from evla_ros.ros.policy.goal_loop import GoalLoop
from evla_ros.ros.policy.limit_parameters import limit_table, tightened_limits
from evla_ros.ros.policy.observations import BadImageError, Observations, RawImage, decoded
from evla_ros.ros.policy.parameters import (
    TABLE,
    control_settings,
    policy_spec,
)

ARM = load_embodiment("tabletop_arm")
RNG = np.random.default_rng(0)


def image(encoding: str, pixels: np.ndarray, padding: int = 0) -> bytes:
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    message = Image(height=height, width=width, encoding=encoding, step=rows.shape[1])
    message.data.frombytes(rows.tobytes())
    return serialize_message(message)


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("size", [(4, 6), (480, 640)])
def test_common_encodings_become_rgb(size: tuple[int, int], padding: int) -> None:
    rgb = RNG.integers(0, 256, (*size, 3), dtype=np.uint8)
    alpha = np.full((*size, 1), 7, np.uint8)
    for encoding, pixels in {
        "rgb8": rgb,
        "bgr8": rgb[:, :, ::-1],
        "rgba8": np.concatenate([rgb, alpha], axis=2),
        "bgra8": np.concatenate([rgb[:, :, ::-1], alpha], axis=2),
    }.items():
        np.testing.assert_array_equal(decode_rgb(image(encoding, pixels, padding), IMAGE), rgb)
    grey = decode_rgb(image("mono8", rgb[:, :, :1], padding), IMAGE)
    np.testing.assert_array_equal(grey, np.repeat(rgb[:, :, :1], 3, axis=2))


def test_a_jpeg_becomes_rgb() -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[:, 16:] = [200, 30, 60]
    _, data = cv2.imencode(".png", rgb[:, :, ::-1])
    message = CompressedImage(format="png")
    message.data.frombytes(data.tobytes())
    np.testing.assert_array_equal(decode_rgb(serialize_message(message), COMPRESSED_IMAGE), rgb)


@pytest.mark.parametrize("data", [b"", b"\0\1\0\0", b"garbage that is no message at all"])
@pytest.mark.parametrize("message_type", [IMAGE, COMPRESSED_IMAGE])
def test_garbage_is_refused_with_a_sentence(data: bytes, message_type: str) -> None:
    with pytest.raises(EvlaError):
        decode_rgb(data, message_type)


def test_an_observation_is_causal() -> None:
    controller = Controller(ARM, ControlSettings())
    controller.set_instruction("go")
    seen = Observations(ARM)
    for k in range(5):
        controller.arms[0].note_pose(k * 100, Pose.from_xyz_rpy([k / 100, 0, 0], [0, 0, 0]))
        seen.add_opening(0, k * 100, k * 100, k / 10)
    picture = image("rgb8", np.zeros((4, 6, 3), np.uint8))
    seen.images = {"primary": RawImage(250, 260, picture), "wrist": RawImage(220, 260, picture)}
    taken = seen.take(controller, 270, 280)
    assert (taken.observation.stamp_ns, taken.start_ns) == (250, 270)
    np.testing.assert_allclose(taken.observation.proprio, [0.02, 0, 0, 0, 0, 0, 1, 0.2])
    assert decoded(taken, streams_of(ARM)).images["wrist"].shape == (4, 6, 3)
    seen.images["wrist"] = RawImage(220, 260, picture[:-9])
    with pytest.raises(BadImageError) as caught:
        decoded(seen.take(controller, 270, 280), streams_of(ARM))
    assert caught.value.camera == "wrist"


def test_the_loop_ticks_on_the_grid_and_when_nudged() -> None:
    times: list[int] = []
    loop = GoalLoop(100.0, lambda: times.append(time.monotonic_ns()), lambda _: None)
    loop.start()
    time.sleep(0.205)
    loop.nudge()
    time.sleep(0.002)
    loop.stop()
    assert 15 <= len(times) + loop.missed <= 24
    count = len(times)
    time.sleep(0.05)
    assert len(times) == count


def test_a_failing_tick_does_not_end_the_loop() -> None:
    errors: list[Exception] = []
    ticked = threading.Event()

    def tick() -> None:
        if len(errors) < 3:
            raise ValueError("no")
        ticked.set()

    loop = GoalLoop(200.0, tick, errors.append)
    loop.start()
    assert ticked.wait(5.0)
    loop.stop()
    assert len(errors) == 3


def test_simulated_time_sets_the_pace_and_standing_time_does_not_stop_a_stop() -> None:
    now = [10**9]
    ticks: list[int] = []
    loop = GoalLoop(50.0, lambda: ticks.append(now[0]), lambda _: None, lambda: now[0])
    loop.start()
    for _ in range(10):
        time.sleep(0.01)
        now[0] += 20_000_000
    time.sleep(0.05)
    paced = len(ticks)
    time.sleep(0.35)
    loop.stop()
    assert 5 <= paced <= 13
    assert paced + 1 <= len(ticks) <= paced + 6


def test_the_shipped_parameter_file_names_every_parameter_with_its_default(root) -> None:
    text = (root / "config" / "params" / "policy.yaml").read_text()
    values = yaml.safe_load(text)["/**"]["policy"]["ros__parameters"]
    assert "# autostart: false" in text  # not set there: launch files decide, unless a user does
    assert values == {row.name: row.default for row in TABLE if row.name != "autostart"}


def test_the_reference_page_is_the_table(root) -> None:
    assert markdown(TABLE) in (root / "docs" / "policy_node.md").read_text()


def test_parameters_make_settings_and_specs() -> None:
    values = {row.name: row.default for row in TABLE}
    assert control_settings(values) == ControlSettings()
    assert policy_spec(values, ARM).kind == "evla"
    assert policy_spec(values, ARM).threads == max(1, len(os.sched_getaffinity(0)) - 1)
    assert policy_spec(values | {"inference_threads": 5}, ARM).threads == 5
    with pytest.raises(EvlaError, match="JSON"):
        policy_spec(values | {"faults": "{"}, ARM)
    limits = {row.name: row.default for row in limit_table(ARM)}
    assert tightened_limits(ARM, limits) == RobotLimits.of(ARM)
    with pytest.raises(EvlaError, match=r"limits\.arm"):
        tightened_limits(ARM, limits | {"limits.arm.max_step_m": 1.0})


def test_every_row_refuses_what_is_out_of_bounds() -> None:
    for row in TABLE:
        assert row.problem(row.default) == ""
        if row.high is not None:
            assert row.name in row.problem(row.high + 1)
        if row.choices:
            assert row.problem("no such thing")
        assert row.descriptor().description


def test_lateness_is_measured_against_the_grid() -> None:
    period = 20_000_000
    times = [k * period + 300_000 for k in range(200)]
    times[50] += 7_000_000
    del times[100]
    off_grid = [k * period * 7 + 9_000_000 for k in range(5, 25)]
    late = grid_lateness(sorted(times + off_grid), period)
    assert late.p50_ms < 0.4
    assert 6.5 < late.max_ms <= 20.5
    assert late.missed + (late.max_ms > 9) >= 1


def test_standing_still_is_dated_by_its_first_goal() -> None:
    def goal(t: int, x: float) -> GoalRecord:
        return GoalRecord(t, t, (x, 0, 0), (x, 0, 0))

    moving = [goal(t, t) for t in range(5)]
    still = [goal(t, 9) for t in range(5, 9)]
    assert stop_times(moving + still, 4) == Stop(5, 5)
    braking = [goal(5, 4.7), goal(6, 5.0), goal(7, 4.9), *(goal(t, 4.9) for t in range(8, 12))]
    assert stop_times(moving + braking + [goal(t, t) for t in range(12, 20)], 3) == Stop(5, 7)
    assert stop_times([goal(t, t) for t in range(9)], 3) is None
