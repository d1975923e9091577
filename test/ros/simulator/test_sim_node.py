# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot and its user in two processes, over real DDS."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build` does it")
from geometry_msgs.msg import PoseStamped
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Float64, String

from evla_ros.data.codecs.goal import way_fields
from evla_ros.data.image_jpeg import decode_rgb
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import POSE_TRAJECTORY
from evla_ros.geometry import Pose, TimedPose
from evla_ros.msg import SimStatus
from evla_ros.ros.message_types import message_class, new_message
from evla_ros.ros.pose_conversion import nanoseconds, pose_stamped
from evla_ros.ros.qos import latched, newest_only
from evla_ros.srv import ResetSim

ROBOT = load_embodiment("tabletop_arm")
ARM = ROBOT.arms[0]
PRIMARY = ROBOT.cameras["primary"].topic


def poses_of(messages: list[PoseStamped]) -> np.ndarray:
    points = [m.pose.position for m in messages]
    return np.array([[p.x, p.y, p.z] for p in points])


def stamps_of(messages: list) -> np.ndarray:
    return np.array([nanoseconds(m.header.stamp) for m in messages])


def pose_in(message: PoseStamped) -> Pose:
    p, q = message.pose.position, message.pose.orientation
    return Pose([p.x, p.y, p.z], [q.x, q.y, q.z, q.w])


def test_it_says_what_a_real_robot_would(client, start_sim) -> None:
    sim = start_sim(seed=3)
    raw = client.listen(Image, PRIMARY, newest_only())
    wrist = client.listen(Image, ROBOT.cameras["wrist"].topic)
    jpeg = client.listen(CompressedImage, f"{PRIMARY}/compressed")
    info = client.listen(CameraInfo, "camera/primary/camera_info")
    joints = client.listen(JointState, ROBOT.joint_states)
    poses = client.listen(PoseStamped, ARM.pose.topic)
    openings = client.listen(Float64, ARM.gripper.state)
    words = client.listen(String, ROBOT.instruction.topic, latched())
    status = client.listen(SimStatus, "sim/status")
    client.until(
        lambda: all((len(raw) > 2, len(jpeg) > 2, wrist, info, joints, poses, words, status))
    )

    image = raw[-1]
    assert (image.height, image.width, image.step, image.encoding) == (64, 64, 192, "rgb8")
    pixels = np.frombuffer(image.data, np.uint8).reshape(64, 64, 3)
    assert pixels.std() > 10
    twins = [m for m in jpeg if m.header.stamp == image.header.stamp]
    if twins:
        decoded = decode_rgb(bytes(twins[0].data)).astype(float)
        assert np.abs(decoded - pixels).mean() < 12
    assert info[-1].header.frame_id == image.header.frame_id == "primary_optical_frame"
    focal = info[-1].k[0]
    assert math.degrees(2 * math.atan(32 / focal)) == pytest.approx(48, abs=5)
    assert joints[-1].name == ARM.joints
    assert len(joints[-1].position) == len(joints[-1].velocity) == 7
    assert poses[-1].header.frame_id == ROBOT.base_frame
    assert openings[-1].data == pytest.approx(ARM.gripper.open, abs=0.005)
    assert words[-1].data == status[-1].instruction
    for stream in (raw, poses, joints):
        stamps = stamps_of(stream)
        assert (np.diff(stamps) > 0).all()
        age_s = client.node.get_clock().now().nanoseconds - stamps[-1]
        assert age_s < 2e9
    assert sim.interrupt() == 0
    assert "Traceback" not in sim.log.read_text()


def test_it_follows_goals_and_keeps_the_last_one(client, start_sim) -> None:
    start_sim(seed=1)
    poses = client.listen(PoseStamped, ARM.pose.topic)
    openings = client.listen(Float64, ARM.gripper.state)
    goals = client.node.create_publisher(PoseStamped, ARM.goal.topic, 1)
    gripper = client.node.create_publisher(Float64, ARM.gripper.command, 1)
    client.until(
        lambda: poses and goals.get_subscription_count() and gripper.get_subscription_count()
    )
    start = pose_in(poses[-1])
    goal = Pose(start.position_m + np.array([0.05, 0.06, -0.04]), start.quaternion_xyzw)
    goals.publish(pose_stamped(goal, ROBOT.base_frame, 0))
    gripper.publish(Float64(data=ARM.gripper.closed))

    def arrived() -> bool:
        return bool(np.linalg.norm(poses_of(poses[-1:])[0] - goal.position_m) < 0.008)

    client.until(arrived)
    client.until(lambda: openings[-1].data < 0.005)
    client.spin(0.5)
    assert arrived()  # nobody repeats the goal; it is still tracked


