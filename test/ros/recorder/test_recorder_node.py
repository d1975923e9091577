# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder node on a real graph: what it hears, keeps, trashes and says of an episode."""

from __future__ import annotations

import json
import threading
import time

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

from live_recorder import BODY, Robot  # noqa: E402

from evla_ros.data.bags.reader import open_bag  # noqa: E402
from evla_ros.data.bags.writer import McapBagWriter  # noqa: E402
from evla_ros.data.convert.bag_job import convert_bag  # noqa: E402
from evla_ros.data.convert.options import ConvertOptions  # noqa: E402
from evla_ros.data.messages import decode_episode_event, decode_string  # noqa: E402


def test_kept_episode_converts_and_says_what_it_is(context, recording, tmp_path, root, monkeypatch):
    robot = Robot(context)
    recorder = recording(preroll_s=0.5, operator="ada")
    name = recorder.start()
    time.sleep(1.0)
    assert recorder.call("intervention", data=True).success
    time.sleep(0.5)
    assert recorder.call("intervention", data=False).success
    assert recorder.call("mark_success").success
    answer = recorder.call("keep")
    robot.close()
    assert answer.success, answer.message
    folder = tmp_path / "bags" / name
    report = json.loads((folder / "report.json").read_text())
    assert report["lost"] == 0
    assert report["duration_s"] > 1.5, "the two waits, and what the pre-roll had by then"
    with open_bag(folder) as bag:
        counts = {n: t.count for n, t in bag.info.topics.items()}
        events = [decode_episode_event(m.data) for m in bag.messages({"/recorder/episode_event"})]
        assert bag.info.damage is None
        assert bag.info.custom_data["operator"] == "ada"
    assert "durability: 1" in (folder / "metadata.yaml").read_text()  # the latched instruction
    monkeypatch.syspath_prepend(root / "test" / "data" / "bags")
    from rosbag2_rules import problems

    assert problems(folder) == []
    assert [e.kind for e in events] == [1, 6, 7, 4, 2]
    assert counts["/camera/primary/image_raw"] >= 20
    assert counts["/arm/current_pose"] >= 80
    assert counts["/instruction"] == 1
    options = ConvertOptions(BODY.text, image_size=(32, 32))
    result = convert_bag(folder, options, tmp_path / "staging")
    assert result.status == "kept", result.reason
    assert result.outcome == "success"
    assert result.steps >= 15


def test_best_effort_publishers_are_heard_too(context, recording, tmp_path):
    robot = Robot(context, reliable=False)
    recorder = recording()
    name = recorder.start()
    time.sleep(0.7)
    recorder.call("discard")
    robot.close()
    with open_bag(tmp_path / "bags" / "trash" / name) as bag:
        counts = {n: t.count for n, t in bag.info.topics.items()}
    assert counts["/camera/wrist/image_raw"] > 5
    assert not (tmp_path / "bags" / name).exists()


def test_inactive_recorder_refuses_and_deactivation_keeps(context, recording, tmp_path):
    robot = Robot(context)
    recorder = recording()
    name = recorder.start()
    time.sleep(0.3)
    recorder.node.trigger_deactivate()
    answer = recorder.call("start")
    assert not answer.success
    assert "not active" in answer.message
    robot.close()
    with open_bag(tmp_path / "bags" / name) as bag:
        assert bag.info.damage is None
        assert "stopped" in bag.info.custom_data["note"]


def test_countdown_can_be_called_off_and_a_pedal_toggles(context, recording, tmp_path):
    robot = Robot(context)
    recorder = recording(countdown_s=1.0, all_topics=True)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (answer := recorder.call("start")).success:
        time.sleep(0.2)
    assert "starts in 1 s" in answer.message
    assert recorder.call("discard").message == "the start was called off"
    time.sleep(1.5)
    assert not any(p.name != "trash" for p in (tmp_path / "bags").iterdir())
    assert recorder.call("toggle").success
    time.sleep(2.5)
    assert recorder.call("toggle_intervention").success
    assert recorder.call("toggle").success
    robot.close()
    folder = next(p for p in (tmp_path / "bags").iterdir())
    with open_bag(folder) as bag:
        assert "/arm/target_pose" in bag.info.topics
        assert not any(name.startswith("/recorder/status") for name in bag.info.topics)
        assert bag.info.custom_data["interventions"] == "1"


