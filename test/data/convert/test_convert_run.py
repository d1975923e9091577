# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whole runs: same bytes however they were made, resumed after a kill, honest about every bag."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from synthetic_bag import write_robot_bag

from evla_ros.cli.main import main
from evla_ros.data.convert.engines import make_engine, process_pool
from evla_ros.data.convert.run import convert
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.errors import EvlaError


def digest(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }


def test_bytes_do_not_depend_on_processes_order_or_place(bags, options, tmp_path):
    one = convert([bags], tmp_path / "one", options, name="set_a")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for bag in sorted(bags.iterdir(), reverse=True):
        shutil.copytree(bag, moved / bag.name)
    paths = sorted(moved.iterdir(), reverse=True)
    two = convert(paths, tmp_path / "two", options, name="set_a", engine=process_pool(2))
    assert digest(tmp_path / "one" / "set_a") == digest(tmp_path / "two" / "set_a")
    assert [r.status for r in one.results] == [r.status for r in two.results] == ["kept"] * 4


def test_dataset_reads_back_with_a_real_val_split(bags, options, tmp_path):
    report = convert([bags], tmp_path, options)
    data = RldsDataset.open(report.dataset)
    assert sum(report.splits.values()) == 4
    assert report.splits["val"] >= 1
    episode = next(iter(data.episodes("train")))
    assert episode.action.shape == (29, 7)
    assert episode.image("image_primary", 0).shape == (32, 32, 3)
    assert not list(tmp_path.glob(".*.staging"))
    assert (
        json.loads((tmp_path / "tabletop_arm_conversion.json").read_text())["counts"]["kept"] == 4
    )


def test_failed_episodes_get_a_dataset_of_their_own(bags, robot, options, tmp_path):
    bad = write_robot_bag(tmp_path / "bad", replace(robot, seed=9, outcome="failure"))
    report = convert([bags, bad], tmp_path / "out", options)
    assert sum(report.splits.values()) == 4
    failed = RldsDataset.open(report.failures)
    assert sum(1 for split in failed.splits for _ in failed.episodes(split)) == 1
    assert "_failures" in report.failures


