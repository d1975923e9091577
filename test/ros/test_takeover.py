# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A person takes over from the policy: it goes silent, nothing jumps, and the bag says when."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

from evla_ros.data.bags.reader import open_bag  # noqa: E402
from evla_ros.data.messages import decode_episode_event, decode_pose_stamped  # noqa: E402
from evla_ros.errors import EvlaError  # noqa: E402
from evla_ros.geometry import Pose, distance  # noqa: E402


def nodes_of(rig, tmp_path):
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter import Parameter

    from evla_ros.ros.recorder.node import RecorderNode
    from evla_ros.ros.teleop.node import TeleopNode

    values = {"output": str(tmp_path), "min_free_gib": 0.05, "min_minutes": 0.0}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    at_once = [Parameter("listen_first_s", value=0.0)]
    teleop = TeleopNode(context=rig.context, parameter_overrides=at_once)
    recorder = RecorderNode(context=rig.context, parameter_overrides=overrides)
    executor = SingleThreadedExecutor(context=rig.context)
    for node in (teleop, recorder):
        executor.add_node(node)
    recorder.trigger_configure()
    recorder.trigger_activate()
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    return teleop, recorder, executor, thread


def hold_stick(publisher, seconds, *, held):
    from sensor_msgs.msg import Joy

    for _ in range(round(seconds * 50)):
        publisher.publish(Joy(axes=[0.0, 0.5, 0.0, 0.0, 0.0], buttons=[0, 0, 0, 0, int(held)]))
        time.sleep(0.02)


def test_take_over_silences_the_policy_and_is_flagged_in_the_bag(ros_domain, tmp_path):
    from policy_rig import Rig
    from sensor_msgs.msg import Joy

    from evla_ros.msg import PolicyStatus
    from evla_ros.ros.qos import reliable

    with Rig() as rig:
        rig.bring_up()
        teleop, recorder, executor, thread = nodes_of(rig, tmp_path)
        joy = rig.node.create_publisher(Joy, "joy", reliable())
        deadline = time.monotonic() + 30
        while True:
            try:
                recorder._start()
                break
            except EvlaError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        time.sleep(1.0)
        hold_stick(joy, 1.5, held=True)
        assert rig.statuses[-1].reason == PolicyStatus.REASON_TELEOP
        hold_stick(joy, 1.0, held=False)
        assert not rig.statuses[-1].moving  # it waits for a person to start it again
        path = recorder._recorder.keep(recorder._now_ns()).path
        executor.shutdown()
        thread.join()
        for node in (teleop, recorder):
            node.finish()
            node.destroy_node()
    with open_bag(path) as bag:
        topic = "/recorder/episode_event"
        events = [decode_episode_event(m.data) for m in bag.messages({topic})]
        goals = [decode_pose_stamped(m.data) for m in bag.messages({"/arm/target_pose"})]
        assert bag.info.custom_data["interventions"] == "1"
    kinds = [event.kind for event in events]
    assert kinds == [1, 6, 7, 2]
    begin, end = (e.header.stamp_ns for e in events[1:3])
    assert 1.0 < (end - begin) / 1e9 < 3.5
    poses = [Pose(g.position_m, g.quaternion_xyzw) for g in goals]
    jumps = [distance(a, b)[0] for a, b in itertools.pairwise(poses)]
    assert max(jumps) < 0.03, "a hand-over made the goal jump"
