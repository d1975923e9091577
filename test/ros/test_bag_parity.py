# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag replayed through the real policy node gives what the converter wrote, goals included."""

from __future__ import annotations

import sys
import threading
import time
import types

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

from evla_ros.bench.synthetic_bag import SyntheticRobot, arm_pose, write_robot_bag  # noqa: E402
from evla_ros.data.bags.reader import open_bag  # noqa: E402
from evla_ros.data.convert.options import ConvertOptions  # noqa: E402
from evla_ros.data.convert.run import convert  # noqa: E402
from evla_ros.data.image_jpeg import encode_jpeg  # noqa: E402
from evla_ros.data.image_resize import resize_rgb  # noqa: E402
from evla_ros.data.rlds.reader import RldsDataset  # noqa: E402
from evla_ros.embodiment import load_embodiment  # noqa: E402
from evla_ros.geometry import distance  # noqa: E402

SECOND = 1_000_000_000
BODY = load_embodiment("tabletop_arm")
ARM = BODY.arms[0]
PICTURES = {f"/{camera.topic}" for camera in BODY.cameras.values()}
WATCHED = {*PICTURES, f"/{ARM.pose.topic}", f"/{ARM.gripper.state}"}
LATE_S = 0.005
SIZE = (32, 32)
SPEED = 0.5  # simulated seconds per second, so that a busy machine keeps up
CHUNK = BODY.action.chunk


class Player:
    """Publishes a bag's raw messages and /clock; `told` collects the goals that come back.

    Of the messages of one instant, `last` come after the others, a little late.
    """

    def __init__(self, context, bag, last):
        from geometry_msgs.msg import PoseStamped
        from rosgraph_msgs.msg import Clock

        from evla_ros.ros.qos import latched, reliable
        from evla_ros.ros.recorder_topics import message_class

        self.node = rclpy.create_node("player", context=context)
        self._last = last
        with open_bag(bag) as opened:
            self._messages = sorted(
                opened.messages(), key=lambda m: (m.receive_ns, m.topic in last)
            )
            kinds = {name: topic.type for name, topic in opened.info.topics.items()}
        self._publishers = {
            name: self.node.create_publisher(
                message_class(kind),
                name,
                latched() if name == "/instruction" else reliable(20),
            )
            for name, kind in kinds.items()
            if "target_pose" not in name and "command" not in name
        }
        self._clock_type = Clock
        self._clock = self.node.create_publisher(Clock, "/clock", reliable(20))
        self.told = []
        self.node.create_subscription(PoseStamped, ARM.goal.topic, self.told.append, reliable(50))

    def tick(self, now_ns):
        from evla_ros.ros.pose_conversion import time_message

        self._clock.publish(self._clock_type(clock=time_message(now_ns)))

    def play(self, node, on_time):
        """Play at SPEED or slower: simulated time waits for the node to hear what was said."""
        start_ns = self._messages[0].receive_ns
        wall = time.monotonic()
        tick_ns, late_ns = start_ns, 0
        said = heard(node)
        for message in self._messages:
            while tick_ns + 10_000_000 <= message.receive_ns:
                tick_ns += 10_000_000
                wait = wall + (tick_ns - start_ns) / SECOND / SPEED - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                until(lambda count=said: heard(node) >= count)
                self.tick(tick_ns)
                until(lambda now_ns=tick_ns: node.get_clock().now().nanoseconds >= now_ns)
                on_time(tick_ns - start_ns)
            if message.topic in self._last and message.receive_ns != late_ns:
                late_ns = message.receive_ns
                time.sleep(LATE_S)
            if message.topic in self._publishers:
                self._publishers[message.topic].publish(message.data)
                said += message.topic in WATCHED


def heard(node):
    """Return how many samples the node has taken from the streams it watches."""
    streams = node._session.core.controller.inputs.watchdog.streams
    return sum(stream.count for stream in streams.values())


def until(condition):
    """Wait for it, at most a second."""
    end_s = time.monotonic() + 1.0
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.0005)


@pytest.fixture
def robot():
    """One picture per camera and one pose per tick at the same instants, no lag: goals are poses.

    The gripper, whose state has no stamp, switches between two pictures (at 1.42 s and 2.84 s).
    """
    return SyntheticRobot(
        BODY, seconds=4.24, camera_hz=10.0, start_ns=100 * SECOND, lag_s=0.0, latency_s=0.0
    )