def test_unusable_bags_are_reported_and_the_run_goes_on(bags, robot, options, tmp_path):
    folder = tmp_path / "mixed"
    shutil.copytree(bags, folder)
    shutil.copytree(bags / "episode_0", folder / "twin")
    odd = replace(robot, seed=7, camera_size=(24, 32))
    write_robot_bag(folder / "odd_size", odd)
    (folder / "garbage.mcap").write_bytes(b"\x89MCAP0\r\nnot really")
    corrupt = next((folder / "episode_3").glob("*.mcap"))
    raw = bytearray(corrupt.read_bytes())
    raw[len(raw) // 2] ^= 1
    corrupt.write_bytes(raw)
    report = convert([folder], tmp_path / "out", options)
    by_name = {r.bag.rsplit("/", 1)[-1]: r for r in report.results}
    assert {n: r.status for n, r in by_name.items()} == {
        "episode_0": "kept",
        "episode_1": "kept",
        "episode_2": "kept",
        "episode_3": "quarantined",
        "garbage.mcap": "quarantined",
        "odd_size": "dropped",
        "twin": "dropped",
    }
    assert "same recording as episode_0" in by_name["twin"].reason
    assert "32x24" in by_name["odd_size"].reason
    assert sum(report.splits.values()) == 3
    assert "kept 3 of 7 bags" in report.text()


def test_nothing_usable_is_an_error_with_the_reasons(robot, options, tmp_path):
    write_robot_bag(tmp_path / "bags" / "a", replace(robot, instruction=""))
    with pytest.raises(EvlaError, match=r"(?s)none of 1 bags.*language"):
        convert([tmp_path / "bags"], tmp_path / "out", options)


def test_second_run_changes_nothing_and_new_bags_raise_the_version(bags, robot, options, tmp_path):
    first = convert([bags], tmp_path, options)
    again = convert([bags], tmp_path, options)
    assert again.unchanged
    assert again.dataset == first.dataset
    more = write_robot_bag(tmp_path / "more", replace(robot, seed=11))
    third = convert([bags, more], tmp_path, options)
    assert third.version == "1.1.0"


def test_interrupted_run_resumes_without_converting_twice(bags, options, tmp_path):
    class StopError(Exception):
        pass

    def stop(done, total, result):
        if done == 2:
            raise StopError

    with pytest.raises(StopError):
        convert([bags], tmp_path / "out", options, progress=stop)
    seen = []
    report = convert([bags], tmp_path / "out", options, progress=lambda d, t, r: seen.append(r.bag))
    assert report.resumed == 2
    assert len(seen) == 2
    straight = convert([bags], tmp_path / "straight", options)
    assert digest(tmp_path / "out" / "tabletop_arm") == digest(
        tmp_path / "straight" / "tabletop_arm"
    )
    assert straight.resumed == 0


def test_killed_converter_resumes_to_the_same_bytes(robot, options, tmp_path, root):
    folder = tmp_path / "bags"
    for seed in range(8):
        write_robot_bag(folder / f"e{seed}", replace(robot, seed=seed, seconds=6.0))
    command = [sys.executable, "-m", "evla_ros", "convert", str(folder), "--jobs", "1"]
    command += ["--image-size", "32", "--idle", "keep", "--out"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen([*command, str(tmp_path / "out")], env=environment)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        lines = list((tmp_path / "out").glob(".*.staging/manifest.jsonl"))
        if lines and len(lines[0].read_text().split("\n\n")) >= 3:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out" / "tabletop_arm").exists()
    done = subprocess.run(
        [*command, str(tmp_path / "out"), "--json"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 1 <= json.loads(done.stdout)["resumed"] < 8
    convert([folder], tmp_path / "straight", options)
    assert digest(tmp_path / "out" / "tabletop_arm") == digest(
        tmp_path / "straight" / "tabletop_arm"
    )


def test_torn_manifest_line_is_converted_again(bags, options, tmp_path):
    convert([bags], tmp_path, options, keep_staging=True)
    manifest = next(tmp_path.glob(".*.staging/manifest.jsonl"))
    text = manifest.read_text()
    manifest.write_text(text[: len(text) - 100])
    report = convert([bags], tmp_path, options)
    assert report.resumed == 3
    assert report.unchanged


def test_mutated_bags_are_kept_whole_or_named(bags, options, tmp_path):
    """Every bag ends in the report with a status and, unless it is whole, a sentence."""
    folder = tmp_path / "bags"
    random = np.random.default_rng(3)
    for copy in range(25):
        target = folder / f"m{copy}"
        shutil.copytree(bags / "episode_0", target)
        file = next(target.glob("*.mcap" if copy % 4 else "metadata.yaml"))
        raw = bytearray(file.read_bytes())
        for _ in range(3):
            raw[random.integers(len(raw))] ^= 1 << random.integers(8)
        file.write_bytes(raw[: random.integers(len(raw) // 2, len(raw))] if copy % 3 == 0 else raw)
    shutil.copytree(bags / "episode_0", folder / "whole")
    report = convert([folder], tmp_path / "out", options)
    assert len(report.results) == 26
    whole = next(r for r in report.results if r.bag.endswith("whole"))
    for result in report.results:
        untouched = result.message_hash == whole.message_hash
        assert untouched or result.reason or result.damage, result


def test_command_line_prints_the_report_and_its_status(bags, tmp_path, capsys):
    arguments = ["convert", str(bags), "--out", str(tmp_path), "--image-size", "32", "--jobs", "1"]
    assert main(arguments) == 0
    assert "kept 4 of 4 bags" in capsys.readouterr().out
    assert main([*arguments, "--allow", "frozn"]) == 2
    assert "did you mean 'frozen'" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "no"), "--out", str(tmp_path)]) == 2
    assert main(["convert", str(bags), "--out", str(tmp_path), "--image-size", "8"]) == 2


def test_command_line_names_what_is_wrong_with_paths_and_bags(bags, tmp_path, capsys):
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    assert main(["convert", str(bags), "--out", str(occupied)]) == 2
    assert "cannot write into" in capsys.readouterr().err
    empty = shutil.copytree(bags / "episode_0", tmp_path / "empty" / "bag")
    for file in empty.glob("*.mcap"):
        file.write_bytes(b"")
    assert main(["convert", str(empty), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "quarantined" in error  # the robot is known from metadata.yaml
    assert "seems to be empty" in error


def test_bags_of_one_fault_share_a_line(bags, tmp_path, capsys):
    words = ["convert", str(bags), "--out", str(tmp_path), "--embodiment", "humanoid_upper_body"]
    assert main([*words, "--jobs", "1"]) == 2
    (line,) = [text for text in capsys.readouterr().err.splitlines() if "another embod" in text]
    assert "episode_0, episode_1, episode_2, episode_3: recorded with" in line


def test_ray_cluster_of_two_workers_gives_the_same_bytes(bags, options, tmp_path):
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'evla_ros[ray]'")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        convert([bags], tmp_path / "ray", options, engine=make_engine("ray", 2))
    finally:
        ray.shutdown()
    convert([bags], tmp_path / "here", options)
    assert digest(tmp_path / "ray" / "tabletop_arm") == digest(tmp_path / "here" / "tabletop_arm")
