# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder says before and after an episode what the converter would refuse or lose."""

from __future__ import annotations

import json

import pytest
from restamped import restamp
from synthetic_bag import SyntheticRobot, robot_events

from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.messages import HEADER_FIRST, header_stamp_ns
from evla_ros.data.recording.preflight import PreflightLimits
from evla_ros.data.recording.recorder import Recorder
from evla_ros.data.recording.settings import RecorderSettings
from evla_ros.data.recording.topics import TopicSpec
from evla_ros.embodiment import load_embodiment

SECOND = 1_000_000_000
BODY = load_embodiment("tabletop_arm")
ROBOT = SyntheticRobot(BODY, seconds=4.0, camera_hz=10.0)
GOAL, WRIST = "/arm/target_pose", "/camera/wrist/image_raw"


def record(tmp_path, change=lambda event: event, **settings):
    """Record the invented robot; return the report of the episode."""
    limits = PreflightLimits(min_free_bytes=1 << 20)
    recorder = Recorder(BODY, tmp_path, RecorderSettings(limits=limits, **settings))
    numbers: dict[str, int] = {}
    for event in robot_events(ROBOT):
        if event.topic not in numbers:
            latched = event.topic == "/instruction"
            spec = TopicSpec(event.topic, event.type, definition_of(event.type), latched=latched)
            numbers[event.topic] = recorder.add_topic(spec)
    started = False
    for event in filter(None, map(change, robot_events(ROBOT))):
        if not started and event.topic != "/instruction":
            recorder.start(event.stamp_ns)
            started = True
        recorder.on_message(numbers[event.topic], event.data, event.stamp_ns + 1_000_000)
    return recorder.keep(ROBOT.start_ns + 5 * SECOND)


def test_a_good_episode_has_nothing_to_say(tmp_path):
    report = record(tmp_path, require_preflight=False)
    assert report.converter == ()
    assert "evla convert" not in report.text()


def without_goals(event):
    return None if event.topic == GOAL else event


def with_a_hole(event):
    since = (event.stamp_ns - ROBOT.start_ns) / SECOND
    return None if event.topic == WRIST and 1.0 < since < 3.0 else event


def on_another_clock(event):
    if event.topic != WRIST or event.type not in HEADER_FIRST:
        return event
    return event._replace(data=restamp(event.data, header_stamp_ns(event.data) + 2 * SECOND))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_goals, "--action-source achieved makes them of the measured poses"),
        (with_a_hole, "25 of 40 ticks are lost (62%): stale: camera:wrist in"),
        (on_another_clock, "camera:wrist is stamped 2.00 s ahead of the other streams"),
    ],
)
def test_the_report_says_what_the_converter_would(tmp_path, change, said):
    report = record(tmp_path, change, require_preflight=False)
    assert said in " ".join(report.converter)
    assert "  evla convert: " in report.text()
    kept = json.loads((tmp_path / report.episode_id / "report.json").read_text())
    assert said in " ".join(kept["converter"])


def test_it_can_be_switched_off(tmp_path):
    report = record(tmp_path, without_goals, require_preflight=False, check_episodes=False)
    assert report.converter == ()


def test_without_a_sender_of_goals_no_episode_of_commanded_actions_starts(tmp_path):
    recorder = Recorder(BODY, tmp_path, RecorderSettings())
    recorder.commanded = frozenset({GOAL})
    (problem,) = [p for p in recorder.problems(SECOND) if GOAL in p]
    assert "actions are made of its goals (action.source: commanded" in problem
    assert "set action.source: achieved" in problem
    spec = TopicSpec(GOAL, "geometry_msgs/msg/PoseStamped", definition_of("std_msgs/msg/String"))
    recorder.add_topic(spec)
    assert not [p for p in recorder.problems(SECOND) if GOAL in p]
