# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Published mixtures of Open-X datasets: from the setting to the samples, and what is refused."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import yaml
from open_x_datasets import write_fake

from evla_ros.data.open_x.mixtures import MIXTURES
from evla_ros.errors import EvlaError
from evla_ros.training.config import DatasetEntry
from evla_ros.training.config_file import parse_config
from evla_ros.training.metrics import read_metrics
from evla_ros.training.opening_screen import _data
from evla_ros.training.parts import build
from evla_ros.training.samples.source import Source
from evla_ros.training.samples.streams import stream
from evla_ros.training.train import train

SOUP = "oxe_magic_soup_plus"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder with a fake of every dataset of the largest mixture."""
    folder = tmp_path_factory.mktemp("open_x")
    for name in MIXTURES[SOUP]:
        held_out = 1 if name in ("bridge_orig", "bc_z") else 0
        write_fake(folder, name, 3, held_out=held_out)
    write_fake(folder, "bc_z", 2, version="1.0.0")  # newer, and known to be broken
    return folder


@pytest.fixture
def mixed(settings, root):
    entry = {"mixture": SOUP, "root": str(root)}
    model = {**settings["model"], "chunk": 3, "proprio": False}
    return {**settings, "datasets": [entry], "model": model}


def test_a_whole_mixture_is_learned(mixed):
    folder = train(parse_config(mixed, "test"))
    entries = read_metrics(folder)
    assert all(np.isfinite(e["loss"]) for e in entries if "loss" in e)
    assert any("bridge_orig" in e.get("val", {}) for e in entries)


def test_every_dataset_has_its_weight_and_its_statistics(mixed):
    parts = build(parse_config(mixed, "test"))
    weights = {source.name: source.weight for source in parts.train}
    assert weights == dict(MIXTURES[SOUP])
    assert set(parts.statistics.datasets) == set(weights)
    for source in parts.train:
        assert source.transform_name == source.name
        assert source.action_mask == [True] * 6 + [False]
        assert parts.statistics.datasets[source.name]["action"]["mask"] == source.action_mask
    assert {source.name for source in parts.val} == {"bridge_orig", "bc_z"}
    (bc_z,) = (source for source in parts.train if source.name == "bc_z")
    assert bc_z.dataset.path.name == "0.1.0"
    screen = dict(_data(parts)) or {}
    assert screen
    lines = [text for _, text in _data(parts)]
    assert any("fractal20220817_data 0.1.0: 3 episodes, 21 steps" in line for line in lines)
    assert any("weight 0.06" in line and "% of the samples" in line for line in lines)


def test_an_epoch_shows_every_sample_of_every_dataset(mixed):
    config = parse_config(mixed, "test")
    parts = build(config)
    samples = stream(parts, config, parts.train, None, train=True)
    seen = defaultdict(set)
    shares = {s.name: s.weight * len(s) for s in parts.train}
    smallest = min(shares.values()) / sum(shares.values())
    count = int(21 / smallest) + 2 * 1024
    for number in range(count):
        which, sample = samples.place(number)
        if len(seen[which]) < len(parts.train[which]):
            assert sample not in seen[which]
            seen[which].add(sample)
    for which, source in enumerate(parts.train):
        assert seen[which] == set(range(len(source))), source.name


def test_the_last_twentieth_is_held_out_where_there_is_no_val(mixed, tmp_path):
    write_fake(tmp_path, "toto", 20, steps=4)
    entry = {"mixture": "toto", "root": str(tmp_path)}
    parts = build(parse_config({**mixed, "datasets": [entry]}, "test"))
    assert [s.split for s in (*parts.train, *parts.val)] == ["train[:95%]", "train[95%:]"]
    assert [s.episode_count for s in (*parts.train, *parts.val)] == [19, 1]
    last = Source(tmp_path / "toto", "train").episode(19).episode.episode_id
    assert parts.val[0].episode(0).episode.episode_id == last
    whole = {**entry, "val_split": ""}
    for key in ("eval_every", "eval_batches"):
        del mixed[key]
    parts = build(parse_config({**mixed, "datasets": [whole]}, "test"))
    assert [s.episode_count for s in parts.train] == [20]
    with pytest.raises(EvlaError, match=r"split 'train\[5' is in no known form; write"):
        Source(tmp_path / "toto", "train[5")


def test_missing_datasets_are_named(mixed, tmp_path):
    del mixed["eval_every"], mixed["eval_batches"]
    root = tmp_path / "some"
    for name in ("fractal20220817_data", "toto"):
        write_fake(root, name)
    entry = {"mixture": "rtx", "root": str(root)}
    config = parse_config({**mixed, "datasets": [entry]}, "test")
    message = r"datasets\[0\]: 8 of the 10 datasets of mixture 'rtx' are not below .*: kuka, bridge"
    with pytest.raises(EvlaError, match=message + ".*allow_missing: true"):
        build(config)
    config = parse_config({**mixed, "datasets": [{**entry, "allow_missing": True}]}, "test")
    parts = build(config)
    assert [source.name for source in parts.train] == ["fractal20220817_data", "toto"]
    assert any("8 of the 10 datasets" in note and "kuka" in note for note in parts.notes)
    nothing = {"mixture": "rtx", "root": str(tmp_path / "none"), "allow_missing": True}
    with pytest.raises(EvlaError, match="root is the folder that holds each under its name"):
        build(parse_config({**mixed, "datasets": [nothing]}, "test"))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, r"datasets\[0\]: name a dataset \(path: DIR\) or a mixture"),
        ({"path": "a", "mixture": "rtx"}, "mixture has no effect beside path"),
        ({"path": "a", "allow_missing": True}, "allow_missing has no effect beside path"),
        ({"mixture": "rtx"}, "a mixture needs root"),
        ({"mixture": "rtz", "root": "a"}, "unknown mixture 'rtz'; did you mean 'rtx'"),
        ({"mixture": "rtx", "root": "a", "transform": "evla"}, "transform has no effect on a mix"),
        (
            {"mixture": "rtx", "root": "s3://lab/oxe"},
            "root 's3://lab/oxe' is no folder of this mac",
        ),
        ({"mixture": "rtx", "root": "a", "weights": 1}, "unknown key; did you mean 'weight'"),
    ],
)
def test_entries_that_contradict_themselves(settings, entry, message):
    with pytest.raises(EvlaError, match=message):
        parse_config({**settings, "datasets": [entry]}, "test")


def test_the_page_shows_a_configuration_that_is_read():
    page = (Path(__file__).parents[2] / "docs" / "open_x.md").read_text()
    (shown,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    config = parse_config(yaml.safe_load(shown), "open_x.md")
    assert config.datasets[0].mixture == SOUP
    for word in DatasetEntry.model_fields:
        assert word in page or word in ("path", "transform")


def test_unlabelled_episodes_are_left_out_and_counted(tmp_path):
    write_fake(tmp_path, "viola", 4, unlabelled=[1, 3])
    source = Source(tmp_path / "viola", "train")
    assert source.unlabelled == 2
    assert {source.locate(i)[0] for i in range(len(source))} == {0, 2}
    assert source.statistics()["num_trajectories"] == 4  # as the published loaders count
    assert any("2 of 4 episodes have no instruction" in note for note in source.notes)
    write_fake(tmp_path, "toto", 2, unlabelled=[0, 1])
    with pytest.raises(EvlaError, match="'toto'.*no usable steps: 2 of its 2 episodes have no ins"):
        Source(tmp_path / "toto", "train")


def test_a_published_name_is_read_as_published(tmp_path):
    write_fake(tmp_path, "roboset", 2)
    source = Source(tmp_path / "roboset", "train")
    assert source.transform_name == "roboset"
    assert source.action_mask == [True] * 7 + [False]
    assert source.statistics()["action"]["mask"] == source.action_mask
    write_fake(tmp_path, "droid", 2)
    wrist = Source(tmp_path / "droid", "train", "droid_wrist")
    assert wrist.action_mask == [True] * 9 + [False]
    assert len(wrist.statistics()["action"]["q01"]) == 10
    renamed = write_fake(tmp_path, "toto", 2, folder="my_arm")
    with pytest.raises(EvlaError, match="'my_arm': nothing says how to read it"):
        Source(renamed, "train")
    assert Source(renamed, "train", "toto").transform_name == "toto"
    with pytest.raises(EvlaError, match="lacks the column 'action/rel_actions_world'"):
        Source(renamed, "train", "taco_play")


def test_a_gripper_of_another_convention_is_said(tmp_path):
    flat = write_fake(tmp_path, "utokyo_xarm_pick_and_place_converted_externally_to_rlds", 2)
    notes = Source(flat, "train").notes
    assert any("gripper (action number 6) goes from -1 to" in note for note in notes)


def test_cameras_that_a_dataset_lacks(mixed, root):
    mixed["model"]["cameras"] = ["primary", "wrist"]
    mixed["datasets"] = [{"mixture": "bridge_rt_1", "root": str(root)}]
    with pytest.raises(EvlaError, match="'bridge_orig'.*lacks camera 'wrist'.*missing_cameras: bl"):
        build(parse_config(mixed, "test"))
    config = parse_config({**mixed, "data": {"missing_cameras": "black"}}, "test")
    parts = build(config)
    pictures = stream(parts, config, parts.train, None, train=False).batch([0, 1]).inputs.images
    assert pictures[:, 1].float().std() == 0
    assert pictures[:, 0].float().std() > 0


def test_other_proprioception_names_the_way_out(mixed, root):
    mixed["model"]["proprio"] = True
    with pytest.raises(EvlaError, match="'fmb_dataset'.*state has 7 numbers.*model.proprio=false"):
        build(parse_config(mixed, "test"))


def test_joints_are_left_out_of_a_mixture_of_poses(mixed, tmp_path):
    for name in MIXTURES["rtx_franka"]:
        write_fake(tmp_path, name, 1, steps=4)
    del mixed["eval_every"], mixed["eval_batches"]
    entry = {"mixture": "rtx_franka", "root": str(tmp_path), "weight": 1.0}
    parts = build(parse_config({**mixed, "datasets": [entry]}, "test"))
    assert len(parts.train) == 23
    assert any("berkeley_rpt" in note and "is left out" in note for note in parts.notes)