def test_it_follows_whole_ways_to_their_end(client, start_sim, tmp_path) -> None:
    file = tmp_path / "ways.yaml"
    file.write_text(ROBOT.text.replace("executor: plain", "executor: cartesian_trajectory"))
    sim = start_sim(seed=1, embodiment=str(file))
    poses = client.listen(PoseStamped, ARM.pose.topic)
    goals = client.node.create_publisher(message_class(POSE_TRAJECTORY), ARM.goal.topic, 1)
    client.until(lambda: poses and goals.get_subscription_count())
    start = pose_in(poses[-1])
    steps = [np.array([0.02, 0.03, -0.02]) * k for k in range(1, 5)]
    way = [
        TimedPose(300_000_000 * k, Pose(start.position_m + step, start.quaternion_xyzw))
        for k, step in enumerate(steps, 1)
    ]
    wrong = new_message(POSE_TRAJECTORY, way_fields("camera", way), 0)
    goals.publish(wrong)
    client.until(lambda: "comes in frame 'camera'" in sim.log.read_text())
    goals.publish(new_message(POSE_TRAJECTORY, way_fields("", way), 0))
    end = way[-1].pose.position_m
    client.until(lambda: bool(np.linalg.norm(poses_of(poses[-1:])[0] - end) < 0.008))


def test_lockstep_is_refused_where_goals_are_whole_ways(start_sim, tmp_path) -> None:
    file = tmp_path / "ways.yaml"
    file.write_text(ROBOT.text.replace("executor: plain", "executor: cartesian_trajectory"))
    sim = start_sim(embodiment=str(file), own_clock=True, lockstep=True)
    assert sim.process.wait(30) != 0
    assert "set lockstep: false" in sim.log.read_text()


def test_bad_goals_are_refused_and_far_ones_approached(client, start_sim) -> None:
    sim = start_sim(seed=1, own_clock=True)
    poses = client.listen(PoseStamped, ARM.pose.topic, 1000)
    openings = client.listen(Float64, ARM.gripper.state)
    goals = client.node.create_publisher(PoseStamped, ARM.goal.topic, 10)
    gripper = client.node.create_publisher(Float64, ARM.gripper.command, 10)
    client.until(
        lambda: poses and goals.get_subscription_count() and gripper.get_subscription_count()
    )
    client.spin(0.5)
    start = pose_in(poses[-1])
    away = Pose(start.position_m + np.array([0.0, 1.0, 0.5]), start.quaternion_xyzw)
    broken = pose_stamped(away, ROBOT.base_frame, 0)
    broken.pose.position.x = math.nan
    for message in (broken, pose_stamped(away, "camera", 0), PoseStamped()):
        if message == PoseStamped():
            message.pose.orientation.w = 0.0
        goals.publish(message)
        client.spin(0.1)
    gripper.publish(Float64(data=math.nan))
    client.spin(0.5)
    assert np.linalg.norm(poses_of(poses[-1:])[0] - start.position_m) < 0.005
    assert openings[-1].data == pytest.approx(ARM.gripper.open, abs=0.005)

    before = len(poses)
    goals.publish(pose_stamped(away, ROBOT.base_frame, 0))
    client.until(lambda: len(poses) > before + 60)
    path, stamps = poses_of(poses[before:]), stamps_of(poses[before:])
    speeds = np.linalg.norm(np.diff(path, axis=0), axis=1) / (np.diff(stamps) / 1e9)
    assert speeds.max() < 2.0 * ARM.limits.max_speed_m_s
    assert path[-1][1] > start.position_m[1] + 0.1
    assert sim.interrupt() == 0
    log = sim.log.read_text()
    assert "refused" in log
    assert "Traceback" not in log


def test_reset_starts_the_episode_that_is_asked_for(client, start_sim) -> None:
    start_sim(seed=1)
    joints = client.listen(JointState, ROBOT.joint_states)
    words = client.listen(String, ROBOT.instruction.topic, latched())
    status = client.listen(SimStatus, "sim/status")
    first = client.call(ResetSim, "sim/reset", ResetSim.Request(task="lift", seed=7))
    assert (first.success, first.task, first.seed) == (True, "lift", 7)
    client.until(lambda: bool(words) and words[-1].data == first.instruction)
    client.until(lambda: bool(status) and status[-1].seed == 7)
    client.spin(0.4)
    home = np.array(joints[-1].position)

    other = client.call(ResetSim, "sim/reset", ResetSim.Request(task="", seed=8))
    assert (other.task, other.seed) == ("lift", 8)
    client.spin(0.4)
    assert np.abs(np.array(joints[-1].position) - home).max() > 0.01

    client.call(ResetSim, "sim/reset", ResetSim.Request(task=first.instruction, seed=7))
    client.spin(0.4)
    assert np.abs(np.array(joints[-1].position) - home).max() < 0.002
    assert not status[-1].succeeded_once

    wrong = client.call(ResetSim, "sim/reset", ResetSim.Request(task="lift the rde block", seed=1))
    assert not wrong.success
    assert "did you mean" in wrong.message
    drawn = client.call(ResetSim, "sim/reset", ResetSim.Request(task="push", seed=-1))
    assert drawn.success
    assert drawn.seed >= 0