def test_a_slow_disk_blocks_neither_messages_nor_the_next_episode(
    context, recording, tmp_path, monkeypatch
):
    released, writing = threading.Event(), threading.Event()
    close = McapBagWriter.close

    def slowly(self, **arguments):
        writing.set()
        assert released.wait(30.0)
        close(self, **arguments)

    robot = Robot(context)
    recorder = recording()
    first = recorder.start()
    monkeypatch.setattr(McapBagWriter, "close", slowly)
    kept = recorder.ask("keep")
    assert writing.wait(20.0)
    second = recorder.start()
    marked = recorder.ask("toggle_intervention").get()
    assert marked.success
    assert not kept.done()
    assert "being written" not in marked.message
    released.set()
    answer = kept.get()
    assert answer.success, answer.message
    assert first in answer.message
    assert recorder.call("keep").success
    robot.close()
    for name in (first, second):
        with open_bag(tmp_path / "bags" / name) as bag:
            assert bag.info.damage is None


def test_a_mark_waits_for_the_episode_that_is_being_written(context, recording, tmp_path):
    robot = Robot(context)
    recorder = recording()
    name = recorder.start()
    answers = [recorder.ask("keep"), recorder.ask("mark_failure")]
    assert all(answer.get().success for answer in answers)
    robot.close()
    with open_bag(tmp_path / "bags" / name) as bag:
        assert bag.info.custom_data["outcome"] == "failure"


@pytest.mark.parametrize("offers", ["volatile", "both"])
def test_an_instruction_is_heard_whatever_its_publisher_offers(
    context, recording, tmp_path, offers
):
    from std_msgs.msg import String

    from evla_ros.ros.qos import latched, reliable

    robot = Robot(context, skip={"instruction"})
    talker = rclpy.create_node("talker", context=context)
    publisher = talker.create_publisher(String, "instruction", reliable())
    if offers == "both":  # said before the recorder was there, by a publisher that keeps it
        said = talker.create_publisher(String, "instruction", latched())
        said.publish(String(data="open the drawer"))
    recorder = recording(preroll_s=0.1)
    deadline = time.monotonic() + 20
    while not recorder.node._recorder.instruction and time.monotonic() < deadline:
        if offers == "volatile" and publisher.get_subscription_count():
            publisher.publish(String(data="open the drawer"))
        time.sleep(0.1)
    time.sleep(0.5)
    name = recorder.start()
    time.sleep(0.3)
    assert recorder.call("keep").success
    robot.close()
    talker.destroy_node()
    with open_bag(tmp_path / "bags" / name) as bag:
        texts = [decode_string(m.data) for m in bag.messages({"/instruction"})]
        assert texts == ["open the drawer"]
        assert bag.info.custom_data["instruction"] == "open the drawer"


def test_an_intervention_is_heard_from_a_best_effort_publisher(context, recording):
    from std_msgs.msg import Bool

    from evla_ros.ros.qos import newest_only

    robot = Robot(context)
    recorder = recording(intervention_topic="teleop/active")
    publisher = recorder.client.create_publisher(Bool, "teleop/active", newest_only())
    recorder.start()
    deadline = time.monotonic() + 20
    while not recorder.node._recorder.episode.intervention and time.monotonic() < deadline:
        publisher.publish(Bool(data=True))
        time.sleep(0.05)
    publisher.publish(Bool(data=True))
    time.sleep(0.2)
    assert recorder.node._recorder.episode.interventions == 1
    assert recorder.call("keep").success
    robot.close()
