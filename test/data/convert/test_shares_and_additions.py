# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shares of a conversion joined, bags added later, a Ray cluster: what a single run would give."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace

import pytest
from synthetic_bag import write_robot_bag

from evla_ros.cli.main import main
from evla_ros.data.bags.metadata import update_custom_data
from evla_ros.data.convert.add import add
from evla_ros.data.convert.bag_record import BAGS_FILE, BagRecord, BagRecordError
from evla_ros.data.convert.engines import ray_cluster
from evla_ros.data.convert.run import convert
from evla_ros.data.convert.shard import Shard, read_shard
from evla_ros.data.edit.join import join
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.errors import EvlaError


def digest(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }


@pytest.fixture(scope="module")
def six(robot, tmp_path_factory):
    """Six bags, of which one is a failure."""
    folder = tmp_path_factory.mktemp("six")
    for seed in range(6):
        outcome = "failure" if seed == 4 else "success"
        write_robot_bag(folder / f"day_{seed}", replace(robot, seed=seed, outcome=outcome))
    return folder


def test_shares_joined_are_the_serial_dataset(six, options, tmp_path):
    whole = convert([six], tmp_path / "whole", options, name="cups")
    bags = sorted(six.iterdir())
    shares = []
    for index in range(3):
        shard = Shard(index, 3)
        convert(shard.of(bags), tmp_path / "shares", options, name=shard.name_of("cups"))
    shares = sorted(p for p in (tmp_path / "shares").iterdir() if p.is_dir())
    assert [p.name for p in shares] == [
        "cups_shard_0_of_3", "cups_shard_1_of_3", "cups_shard_1_of_3_failures", "cups_shard_2_of_3",
    ]  # fmt: skip
    joined = join([RldsDataset.open(path) for path in shares], tmp_path / "joined", "cups")
    assert joined.notes == []
    assert digest(tmp_path / "joined" / "cups") == digest(tmp_path / "whole" / "cups")
    mine, theirs = (digest(tmp_path / one / "cups_failures") for one in ("joined", "whole"))
    assert mine == theirs
    assert whole.complete


def test_the_commands_of_a_cluster_without_ray(six, tmp_path, capsys):
    words = ["--name", "cups", "--image-size", "32", "--jobs", "1"]
    out = str(tmp_path / "out")
    for index in range(2):
        assert main(["convert", str(six), "--out", out, *words, "--shard", f"{index}/2"]) == 0
    shares = [
        str(path) for path in sorted((tmp_path / "out").glob("cups_shard_*")) if path.is_dir()
    ]
    capsys.readouterr()
    assert main(["dataset", "merge", *shares, "--out", out, "--name", "cups", "--as-one"]) == 0
    assert "train 3, val 2 episodes" in capsys.readouterr().out
    assert main(["convert", str(six), "--out", str(tmp_path / "one"), *words]) == 0
    assert digest(tmp_path / "out" / "cups") == digest(tmp_path / "one" / "cups")


def test_a_recording_in_two_shares_is_taken_once(six, options, tmp_path):
    twice = tmp_path / "bags"
    twice.mkdir()
    for name in ("day_0", "day_1", "day_2"):
        shutil.copytree(six / name, twice / name)
    shutil.copytree(six / "day_0", twice / "day_9")
    for index in range(2):
        shard = Shard(index, 2)
        convert(shard.of(sorted(twice.iterdir())), tmp_path, options, name=shard.name_of("cups"))
    shares = [RldsDataset.open(tmp_path / f"cups_shard_{i}_of_2") for i in range(2)]
    joined = join(shares, tmp_path / "joined", "cups")
    assert joined.notes == ["day_9 is left out: the same recording as day_0"]
    convert([twice], tmp_path / "serial", options, name="cups")
    assert digest(tmp_path / "joined" / "cups") == digest(tmp_path / "serial" / "cups")


@pytest.mark.parametrize("text", ["3/3", "1", "-1/4", "a/b", "1/0", "4/3"])
def test_a_share_that_is_none(text):
    with pytest.raises(EvlaError, match=r"give I/N, I from 0 to N - 1"):
        read_shard(text)


def test_more_shares_than_bags(six):
    with pytest.raises(EvlaError, match="there are only 6 bags, so this share has none"):
        Shard(7, 8).of(sorted(six.iterdir()))


def test_shares_that_do_not_fit_are_refused(six, options, tmp_path):
    convert([six / "day_0"], tmp_path, options, name="a")
    convert([six / "day_1"], tmp_path, replace(options, idle="all"), name="b")
    pair = [RldsDataset.open(tmp_path / name) for name in "ab"]
    with pytest.raises(BagRecordError, match="converted with other options"):
        join(pair, tmp_path, "c")
    (tmp_path / "b/1.0.0" / BAGS_FILE).unlink()
    with pytest.raises(EvlaError, match=r"is no share of a conversion: it has no bags\.json"):
        join(pair, tmp_path, "c")


