# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag replayed through the real policy node gives what the converter wrote, goals included.

Once with poses and gripper on topics of their own, once with transforms and joint states, once
with a mobile base and a lift.
"""

from __future__ import annotations

import sys
import threading
import time
import types

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

import yaml  # noqa: E402
from synthetic_bag import (  # noqa: E402
    Event,
    SyntheticRobot,
    arm_pose,
    axis_position,
    base_velocity,
    tf_event,
    write_robot_bag,
)

from evla_ros.data.bags import encode  # noqa: E402
from evla_ros.data.bags.reader import open_bag  # noqa: E402
from evla_ros.data.codecs.axis import position_from_cdr  # noqa: E402
from evla_ros.data.codecs.base import velocity_from_cdr  # noqa: E402
from evla_ros.data.convert.options import ConvertOptions  # noqa: E402
from evla_ros.data.convert.run import convert  # noqa: E402
from evla_ros.data.image_jpeg import encode_jpeg  # noqa: E402
from evla_ros.data.image_resize import resize_rgb  # noqa: E402
from evla_ros.data.messages import decode_joint_state, decode_tf_message  # noqa: E402
from evla_ros.data.rlds.reader import RldsDataset  # noqa: E402
from evla_ros.embodiment import load_embodiment, parse_embodiment  # noqa: E402
from evla_ros.embodiment.streams import JOINT_STATE, Kind, streams_of  # noqa: E402
from evla_ros.geometry import distance  # noqa: E402
from evla_ros.geometry.pose import Pose, compose, inverse  # noqa: E402

SECOND = 1_000_000_000
BODY = load_embodiment("tabletop_arm")
LATCHED = ("/instruction", "/tf_static")
BESIDE = Pose.from_xyz_rpy([0.1, -0.2, 0.3], [0.0, 0.0, 2.0])  # the base as seen from base_link
FLANGE = Pose.from_xyz_rpy([0.0, 0.0, 0.1], [0.3, 0.0, 0.0])  # the tool as seen from the wrist
JOINTS = {"j1": 0.25, "j2": -0.5}
LATE_S = 0.005
SIZE = (32, 32)
SPEED = 0.5  # simulated seconds per second, so that a busy machine keeps up
CHUNK = BODY.action.chunk


class Player:
    """Publishes a bag's raw messages and /clock; `told` collects the goals that come back.

    Of the messages of one instant, `last` come after the others, a little late.
    """

    def __init__(self, context, bag, body, last):
        from geometry_msgs.msg import PoseStamped
        from rosgraph_msgs.msg import Clock

        from evla_ros.ros.message_types import message_class
        from evla_ros.ros.qos import latched, reliable

        self._watched, self.now_ns = watched(body), 0
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
                latched() if name in LATCHED else reliable(20),
            )
            for name, kind in kinds.items()
            if name not in goal_topics(body)
        }
        self._clock_type = Clock
        self._clock = self.node.create_publisher(Clock, "/clock", reliable(20))
        self.told = []
        goal = body.arms[0].goal.topic
        self.node.create_subscription(PoseStamped, goal, self.told.append, reliable(50))
        self.told_to_move = []
        for stream in streams_of(body):
            if stream.key.kind in (Kind.BASE_COMMAND, Kind.AXIS_COMMAND):
                self.node.create_subscription(
                    message_class(stream.type),
                    stream.topic,
                    lambda data, one=stream: self.told_to_move.append((self.now_ns, one, data)),
                    reliable(50),
                    raw=True,
                )

    def tick(self, now_ns):
        from evla_ros.ros.pose_conversion import time_message

        self.now_ns = now_ns
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
                said += message.topic in self._watched and counts(message)


def counts(message):
    """Return whether the node counts a message: joint states count that hold finger's or lift's."""
    if message.topic == "/joint_states":
        state = decode_joint_state(message.data)
        positions = dict(zip(state.names, state.position, strict=True))
        return any(positions.get(name, np.nan) >= 0.0 for name in ("finger", "lift_joint"))
    return True


def absolute(topic):
    return "/" + topic.lstrip("/")


def pictures(body):
    return {absolute(camera.topic) for camera in body.cameras.values()}


def watched(body):
    """Return the topics that the node waits for."""
    return {absolute(stream.topic) for stream in streams_of(body) if stream.required}


def goal_topics(body):
    kinds = (Kind.GOAL, Kind.GRIPPER_COMMAND, Kind.BASE_COMMAND, Kind.AXIS_COMMAND)
    return {absolute(stream.topic) for stream in streams_of(body) if stream.key.kind in kinds}


def mobile_body():
    """Return a base with a lift and an arm; the lift and the gripper are among joint states."""
    tree = yaml.safe_load(load_embodiment("mobile_manipulator").text)
    tree["arms"][0]["gripper"] |= {"state_type": "joint_state", "state_joint": "finger"}
    tree["arms"][0]["gripper"]["state"] = tree["axes"][0]["state"]
    tree["base"]["command_type"] = "twist_stamped"
    return parse_embodiment(yaml.safe_dump(tree), source="parity")


def joint_state_body():
    """Return the robot with its pose from transforms and its gripper among joint states."""
    tree = yaml.safe_load(BODY.text)
    arm = tree["arms"][0]
    arm["pose"] = {"tf": ["base", "tool"], "max_age_s": arm["pose"]["max_age_s"]}
    arm["gripper"] |= {
        "state": "joint_states", "state_type": "joint_state", "state_joint": "finger",
    }  # fmt: skip
    arm["joints"] = list(JOINTS)
    tree |= {"base_frame": "base", "proprio": ["ee_pose", "joint_positions", "gripper"]}
    return parse_embodiment(yaml.safe_dump(tree), source="parity")


def as_drivers_send(event):
    """Return an event as drivers of that robot send it: the wrist, from the parent of the base."""
    if event.topic != "/tf":
        return event
    (transform,) = decode_tf_message(event.data)
    tool = Pose(transform.translation_m, transform.quaternion_xyzw)
    wrist = compose(BESIDE, compose(tool, inverse(FLANGE)))
    return tf_event("/tf", event.stamp_ns, "base_link", "wrist", wrist)


def other_messages(robot):
    """Yield static transforms, the arm's joints from a publisher of their own, and a first NaN."""
    start = robot.start_ns
    yield tf_event("/tf_static", start, "base_link", "base", BESIDE)
    yield tf_event("/tf_static", start, "wrist", "tool", FLANGE)
    yield Event(start, "/joint_states", JOINT_STATE,
                encode.encode_joint_state(start, ["finger"], [np.nan]))  # fmt: skip
    for index in range(int(robot.seconds * 50)):
        stamp = start + index * SECOND // 50
        data = encode.encode_joint_state(stamp, list(JOINTS), list(JOINTS.values()))
        yield Event(stamp, "/joint_states", JOINT_STATE, data)


