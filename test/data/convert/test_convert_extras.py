# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot records beside its inputs: columns with names and units, and what is refused."""

from __future__ import annotations

import heapq
import subprocess

import cv2
import numpy as np
import pytest
from recorded_beside import (
    array,
    cdr,
    compressed_depth,
    depth_image,
    depth_mm,
    every,
    joints,
    message,
    wrench,
)
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from synthetic_bag import SECOND, SyntheticRobot, write_robot_bag

from evla_ros.cli.main import main as evla
from evla_ros.data.codecs.depth import resize_depth
from evla_ros.data.codecs.numbers import NoNumbersError, NumbersReader
from evla_ros.data.convert.bag_job import read_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.run import convert
from evla_ros.data.convert.verdict import judge, judge_streams
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.errors import EvlaError

TABLETOP = load_embodiment("tabletop_arm")
SECONDS = 2.0
SCALE = "scale_msgs/msg/Weight"
WRENCH, JOINTS = "geometry_msgs/WrenchStamped", "sensor_msgs/JointState"
IMAGE, COMPRESSED = "sensor_msgs/Image", "sensor_msgs/CompressedImage"
ARRAY, STRING = "std_msgs/Float64MultiArray", "std_msgs/String"


def body(*entries):
    return parse_embodiment("\n".join([TABLETOP.text, "record:", *(f"  - {e}" for e in entries)]))


def options(robot, **changes):
    return ConvertOptions(robot.text, image_size=(16, 20), idle="keep", min_steps=3, **changes)


def bag_of(folder, robot, *streams):
    """Write a bag with streams of (hz, topic, type, message)."""
    events = [every(hz, SECONDS, topic, kind, make) for hz, topic, kind, make in streams]
    extra = heapq.merge(*events, key=lambda event: event.stamp_ns)
    invented = SyntheticRobot(robot, seconds=SECONDS, camera_hz=10.0)
    return write_robot_bag(folder, invented, extra=extra)


def read(tmp_path, robot, *streams):
    return read_bag(bag_of(tmp_path / "bag", robot, *streams), options(robot))


def times_s(episode):
    stamps = episode.columns["stamp_ns"]
    return (stamps - 1_700_000_000 * SECOND) / SECOND


def test_a_wrench_and_joints_become_columns_with_names_and_units(tmp_path):
    robot = body("/ft/wrench", "{topic: joint_states, name: all_joints}")
    orders = [["left", "right"], ["right", "left"]]  # a driver may send joints in any order
    bag = bag_of(
        tmp_path / "bag",
        robot,
        (100, "/robot/ft/wrench", WRENCH, wrench),
        (50, "/joint_states", JOINTS, lambda at, t: joints(at, orders[round(50 * t) % 2], [1, 2])),
    )
    report = convert([bag], tmp_path / "out", options(robot))
    dataset = RldsDataset.open(report.dataset)
    force = dataset.features.steps["observation/extra/ft_wrench"]
    assert force.shape == (6,)
    assert "wrench.force.y [N], wrench.force.z [N], wrench.torque.x [N m]" in force.description
    both = dataset.features.steps["observation/extra/all_joints"].description
    assert "position.left [rad or m]" in both
    assert "effort.right [N m or N]" in both
    assert "observation/extra/ft_wrench" in (report_folder(report) / "README.md").read_text()
    assert "extra" in (report_folder(report) / "oxe_registration.py.txt").read_text()
    (episode,) = dataset.episodes("train")
    age = episode.columns["age_s"][:, -2]
    times = times_s(episode) - age
    np.testing.assert_allclose(episode.observations["extra/ft_wrench"][:, 2], 3 * times, atol=1e-5)
    rows = episode.observations["extra/all_joints"]
    assert {tuple(row) for row in rows.tolist()} <= {(0, 1, 1, 2), (1, 0, 2, 1)}
    assert set(dataset.statistics) == {
        "action", "proprio", "num_transitions", "num_trajectories",
    }  # fmt: skip