def test_bags_are_added_and_old_shards_are_the_same_files(six, options, tmp_path):
    bags = sorted(six.iterdir())
    convert(bags[:3], tmp_path, options, name="cups")
    old = RldsDataset.open(tmp_path / "cups")
    before = {path.stat().st_ino for path in old.path.glob("*.tfrecord-*")}
    report = add([six], tmp_path, options, old)
    assert [result.bag for result in report.results] == [str(bag) for bag in bags[3:]]
    assert (report.version, report.complete) == ("1.1.0", True)
    new = RldsDataset.open(tmp_path / "cups")
    assert new.path.name == "1.1.0"
    assert before <= {path.stat().st_ino for path in new.path.glob("*.tfrecord-*")}
    assert sum(new.splits.values()) == 5
    whole = convert([six], tmp_path / "whole", options, name="cups")
    anew = RldsDataset.open(whole.dataset)
    records = [
        sorted(bytes(data.record(s, i)) for s, n in data.splits.items() for i in range(n))
        for data in (new, anew)
    ]
    assert records[0] == records[1]
    for statistics in (new.statistics, anew.statistics):
        statistics["action"] = {k: [float(f"{x:.5g}") for x in v]
                                for k, v in statistics["action"].items()}  # fmt: skip
    assert new.statistics["action"] == anew.statistics["action"]
    assert BagRecord.read(new.path) == BagRecord.read(anew.path)
    assert RldsDataset.open(tmp_path / "cups_failures").splits == {"train": 1}
    assert digest(old.path) == digest(old.path), "the version before is untouched"

    again = add([six], tmp_path, options, new)
    assert (again.unchanged, again.version, again.results) == (True, "1.1.0", [])


def test_added_through_the_command_and_refusals(six, robot, options, tmp_path, capsys):
    bags = tmp_path / "bags"
    shutil.copytree(six, bags)
    words = ["convert", str(bags), "--out", str(tmp_path), "--name", "cups",
             "--image-size", "32", "--jobs", "1"]  # fmt: skip
    assert main([*words, "--add"]) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert main(words) == 0
    assert main([*words, "--add"]) == 0
    assert "unchanged" in capsys.readouterr().out
    shutil.copytree(bags / "day_1", bags / "day_8")
    assert main([*words, "--add"]) == 2
    assert "the same recording as day_1" in capsys.readouterr().err
    shutil.rmtree(bags / "day_8")
    update_custom_data(bags / "day_1", {"note": "x" * 40})
    assert main([*words, "--add"]) == 2
    assert "is not the bag day_1 that" in capsys.readouterr().err
    write_robot_bag(bags / "day_7", replace(robot, seed=7))
    shutil.rmtree(bags / "day_1")
    assert main([*words, "--add", "--idle", "keep"]) == 2
    assert "converted with other options" in capsys.readouterr().err
    assert main([*words, "--add", "--shard", "0/2"]) == 2
    assert main([*words, "--add"]) == 0
    assert "1.1.0" in capsys.readouterr().out
    record = BagRecord.read(tmp_path / "cups/1.1.0")
    assert record.bags["day_7"].episodes
    assert len(record.bags) == 6 + 1


def test_ray_gives_the_same_bytes_and_shares_no_folder(six, options, tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="pip install 'evla_ros[ray]'")
    monkeypatch.setenv("RAY_DISABLE_IMPORT_WARNING", "1")
    report = convert([six], tmp_path / "ray", options, name="cups", engine=ray_cluster(None))
    assert report.complete
    convert([six], tmp_path / "one", options, name="cups")
    assert digest(tmp_path / "ray" / "cups") == digest(tmp_path / "one" / "cups")


def test_a_bag_that_kills_its_workers_is_quarantined(six, options, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray", reason="pip install 'evla_ros[ray]'")
    from evla_ros.data.convert import ray_engine

    real = ray_engine.convert_there

    def deadly(bag, options):
        if bag.name == "day_2":
            os._exit(1)
        return real(bag, options)

    monkeypatch.setattr(ray_engine, "convert_there", deadly)
    monkeypatch.setattr(ray_engine, "RETRIES", 1)
    del ray
    report = convert([six / "day_1", six / "day_2"], tmp_path, options, name="cups",
                     engine=ray_cluster(None))  # fmt: skip
    assert [result.status for result in report.results] == ["kept", "quarantined"]
    assert "every worker that converted it was lost (2 tries)" in report.results[1].reason