def heard(node):
    """Return how many samples the node has taken from the streams it watches."""
    return sum(stream.samples for stream in node._session.core.status().streams)


def until(condition):
    """Wait for it, at most a second."""
    end_s = time.monotonic() + 1.0
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.0005)


BODIES = {
    "topics": lambda: BODY,
    "joint states and transforms": joint_state_body,
    "base and lift": mobile_body,
}


@pytest.fixture(params=BODIES)
def body(request):
    return BODIES[request.param]()


@pytest.fixture
def robot(body):
    """One picture per camera and one pose per tick at the same instants, no lag: goals are poses.

    The gripper, whose state has no stamp, switches between two pictures (at 1.42 s and 2.84 s).
    """
    return SyntheticRobot(
        body, seconds=4.24, camera_hz=10.0, start_ns=100 * SECOND, lag_s=0.0, latency_s=0.0
    )


@pytest.fixture
def episode(robot, tmp_path):
    body = robot.embodiment
    other = SyntheticRobot(body, seed=5, seconds=2.0, camera_hz=10.0)
    for name, one in (("bag", robot), ("other", other)):
        extra = other_messages(one) if body.arms[0].pose.tf else ()
        write_robot_bag(tmp_path / "bags" / name, one, as_drivers_send, extra)
    options = ConvertOptions(body.text, image_size=SIZE, idle="keep")
    data = RldsDataset.open(convert([tmp_path / "bags"], tmp_path / "out", options).dataset)
    return next(e for s in data.splits for e in data.episodes(s) if e.metadata["bag"] == "bag")


def run_node(context, player, act, monkeypatch, embodiment):
    """Play the bag through a policy node whose policy is `act`, for the robot of a file."""
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter import Parameter

    from evla_ros.ros.policy.node import PolicyNode

    module = types.ModuleType("evla_parity_policy")
    module.act = act
    monkeypatch.setitem(sys.modules, "evla_parity_policy", module)
    values = {
        "embodiment": str(embodiment),
        "policy": "scripted",
        "checkpoint": "evla_parity_policy:act",
        "worker": "thread",
        "use_sim_time": True,
        "allow_unheard_goals": True,  # nothing takes the gripper's commands here
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
    still = np.zeros_like(episode.action[0])
    still[6], still[10:] = 1.0, episode.action[0, 10:]  # the base stands, axes stay

    def act(observation):
        actions = np.tile(still, (CHUNK, 1))
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
    from evla_ros.ros.simulator.messages import pose_of

    errors = []
    for message in told:
        stamp = nanoseconds(message.header.stamp)
        if begin_ns <= stamp <= end_ns:
            truth = arm_pose(0, 0, (stamp - robot.start_ns) / SECOND)
            errors.append(distance(pose_of(message), truth))
    return np.array(errors)


def moving_errors(told, robot, begin_ns, end_ns):
    """Return by stream how far velocities [N, 3] and positions [N] are from the recorded ones."""
    errors = {}
    for now_ns, stream, data in told:
        if not begin_ns <= now_ns <= end_ns:
            continue
        if stream.key.kind is Kind.BASE_COMMAND:
            command = velocity_from_cdr(stream, data)
            truth = base_velocity((command.stamp_ns - robot.start_ns) / SECOND)
            error = np.abs(command.velocity - truth)
        else:
            (axis,) = robot.embodiment.axes
            truth = axis_position(axis, (now_ns - robot.start_ns) / SECOND)
            error = abs(position_from_cdr(stream, data) - truth)
        errors.setdefault(str(stream.key), []).append(error)
    return {key: np.array(values) for key, values in errors.items()}


@pytest.mark.parametrize("last", ["pictures", "states"])
def test_observations_and_goals_are_those_of_the_dataset(
    ros_domain, robot, episode, tmp_path, monkeypatch, last
):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    body = robot.embodiment
    late = pictures(body) if last == "pictures" else watched(body) - pictures(body)
    player = Player(context, tmp_path / "bags" / "bag", body, late)
    seen = {}
    try:
        file = tmp_path / "robot.yaml"
        file.write_text(robot.embodiment.text)
        run_node(context, player, acting(episode, seen), monkeypatch, file)
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
    moved = moving_errors(player.told_to_move, robot, min(seen) + SECOND // 2, end_ns)
    assert len(moved) == (body.base is not None) + len(body.axes)
    for errors in moved.values():  # m/s, rad/s, m
        assert len(errors) >= 40
        assert np.quantile(errors, 0.95) < 0.005
