# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics of a robot's nodes are those of its table of streams, with the same types."""

from __future__ import annotations

import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build` does it")

from evla_ros.data.codecs.camera import rgb_from_cdr
from evla_ros.data.codecs.gripper import gripper_value
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import Direction, Kind, streams_of
from evla_ros.ros.command_output import CommandOutput
from evla_ros.ros.message_types import message_class, new_message

TEXT = load_embodiment("tabletop_arm").text


@pytest.fixture
def unusual(tmp_path):
    """The table-top arm with every other form of a message that its file can name."""
    tree = yaml.safe_load(TEXT)
    tree["cameras"]["wrist"].update(transport="compressed", topic="wrist/image/compressed")
    forms = {"state_type": "joint_state", "state_joint": "finger", "command_type": "float64_array"}
    tree["arms"][0]["gripper"].update(forms)
    path = tmp_path / "unusual.yaml"
    path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return path


def offered(infos):
    return {info.topic_type for info in infos}


@pytest.mark.parametrize("form", ["shipped", "unusual"])
def test_robot_and_commander_meet_on_every_topic(client, start_sim, unusual, form):
    parameters = {} if form == "shipped" else {"embodiment": unusual}
    body = parse_embodiment(unusual.read_text() if parameters else TEXT, source=form)
    start_sim(seed=1, **parameters)
    commander = CommandOutput(client.node, body, shadow=False)
    streams = [s for s in streams_of(body) if s.key.kind is not Kind.ESTOP]
    node = client.node

    def met():
        sends = [offered(node.get_publishers_info_by_topic(s.topic)) for s in streams]
        return all(sends) and all(node.count_subscribers(s.topic) for s in streams if told(s))

    def told(stream):
        return stream.role.direction is Direction.OUTPUT

    client.until(met)
    for stream in streams:
        assert offered(node.get_publishers_info_by_topic(stream.topic)) == {stream.type}
        if told(stream):
            assert offered(node.get_subscriptions_info_by_topic(stream.topic)) == {stream.type}
    commander.destroy()


def test_other_forms_of_messages_mean_the_same(client, start_sim, unusual):
    body = parse_embodiment(unusual.read_text(), source="unusual")
    streams, gripper = streams_of(body), body.arms[0].gripper
    start_sim(seed=1, embodiment=unusual)
    wrist, state = streams.get(Kind.CAMERA, "wrist"), streams.get(Kind.GRIPPER, "arm")
    command = streams.get(Kind.GRIPPER_COMMAND, "arm")
    pictures, states = [], []
    for stream, heard in ((wrist, pictures), (state, states)):
        kind = message_class(stream.type)
        client.node.create_subscription(kind, stream.topic, heard.append, 10, raw=True)
    closing = client.node.create_publisher(message_class(command.type), command.topic, 1)

    def opening(data):
        return gripper.measured_opening(gripper_value(state, data)[1])

    def closed():
        closing.publish(new_message(command.type, {"data": [gripper.closed]}, 0))
        return states and opening(states[-1]) < 0.3

    client.until(lambda: pictures and closed())
    assert opening(states[0]) > 0.7
    assert rgb_from_cdr(pictures[-1], wrist.type).std() > 10
