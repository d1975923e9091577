# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags made to hurt cost themselves alone: each is named, and the others are converted."""

from __future__ import annotations

import json
import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bag_subjects import small_robot
from deadly_bag import convert_or_die
from made_files import make_no_file
from made_mcap import chunk, mcap, zeros
from sandbox import run
from subject import copied, evla
from synthetic_bag import write_robot_bag

from evla_ros.cli.main import main
from evla_ros.data.bags.encode import encode_compressed_image
from evla_ros.data.bags.reader import content_hash, find_bags
from evla_ros.data.bags.types import BagError
from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.data.convert.engines import process_pool
from evla_ros.data.convert.run import convert


def huge_png(stamp_ns: int) -> bytes:
    """Return a compressed image that says it has 900 million pixels."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    body = b"IHDR" + head
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return encode_compressed_image(stamp_ns, "wrist", png + bytes(100))


def test_a_picture_of_900_million_pixels_costs_its_bag_and_nothing_else(tmp_path, options):
    def spoil(event: Any) -> Any:
        compressed = event.topic.endswith("compressed")
        return event._replace(data=huge_png(event.stamp_ns)) if compressed else event

    path = write_robot_bag(tmp_path / "bag", small_robot(), spoil)
    result = convert_bag(path, options, tmp_path / "staging")
    assert result.status == "dropped"
    assert "EVLA_MAX_PIXELS" in result.reason
    assert not result.reason.startswith("unexpected")


def test_a_receive_time_a_century_away_makes_no_endless_grid(tmp_path, options):
    robot = small_robot()
    far = robot.start_ns + 3 * 10**18

    def spoil(event: Any) -> Any:
        last = event.topic.endswith("gripper/state") and event.stamp_ns > robot.start_ns + 1.5e9
        return event._replace(stamp_ns=far) if last else event

    path = write_robot_bag(tmp_path / "bag", robot, spoil)
    outcome = run(lambda: convert_bag(path, options, tmp_path / "s").to_json(), seconds=60)
    assert outcome.ending == "read", outcome.text
    assert not outcome.value["reason"].startswith("unexpected")


def test_loops_of_links_and_many_folders_are_looked_at_once(sound, tmp_path, monkeypatch):
    shutil.copytree(sound, tmp_path / "all" / "one")
    for name in ("a", "b"):
        (tmp_path / "all" / name).mkdir()
        (tmp_path / "all" / name / "up").symlink_to("..")
        (tmp_path / "all" / name / "side").symlink_to("../a")
    (tmp_path / "all" / "self").symlink_to("self")
    outcome = run(lambda: [str(p) for p in find_bags([tmp_path / "all"])], seconds=20)
    assert outcome.value == [str(tmp_path / "all" / "one")]
    monkeypatch.setenv("EVLA_MAX_FILES", "3")
    with pytest.raises(BagError, match=r"4 files, the limit is 3 \(set EVLA_MAX_FILES"):
        find_bags([tmp_path / "all"])


def test_a_name_that_is_not_utf8_is_converted_and_printed(sound, tmp_path, options, capsysbinary):
    name = os.fsdecode(b"episode_\xff\xfe")
    path = copied(sound, tmp_path / "all" / name)
    report = convert([path.parent], tmp_path / "out", replace(options, allow=()))
    assert [result.status for result in report.results] == ["kept"]
    assert "\\xff" in report.results[0].episode_ids[0]
    assert content_hash(path)
    code = main(["convert", str(path.parent), "--out", str(tmp_path / "b"), "--jobs", "1"])
    assert code in (0, 1)
    assert b"kept 1 of 1 bags" in capsysbinary.readouterr().out
    json.loads(next((tmp_path / "b").glob("*.json")).read_text())


def bad_bags(folder: Path, sound: Path, sqlite: Path) -> Iterator[str]:
    """Put bad bags of many kinds into a folder; yield the name of each."""
    for how in ("pipe", "loop", "memory"):
        make_no_file(folder / f"{how}.mcap", how)
        yield f"{how}.mcap"
    (folder / "dead.db3").symlink_to("nowhere")
    yield "dead.db3"
    (folder / "empty.mcap").write_bytes(b"")
    yield "empty.mcap"
    (folder / "chunk.mcap").write_bytes(mcap(chunk(zeros(1 << 29), 1 << 29)))
    yield "chunk.mcap"
    (folder / "no_database.db3").write_bytes(b"SQLite format 3\0" + bytes(5000))
    yield "no_database.db3"
    (folder / "folder").mkdir()
    (folder / "folder" / "metadata.yaml").write_text("version: " + "9" * 5000)
    yield "folder"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_conversion_goes_on_and_names_every_bad_bag(sound, sqlite, tmp_path, jobs, capsys):
    folder = tmp_path / "all"
    shutil.copytree(sound, folder / "good")
    names = list(bad_bags(folder, sound, sqlite))
    argv = ["convert", folder, "--out", tmp_path / "out", "--jobs", jobs, "--image-size", "32"]
    assert main([str(word) for word in argv]) == 1
    told = capsys.readouterr().out
    assert f"kept 1 of {len(names) + 1} bags" in told
    assert all(name in told for name in names)
    assert "unexpected" not in told
    report = json.loads((tmp_path / "out" / "tabletop_arm_conversion.json").read_text())
    reasons = {Path(bag["bag"]).name: bag for bag in report["bags"] if bag["status"] != "kept"}
    assert set(reasons) == set(names)
    assert {bag["status"] for bag in reasons.values()} == {"quarantined"}
    assert all("\n" not in bag["reason"] and bag["reason"] for bag in reasons.values())


def test_each_bad_bag_alone_is_one_sentence_and_an_exit_code(sound, sqlite, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    for name in bad_bags(folder, sound, sqlite):
        outcome = run(evla("inspect", folder / name), seconds=60)
        assert outcome.ending == "refused", (name, outcome)
        assert "\n" not in outcome.text


def test_a_bag_that_kills_its_process_is_quarantined_and_the_others_go_on(tmp_path, options):
    names = ["a", "deadly_1", "b", "c", "deadly_2", "d"]
    engine = process_pool(2, convert_or_die)
    results = {
        Path(r.bag).name: r for r in engine([tmp_path / n for n in names], options, tmp_path)
    }
    assert set(results) == set(names)
    killed = {name for name, result in results.items() if result.status == "quarantined"}
    assert killed == {"deadly_1", "deadly_2"}
    assert "kills the process" in results["deadly_1"].reason
