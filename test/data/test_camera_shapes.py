# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorded size of every camera is kept with a dataset, and a merge looks at it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from synthetic_bag import SyntheticRobot, write_robot_bag

from evla_ros.cli.main import main
from evla_ros.data.camera_shapes import CameraShapeError, joined, other_aspects, read_shapes
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import load_embodiment


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Return a folder of datasets recorded in 4:3, in 16:9, and in a larger 4:3."""
    folder = tmp_path_factory.mktemp("days")
    robot = SyntheticRobot(load_embodiment("tabletop_arm"), seconds=2.0, camera_hz=10.0)
    sizes = {"monday": (48, 64), "tuesday": (36, 64), "wednesday": (96, 128)}
    for seed, (name, size) in enumerate(sizes.items()):
        bag = write_robot_bag(folder / f"bag_{name}", replace(robot, seed=seed, camera_size=size))
        words = ["convert", str(bag), "--out", str(folder), "--name", name, "--image-size", "32"]
        assert main([*words, "--jobs", "1"]) == 0
    return folder


def test_a_dataset_keeps_the_sizes_of_its_cameras(days):
    sizes = RldsDataset.open(days / "monday").cameras
    assert sizes == {"primary": ((48, 64),), "wrist": ((48, 64),)}


def test_a_merge_of_two_aspect_ratios_is_refused(days, tmp_path, capsys):
    words = ["dataset", "merge", str(days / "monday"), "--out", str(tmp_path), "--name", "week"]
    assert main([*words, str(days / "tuesday")]) == 2
    said = capsys.readouterr().err
    assert "camera primary is 64x36 (1.78:1) in tuesday and 64x48 (1.33:1) in monday" in said
    assert "--any-shape" in said
    assert main([*words, str(days / "tuesday"), "--any-shape"]) == 0
    assert RldsDataset.open(tmp_path / "week").cameras["wrist"] == ((36, 64), (48, 64))


def test_larger_pictures_of_one_aspect_ratio_are_merged(days, tmp_path):
    words = ["dataset", "merge", str(days / "monday"), str(days / "wednesday"), "--name", "two"]
    assert main([*words, "--out", str(tmp_path)]) == 0


def test_only_cameras_that_both_have_are_compared():
    ours, theirs = {"primary": ((48, 64),), "wrist": ((1, 9),)}, {"primary": ((480, 640),)}
    assert other_aspects(ours, theirs, "a", "b") == []
    assert joined([ours, theirs])["primary"] == ((48, 64), (480, 640))


@pytest.mark.parametrize("text", ['{"primary": 3}', '{"primary": [["a", 1]]}', "[1]", "{"])
def test_a_damaged_file_is_one_sentence(tmp_path, text):
    (tmp_path / "cameras.json").write_text(text)
    with pytest.raises(CameraShapeError):
        read_shapes(tmp_path)