def report_folder(report):
    return RldsDataset.open(report.dataset).path


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
@pytest.mark.parametrize(("kind", "make"), [(IMAGE, depth_image), (COMPRESSED, compressed_depth)])
def test_depth_becomes_a_png_in_millimetres(tmp_path, encoding, kind, make):
    robot = body("{topic: /depth, column: depth}")
    found = read(tmp_path, robot, (10, "/depth", kind, lambda at, t: make(at, t, encoding)))
    episode = found.episodes[0]
    png = episode.observations["extra/depth"][4]
    depth = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    time_s = times_s(episode)[4] - episode.columns["age_s"][4, -1]
    wanted = resize_depth(depth_mm(float(time_s)), (16, 20))
    assert depth.dtype == np.uint16
    near = 0 if (encoding, kind) != ("32FC1", COMPRESSED) else 1  # 1 mm: it is quantised
    assert np.abs(depth.astype(int) - wanted.astype(int)).max() <= near
    assert (depth[wanted == 0] == 0).all()
    assert episode.camera_keys == ("image_primary", "image_wrist")


TFDS = """
import sys
import numpy as np
import tensorflow_datasets as tfds
builder = tfds.builder_from_directory(sys.argv[1])
(episode,) = builder.as_dataset(split="train")
seen = [dict(one["observation"]["extra"]) for one in episode["steps"].as_numpy_iterator()]
assert all(one["depth"].dtype == np.uint16 for one in seen)
np.savez(sys.argv[2], **{name: np.stack([one[name] for one in seen]) for name in seen[0]})
"""


def test_real_tfds_reads_numbers_and_depth_beside_the_inputs(tmp_path, tfds_python):
    robot = body("/ft/wrench", "{topic: /depth, column: depth}")
    streams = (100, "/robot/ft/wrench", WRENCH, wrench), (10, "/depth", IMAGE, depth_image)
    report = convert([bag_of(tmp_path / "bag", robot, *streams)], tmp_path / "out", options(robot))
    argv = [str(tfds_python), "-c", TFDS, report.dataset, str(tmp_path / "seen.npz")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-2000:]
    seen = np.load(tmp_path / "seen.npz")
    (episode,) = RldsDataset.open(report.dataset).episodes("train")
    np.testing.assert_array_equal(seen["ft_wrench"], episode.observations["extra/ft_wrench"])
    pngs = episode.observations["extra/depth"]
    depth = [cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED) for png in pngs]
    np.testing.assert_array_equal(seen["depth"][..., 0], depth)
    assert (seen["depth"].shape, seen["depth"].max()) == ((len(pngs), 16, 20, 1), np.max(depth))
    assert np.max(depth) > 255, "it needs its 16 bits"


def test_what_holds_no_numbers_stays_in_the_bag_and_is_said(tmp_path):
    robot = body("/note", "/depth", "{topic: /quiet, column: none}")
    note = lambda at, t: cdr(STRING, message(STRING, f"{t}"))  # noqa: E731
    streams = (
        (5, "/note", STRING, note), (5, "/depth", IMAGE, depth_image), (5, "/quiet", STRING, note),
    )  # fmt: skip
    bag = bag_of(tmp_path / "bag", robot, *streams)
    verdict = judge(bag, options(robot))
    assert verdict.steps > 10
    said = " | ".join(verdict.sentences)
    assert "extra:note stays in the bag: std_msgs/msg/String, it holds no numbers" in said
    assert "`column: depth` makes a 16-bit PNG" in said
    assert "quiet" not in said
    uses = {one.stream: one.use for one in judge_streams(bag, options(robot))}
    assert uses["extra:quiet"] == "stays in the bag: its column is none"


def test_a_count_of_numbers_that_changes_costs_its_steps_and_is_said(tmp_path):
    robot = body("{topic: /numbers, max_age_s: 0.2}")
    found = read(
        tmp_path,
        robot,
        (20, "/numbers", ARRAY, lambda _, t: array([1, 2] if t < 1.0 else [1, 2, 3])),
    )
    said = " | ".join(found.collected.notes)
    assert "extra:numbers: 20 message(s) dropped" in said
    assert "it has 3 numbers, its column 2, first data.2" in said
    assert "extra:numbers" in found.loss
    assert times_s(found.episodes[0]).max() < 1.3


def test_numbers_that_are_not_finite_or_cut_off_are_dropped_and_said(tmp_path):
    robot = body("/numbers")

    def sometimes(_, t):
        if round(20 * t) % 5 == 2:
            return array([np.nan])
        return array([t])[: 14 if round(20 * t) % 5 == 4 else None]

    found = read(tmp_path, robot, (20, "/numbers", ARRAY, sometimes))
    said = " | ".join(found.collected.notes)
    assert "data.0 is nan" in said
    assert "cannot be read" in said
    assert len(found.episodes[0]) > 10