def test_in_lockstep_every_goal_is_one_tick_of_a_clock_that_never_goes_back(
    client, start_sim
) -> None:
    start_sim(seed=1, lockstep=True, own_clock=True, lockstep_wait_s=30.0)
    clock = client.listen(Clock, "/clock", 1000)
    poses = client.listen(PoseStamped, ARM.pose.topic, 1000)
    goals = client.node.create_publisher(PoseStamped, ARM.goal.topic, 10)
    client.until(lambda: len(clock) > 5 and goals.get_subscription_count() > 0)
    start = pose_in(poses[-1])

    def answer() -> None:
        before = len(poses)
        goals.publish(pose_stamped(start, ROBOT.base_frame, nanoseconds(clock[-1].clock)))
        client.until(lambda: len(poses) > before)

    answer()
    client.spin(0.3)
    count = len(poses)
    for _ in range(50):
        answer()
    client.spin(0.3)
    assert len(poses) == count + 50
    client.call(ResetSim, "sim/reset", ResetSim.Request(task="", seed=5))
    client.spin(0.5)
    times = np.array([nanoseconds(m.clock) for m in clock])
    assert (np.diff(times) == 20_000_000).all()
    stamps = stamps_of(poses)
    assert (np.diff(stamps) > 0).all()
    assert set(stamps[(stamps >= times[0]) & (stamps <= times[-1])]) <= set(times)


def test_in_lockstep_silence_means_real_time(client, start_sim) -> None:
    start_sim(seed=1, lockstep=True, own_clock=True, lockstep_wait_s=0.1)
    clock = client.listen(Clock, "/clock", 1000)
    poses = client.listen(PoseStamped, ARM.pose.topic, 1000)
    goals = client.node.create_publisher(PoseStamped, ARM.goal.topic, 10)
    client.until(lambda: poses and clock and goals.get_subscription_count() > 0)
    goals.publish(pose_stamped(pose_in(poses[-1]), ROBOT.base_frame, 0))
    client.spin(0.5)
    before = len(clock)
    client.until(lambda: len(clock) > before + 100)


def test_it_listens_even_when_it_cannot_keep_up(client, start_sim) -> None:
    sim = start_sim(seed=1, speed=100.0, own_clock=True)
    status = client.listen(SimStatus, "sim/status")
    poses = client.listen(PoseStamped, ARM.pose.topic)
    goals = client.node.create_publisher(PoseStamped, ARM.goal.topic, 1)
    client.until(lambda: poses and goals.get_subscription_count())
    client.spin(3.0)
    answer = client.call(ResetSim, "sim/reset", ResetSim.Request(task="lift", seed=4))
    assert answer.success
    client.spin(0.5)
    start = pose_in(poses[-1])
    goal = Pose(start.position_m + np.array([0.0, 0.08, 0.0]), start.quaternion_xyzw)
    goals.publish(pose_stamped(goal, ROBOT.base_frame, 0))
    client.until(lambda: np.linalg.norm(poses_of(poses[-1:])[0] - goal.position_m) < 0.01)
    assert 0.0 < status[-1].real_time_factor < 100.0
    assert sim.interrupt() == 0
    assert "asked for" in sim.log.read_text()


def test_goals_from_before_a_reset_are_not_followed(client, start_sim) -> None:
    start_sim(seed=1)
    poses = client.listen(PoseStamped, ARM.pose.topic)
    goals = client.node.create_publisher(PoseStamped, ARM.goal.topic, 1)
    client.until(lambda: poses and goals.get_subscription_count())
    old_ns = client.node.get_clock().now().nanoseconds
    client.call(ResetSim, "sim/reset", ResetSim.Request(task="", seed=1))
    poses.clear()
    client.until(lambda: bool(poses))
    start = pose_in(poses[-1])
    goal = Pose(start.position_m + np.array([0.05, 0.05, 0.0]), start.quaternion_xyzw)
    goals.publish(pose_stamped(goal, ROBOT.base_frame, old_ns))
    client.spin(0.8)
    assert np.linalg.norm(poses_of(poses[-1:])[0] - start.position_m) < 0.004


@pytest.mark.parametrize(
    ("parameters", "hint"),
    [
        ({"world": "tabletop"}, "tabletop_arm"),
        ({"task": "lfit"}, "did you mean 'lift'"),
        ({"lockstep": True}, "own_clock"),
        ({"image_size": 4}, "image_size"),
        ({"seed": "many"}, "seed"),
    ],
)
def test_a_wrong_parameter_is_one_sentence(start_sim, parameters, hint) -> None:
    sim = start_sim(**parameters)
    assert sim.process.wait(timeout=40) == 2
    log = sim.log.read_text()
    assert "error: " in log
    assert hint in log
    assert "Traceback" not in log
