# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder without ROS: contents of a bag, what blocks a start, full disks and kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from synthetic_bag import SyntheticRobot, robot_events

from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.reader import open_bag
from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.messages import decode_episode_event, decode_float64
from evla_ros.data.recording.arrival_meter import ArrivalMeter, TopicState
from evla_ros.data.recording.bag_thread import BagThread
from evla_ros.data.recording.open_episode import EVENT_TOPIC, EventKind
from evla_ros.data.recording.preflight import PreflightLimits, minutes_left
from evla_ros.data.recording.preroll import PrerollRing, Record
from evla_ros.data.recording.recorder import Recorder, RecorderError
from evla_ros.data.recording.settings import RecorderSettings
from evla_ros.data.recording.topics import TopicSpec
from evla_ros.embodiment import load_embodiment

SECOND = 1_000_000_000
BODY = load_embodiment("tabletop_arm")
LIMITS = PreflightLimits(min_free_bytes=1 << 20)


def make(root, limits=LIMITS, **settings):
    recorder = Recorder(BODY, root, RecorderSettings(limits=limits, **settings))
    spec = TopicSpec(
        "/number", "std_msgs/msg/Float64", definition_of("std_msgs/msg/Float64"), floor_hz=10
    )
    recorder.add_topic(spec)
    words = TopicSpec(
        "/instruction", "std_msgs/msg/String", definition_of("std_msgs/msg/String"), latched=True
    )
    recorder.add_topic(words)
    recorder.on_message(1, encode.encode_string("wave"), 5 * SECOND)
    return recorder


def feed(recorder, start_s, stop_s, rate=100):
    for index in range(round(start_s * rate), round(stop_s * rate)):
        stamp = index * SECOND // rate
        recorder.on_message(0, encode.encode_float64(index / rate), stamp)


def numbers(folder):
    with open_bag(folder) as bag:
        return [decode_float64(m.data) for m in bag.messages({"/number"})], bag.info


def test_kept_episode_has_preroll_instruction_events_and_report(tmp_path):
    recorder = make(tmp_path, preroll_s=0.5)
    feed(recorder, 8, 10)
    name = recorder.start(10 * SECOND)
    feed(recorder, 10, 12)
    recorder.intervene(11 * SECOND, on=True)
    recorder.intervene(11 * SECOND + 1, on=True)
    recorder.mark("success", 12 * SECOND)
    report = recorder.keep(12 * SECOND)
    values, info = numbers(tmp_path / name)
    assert values[0] == pytest.approx(9.5)
    assert len(values) == 250
    assert info.damage is None
    assert info.custom_data["outcome"] == "success"
    assert info.custom_data["instruction"] == "wave"
    assert info.custom_data["embodiment"] == BODY.text
    with open_bag(tmp_path / name) as bag:
        events = [decode_episode_event(m.data) for m in bag.messages({EVENT_TOPIC})]
        words = list(bag.messages({"/instruction"}))
    kinds = [EventKind(e.kind) for e in events]
    assert kinds == [1, 6, 4, 2]
    assert len(words) == 1
    assert words[0].receive_ns == round(9.5 * SECOND)
    assert report.messages == 250 + 1 + 4
    assert report.lost == 0
    assert json.loads((tmp_path / name / "report.json").read_text())["outcome"] == "success"


def test_discarded_goes_to_trash_and_can_be_read_there(tmp_path):
    recorder = make(tmp_path)
    feed(recorder, 8, 10)
    name = recorder.start(10 * SECOND)
    feed(recorder, 10, 11)
    recorder.discard(11 * SECOND)
    assert not (tmp_path / name).exists()
    assert numbers(tmp_path / "trash" / name)[1].damage is None
    assert (recorder.kept, recorder.discarded) == (0, 1)


def test_requests_out_of_turn_are_refused_with_the_fix(tmp_path):
    recorder = make(tmp_path)
    with pytest.raises(RecorderError, match="start one first"):
        recorder.keep(0)
    with pytest.raises(RecorderError, match="no episode to mark"):
        recorder.mark("success", 0)
    feed(recorder, 8, 10)
    recorder.start(10 * SECOND)
    with pytest.raises(RecorderError, match="already"):
        recorder.start(10 * SECOND)
    recorder.keep(10 * SECOND)
    assert recorder.mark("failure", 11 * SECOND) == recorder.last.episode_id
    assert numbers(recorder.last.path)[1].custom_data["outcome"] == "failure"


def test_every_reason_that_blocks_a_start_is_named(tmp_path):
    recorder = Recorder(BODY, tmp_path, RecorderSettings(limits=PreflightLimits(0.5, 1 << 60, 2)))
    recorder.needed = frozenset({"/camera"})
    image = TopicSpec(
        "/pose",
        "geometry_msgs/msg/PoseStamped",
        definition_of("geometry_msgs/msg/PoseStamped"),
        needed=True,
        floor_hz=10,
    )
    number = recorder.add_topic(image)
    from evla_ros.geometry.pose import Pose

    for index in range(30):
        stamp = index * SECOND // 10
        recorder.on_message(
            number, encode.encode_pose(stamp, "base_link", Pose.identity()), stamp + 3 * SECOND
        )
    with pytest.raises(RecorderError) as refused:
        recorder.start(8 * SECOND)
    text = str(refused.value)
    for part in (
        "/camera has no publisher",
        "/pose has stalled",
        "/pose is stamped 3.00 s behind this machine",
        "no instruction",
        "GiB of disk are free",
    ):
        assert part in text
    assert list(tmp_path.iterdir()) == []