def test_a_silent_topic_and_a_missing_one_are_said_with_the_way_out(tmp_path):
    robot = body("/ft/wrench")
    silent = bag_of(tmp_path / "silent", robot)
    with pytest.raises(EvlaError, match=r"record\[0\] of the embodiment file .*`column: none`"):
        convert([silent], tmp_path / "out", options(robot))
    assert "`column: none` does without it" in judge(silent, options(robot)).refusal
    heard = bag_of(tmp_path / "heard", robot, (20, "/ft/wrench", WRENCH, wrench))
    report = convert([heard, silent], tmp_path / "out", options(robot))
    assert [result.status for result in report.results] == ["kept", "dropped"]
    assert "/ft/wrench" in report.results[1].reason


def test_one_column_has_one_type_in_all_bags(tmp_path):
    robot = body("/numbers")
    first = bag_of(tmp_path / "a", robot, (20, "/numbers", ARRAY, lambda _, t: array([t])))
    other = bag_of(tmp_path / "b", robot, (20, "/numbers", WRENCH, wrench))
    report = convert([first, other], tmp_path / "out", options(robot))
    assert "the first bag has it as a std_msgs/msg/Float64MultiArray" in report.results[1].reason


def test_a_type_that_only_the_bag_knows_is_read_by_its_definition_there():
    """Its package need not be installed."""
    rule = "=" * 80
    text = "std_msgs/Header header\nfloat32[2] grams\nstring note\nbool[] on\n"
    text += f"{rule}\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"
    text += f"{rule}\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(text, SCALE))
    stamp = store.types["builtin_interfaces/msg/Time"](7, 5)
    fields = np.array([1.5, 2.5], np.float32), "", np.array([True])
    weight = store.types[SCALE](store.types["std_msgs/msg/Header"](stamp, ""), *fields)
    numbers = NumbersReader(SCALE, text)(bytes(store.serialize_cdr(weight, SCALE)))
    assert numbers.stamp_ns == 7 * SECOND + 5
    assert numbers.names == ("grams.0", "grams.1", "on.0")
    assert numbers.values.tolist() == [1.5, 2.5, 1.0]
    for nowhere in ("", "grams of what\n"):
        with pytest.raises(NoNumbersError, match="neither in the bag nor installed"):
            NumbersReader(SCALE, nowhere)


def test_datasets_with_columns_are_examined_edited_and_merged(tmp_path, capsys):
    robot = body("/ft/wrench", "{topic: /depth, column: depth}")
    paths = []
    for place in ("a", "b"):
        streams = (
            (20, "/ft/wrench", WRENCH, wrench),
            (10, "/depth", IMAGE, lambda at, t, p=place: depth_image(at, t + (p == "b"))),
        )
        bag = bag_of(tmp_path / place, robot, *streams)
        paths.append(convert([bag], tmp_path / f"out_{place}", options(robot)).dataset)
    evla(["dataset", "doctor", paths[0]])
    examined = capsys.readouterr().out
    assert " 0 errors" in examined
    assert evla(["inspect", paths[0]]) == 0
    assert "extra/ft_wrench" in capsys.readouterr().out
    merged = ["dataset", "merge", *paths, "--out", str(tmp_path / "both"), "--name", "both"]
    assert evla(merged) == 0
    (folder,) = (tmp_path / "both" / "both").iterdir()
    dataset = RldsDataset.open(folder)
    episodes = [e for split in dataset.splits for e in dataset.episodes(split)]
    assert len(episodes) == 2
    assert {len(set(e.observations["extra/depth"])) > 5 for e in episodes} == {True}


def test_the_command_converts_and_says_what_stays_in_the_bag(tmp_path, capsys):
    robot = body("/ft/wrench", "/note")
    note = lambda at, t: cdr(STRING, message(STRING, f"{t}"))  # noqa: E731
    bag = bag_of(
        tmp_path / "bag", robot, (20, "/ft/wrench", WRENCH, wrench), (5, "/note", STRING, note)
    )
    assert evla(["convert", str(bag), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 0
    assert "extra:note stays in the bag" in capsys.readouterr().out
    assert evla(["inspect", str(bag)]) == 0
    assert "extra:ft_wrench" in capsys.readouterr().out