@pytest.fixture
def episode(robot, tmp_path):
    write_robot_bag(tmp_path / "bags" / "bag", robot)
    write_robot_bag(
        tmp_path / "bags" / "other", SyntheticRobot(BODY, seed=5, seconds=2.0, camera_hz=10.0)
    )
    options = ConvertOptions(BODY.text, image_size=SIZE, idle="keep")
    data = RldsDataset.open(convert([tmp_path / "bags"], tmp_path / "out", options).dataset)
    return next(e for s in data.splits for e in data.episodes(s) if e.metadata["bag"] == "bag")


def run_node(context, player, act, monkeypatch):
    """Play the bag through a policy node whose policy is `act`."""
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter import Parameter

    from evla_ros.ros.policy_node import PolicyNode

    module = types.ModuleType("evla_parity_policy")
    module.act = act
    monkeypatch.setitem(sys.modules, "evla_parity_policy", module)
    values = {
        "policy": "scripted",
        "checkpoint": "evla_parity_policy:act",
        "worker": "thread",
        "use_sim_time": True,
        "fresh_wait_s": 0.3,
        "instant_wait_s": 0.3,
        "blend_s": 0.1,
    }
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = PolicyNode(context=context, parameter_overrides=overrides)
    executors = [SingleThreadedExecutor(context=context) for _ in range(2)]
    threads = [threading.Thread(target=executor.spin, daemon=True) for executor in executors]
    for executor, thread, member in zip(executors, threads, (node, player.node), strict=True):
        executor.add_node(member)
        thread.start()
    player.tick(99 * SECOND)
    node.trigger_configure()
    node.trigger_activate()
    state = {"started": False, "asked_ns": 0}

    def on_time(elapsed_ns):
        if not state["started"] and elapsed_ns - state["asked_ns"] > SECOND // 10:
            state["asked_ns"] = elapsed_ns
            state["started"] = elapsed_ns > SECOND and node._session.start_motion() is None

    time.sleep(1.0)
    player.play(node, on_time)
    assert state["started"]
    for executor, thread in zip(executors, threads, strict=True):
        executor.shutdown()
        thread.join(5.0)
    node.finish()
    node.destroy_node()


def acting(episode, seen):
    """Return a policy that does what was recorded; `seen` collects its observations."""
    stamps = episode.columns["stamp_ns"].tolist()

    def act(observation):
        actions = np.zeros((CHUNK, 7))
        actions[:, 6] = 1.0
        if observation.stamp_ns in stamps:
            seen[observation.stamp_ns] = observation
            first = stamps.index(observation.stamp_ns)
            ours = episode.action[first : first + CHUNK]
            actions[: len(ours)] = ours
        return actions

    return act


def assert_recorded(observation, episode):
    """Check that the policy saw, bit for bit, a step of the dataset."""
    index = episode.columns["stamp_ns"].tolist().index(observation.stamp_ns)
    np.testing.assert_array_equal(observation.proprio, episode.observations["state"][index])
    assert observation.instruction == episode.instructions[index]
    assert set(observation.images) == set(BODY.cameras)
    for name, image in observation.images.items():
        encoded = encode_jpeg(resize_rgb(image, SIZE))
        assert encoded == bytes(episode.images[f"image_{name}"][index]), name


def goal_errors(told, robot, begin_ns, end_ns):
    """Return how far the goals of a time are from the recorded path, [N, 2] metres, radians."""
    from evla_ros.ros.pose_conversion import nanoseconds
    from evla_ros.ros.sim_messages import pose_of

    errors = []
    for message in told:
        stamp = nanoseconds(message.header.stamp)
        if begin_ns <= stamp <= end_ns:
            truth = arm_pose(0, 0, (stamp - robot.start_ns) / SECOND)
            errors.append(distance(pose_of(message), truth))
    return np.array(errors)


@pytest.mark.parametrize("last", ["pictures", "states"])
def test_observations_and_goals_are_those_of_the_dataset(
    ros_domain, robot, episode, tmp_path, monkeypatch, last
):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    late = PICTURES if last == "pictures" else WATCHED - PICTURES
    player = Player(context, tmp_path / "bags" / "bag", late)
    seen = {}
    try:
        run_node(context, player, acting(episode, seen), monkeypatch)
    finally:
        player.node.destroy_node()
        rclpy.try_shutdown(context=context)

    assert len(seen) >= 5
    for observation in seen.values():
        assert_recorded(observation, episode)
    end_ns = episode.columns["stamp_ns"].tolist()[-1] - SECOND
    errors = goal_errors(player.told, robot, min(seen) + SECOND // 2, end_ns)
    assert len(errors) >= 50
    # Between ticks the node draws straight lines where the recording curves: 1 mm at this speed.
    assert np.quantile(errors[:, 0], 0.95) < 0.003
    assert np.quantile(errors[:, 1], 0.95) < 0.01