def test_arrival_meter_tells_ok_slow_stalled_missing():
    meter = ArrivalMeter(floor_hz=10)
    assert meter.state(0) is TopicState.MISSING
    for index in range(90):
        meter.observe(index * SECOND // 30)
    assert meter.state(3 * SECOND) is TopicState.OK
    assert meter.rate_hz(3 * SECOND) == pytest.approx(30, rel=0.02)
    for index in range(30):
        meter.observe(3 * SECOND + index * SECOND // 12)
    now = 3 * SECOND + 29 * SECOND // 12
    assert meter.state(now) is TopicState.SLOW  # above the floor, far below what it was
    assert meter.state(now + 2 * SECOND) is TopicState.STALLED
    assert meter.expected_hz == pytest.approx(30, rel=0.02)
    latched = ArrivalMeter()
    for index in range(10):
        latched.observe(index * SECOND)
    assert latched.state(100 * SECOND) is TopicState.OK
    assert latched.expected_hz == 0


def test_what_arrives_in_a_burst_after_a_stall_is_no_expectation():
    meter = ArrivalMeter(floor_hz=10)
    for index in range(500):
        due = index * SECOND // 50
        stalled = (due // SECOND) % 3 == 2  # every third second arrives at once when it is over
        meter.observe((due // SECOND + 1) * SECOND + index if stalled else due)
    assert 10 <= meter.expected_hz <= 51
    assert meter.largest_gap_ns > 0.9 * SECOND


def test_preroll_is_bounded_in_time_and_bytes():
    ring = PrerollRing(1.0, 5000)
    for index in range(100):
        ring.push(Record(0, b"x" * 100, index * SECOND // 10, 0))
    assert [r.receive_ns // (SECOND // 10) for r in ring.drain(99 * SECOND // 10)] == list(
        range(89, 100)
    )
    for index in range(100):
        ring.push(Record(0, b"x" * 1000, index, 0))
    assert len(ring.drain(99)) == 5


def test_full_queue_loses_counted_and_never_blocks(tmp_path):
    from evla_ros.data.bags.writer import McapBagWriter

    writer = McapBagWriter(tmp_path / "bag")
    topic = writer.add_topic("/n", "std_msgs/msg/Float64", definition_of("std_msgs/msg/Float64"))
    thread = BagThread(writer, max_bytes=1000)
    with thread.paused():
        put = sum(thread.put(Record(topic, bytes(100), i, i)) for i in range(200))
    thread.close({})
    assert 10 <= put <= 20  # one batch may be on its way
    assert thread.lost[topic] == 200 - put
    assert writer.messages == put


class FailingWriter:
    """The writer of an episode, which raises at a message and, when told so, at every flush."""

    def __init__(self, writer, *, after, flushes):
        self._writer, self._left, self._flushes = writer, after, flushes

    def __getattr__(self, name):
        return getattr(self._writer, name)

    def write(self, *arguments):
        self._left -= 1
        if self._left < 0:
            raise ValueError("this message cannot be written")
        self._writer.write(*arguments)

    def flush(self):
        if not self._flushes and self._left < 0:
            raise ValueError("nothing can")
        self._writer.flush()


@pytest.mark.parametrize(("flushes", "held"), [(True, 20), (False, None)])
def test_whatever_ends_the_writing_is_reported_with_every_message(tmp_path, flushes, held):
    recorder = make(tmp_path, require_preflight=False)
    name = recorder.start(0)
    thread = recorder.episode._thread
    until(lambda: thread.writer.messages == 2 and not thread._unflushed)
    with thread.paused() as writer:
        thread._writer = FailingWriter(writer, after=20, flushes=flushes)
    feed(recorder, 0, 1)
    until(lambda: thread.error is not None)
    ending = recorder.watch(SECOND)
    assert ending is not None
    report = ending()
    assert recorder.episode is None
    assert "ValueError: this message cannot be written" in report.note
    assert not report.complete
    assert report.messages + report.lost == 100 + 2  # the instruction, the mark of the start
    assert report.lost >= 80
    values, info = numbers(tmp_path / name)
    assert info.damage
    assert len(values) >= report.topics[0].messages
    if held is not None:
        assert len(values) == report.topics[0].messages == held
    assert recorder.start(2 * SECOND)
    assert recorder.keep(3 * SECOND).complete


def test_the_preroll_is_on_the_disk_soon_after_the_start(tmp_path):
    recorder = make(tmp_path, require_preflight=False)
    feed(recorder, 0, 1)
    name = recorder.start(SECOND)
    until(lambda: len(numbers(tmp_path / name)[0]) >= 50, 0.4)
    recorder.keep(2 * SECOND)


def test_a_disk_that_takes_nothing_refuses_in_one_sentence(tmp_path, monkeypatch):
    recorder = make(tmp_path, require_preflight=False)
    feed(recorder, 0, 1)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("evla_ros.data.bags.writer.write_metadata", full)
        with pytest.raises(RecorderError, match=r"not started: .*No space left on device; free"):
            recorder.start(SECOND)
    assert list(tmp_path.iterdir()) == []
    name = recorder.start(SECOND)  # with the pre-roll
    with monkeypatch.context() as broken:
        broken.setattr("evla_ros.data.recording.episode_store.shutil.move", full)
        with pytest.raises(RecorderError, match="is ended, but stays in"):
            recorder.discard(2 * SECOND)
    assert len(numbers(tmp_path / name)[0]) >= 50


def until(condition, limit_s=10.0):
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_minutes_left():
    assert minutes_left(61_000_000, 1_000_000, 1_000_000) == 1.0
    assert minutes_left(10, 0.0, 0) == -1.0


KILLED = """
import sys, time
sys.path.insert(0, {tests!r})
from test_recorder_core import *
recorder = make(Path({root!r}), preroll_s=0.0, require_preflight=False)
print(recorder.start(time.time_ns()), flush=True)
for number in range(1_000_000):
    recorder.on_message(0, encode.encode_float64(time.time()), time.time_ns())
    if number == 1000:
        print("enough", flush=True)
    time.sleep(0.002)
"""


def test_sigkill_loses_at_most_the_last_second(tmp_path, root):
    script = KILLED.format(root=str(tmp_path), tests=str(Path(__file__).parent))
    environment = {**os.environ, "PYTHONPATH": f"{root}:{root / 'test' / 'rigs'}"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
    )
    name = process.stdout.readline().strip()
    assert process.stdout.readline().strip() == "enough"  # 2 s of messages, more when it is busy
    killed = time.time()
    process.send_signal(signal.SIGKILL)
    process.wait()
    values, info = numbers(tmp_path / name)
    assert killed - values[-1] <= 1.0
    assert len(values) > 500
    assert info.custom_data["instruction"] == "wave"
    assert info.damage


def test_full_disk_ends_the_episode_and_keeps_what_was_written(tmp_path):
    disk = tmp_path / "small"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).returncode != 0:
        pytest.skip("a small disk needs the right to mount a tmpfs")
    try:
        unguarded = PreflightLimits(min_free_bytes=0)
        recorder = make(disk, limits=unguarded, require_preflight=False)
        name = recorder.start(0)
        report = None
        for index in range(100_000):
            recorder.on_message(0, encode.encode_float64(index) + bytes(10_000), index * 1_000_000)
            time.sleep(0.0002)
            if index % 20 == 0 and (ending := recorder.watch(index)) is not None:
                report = ending()
                break
        assert "No space left" in report.note
        assert recorder.episode is None
        values, info = numbers(disk / name)
        assert len(values) > 100
        assert values == list(range(len(values)))
        assert info.damage
    finally:
        subprocess.run(["umount", disk], check=True)


def test_guard_closes_cleanly_before_the_disk_is_full(tmp_path):
    recorder = make(tmp_path, require_preflight=False)
    name = recorder.start(0)
    feed(recorder, 0, 1)
    recorder.store.free_bytes = lambda: 1000
    ending = recorder.watch(SECOND)
    assert ending is not None
    report = ending()
    assert "closed by itself" in report.note
    values, info = numbers(tmp_path / name)
    assert (len(values), info.damage) == (100, None)


def test_topic_that_appears_while_recording_is_in_the_bag(tmp_path):
    recorder = make(tmp_path, require_preflight=False)
    name = recorder.start(0)
    late = TopicSpec("/late", "std_msgs/msg/Float64", definition_of("std_msgs/msg/Float64"))
    number = recorder.add_topic(late)
    recorder.on_message(number, encode.encode_float64(3.0), 1)
    recorder.keep(2)
    with open_bag(tmp_path / name) as bag:
        assert [decode_float64(m.data) for m in bag.messages({"/late"})] == [3.0]


def test_recorded_robot_converts(tmp_path):
    robot = SyntheticRobot(BODY, seconds=2.0, camera_hz=15.0)
    recorder = Recorder(BODY, tmp_path / "bags", RecorderSettings(require_preflight=False))
    index = {}
    started = False
    for event in robot_events(robot):
        if event.topic not in index:
            spec = TopicSpec(event.topic, event.type, definition_of(event.type))
            latched = event.topic == "/instruction"
            spec = TopicSpec(event.topic, event.type, spec.definition, latched=latched)
            index[event.topic] = recorder.add_topic(spec)
        if not started and event.stamp_ns > robot.start_ns + SECOND // 2:
            recorder.start(event.stamp_ns)
            started = True
        recorder.on_message(index[event.topic], event.data, event.stamp_ns)
    recorder.mark("success", event.stamp_ns)
    report = recorder.keep(event.stamp_ns)
    options = ConvertOptions(BODY.text, image_size=(32, 32), idle="keep")
    result = convert_bag(Path(report.path), options, tmp_path / "staging")
    assert (result.status, result.outcome, result.steps) == ("kept", "success", 19)
