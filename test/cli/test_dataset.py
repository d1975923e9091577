# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset` and `evla inspect` on datasets: output, exit codes, and one-line errors."""

from __future__ import annotations

import json

import pytest
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.cli.main import main
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import load_embodiment

ARM = load_embodiment("tabletop_arm")


@pytest.fixture
def folder(tmp_path):
    episodes = [synthetic_episode(i, ARM, steps=20) for i in range(6)]
    return write_synthetic(tmp_path / "sets", episodes, ARM).path.parent


def test_doctor_is_content_with_a_healthy_dataset(folder, tmp_path, capsys):
    assert main(["dataset", "doctor", str(folder), "--plots", str(tmp_path / "plots")]) == 0
    out = capsys.readouterr().out
    assert "my_robot 1.0.0: 6 episodes, 0 errors, 0 warnings" in out
    assert (tmp_path / "plots" / "actions.png").exists()
    assert main(["dataset", "doctor", str(folder), "--plots", str(tmp_path / "plots")]) == 2


def test_doctor_exit_codes_for_ci(folder, tmp_path, capsys):
    silent = tmp_path / "silent"
    edit = ["dataset", "edit", str(folder), "--out", str(silent), "--instruction", ""]
    assert main(edit) == 0
    capsys.readouterr()
    assert main(["dataset", "doctor", str(silent / "my_robot"), "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["errors"] == 1
    assert content["findings"][0]["check"] == "language"
    short = write_synthetic(tmp_path / "short", [synthetic_episode(0, ARM, steps=20)], ARM)
    assert main(["dataset", "doctor", str(short.path)]) == 0
    assert main(["dataset", "doctor", str(short.path), "--strict"]) == 1


def test_edit_split_merge_and_stats(folder, tmp_path, capsys):
    sets = str(folder.parent)
    assert main(["dataset", "edit", str(folder), "--out", sets, "--drop", "val/0"]) == 0
    assert "my_robot/1.1.0" in capsys.readouterr().out
    assert main(["dataset", "split", str(folder), "--out", sets, "--name", "anew"]) == 0
    more = write_synthetic(
        tmp_path / "more", [synthetic_episode(i, ARM, steps=20) for i in (10, 11)], ARM
    )
    words = ["dataset", "merge", str(folder), str(more.path), "--out", sets, "--name", "both"]
    assert main(words) == 0
    assert sum(RldsDataset.open(folder.parent / "both").splits.values()) == 7
    capsys.readouterr()
    assert main(["dataset", "stats", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["my_robot"]["num_trajectories"] == 5
    assert main(["dataset", "stats", str(folder)]) == 0
    assert "arm_gripper" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["doctor", "{tmp}/absent"], "there is no folder"),
        (["doctr", "x"], "did you mean 'doctor'"),
        (["edit", "{set}", "--out", "{tmp}"], "nothing to edit"),
        (["edit", "{set}", "--out", "{tmp}", "--drop", "no"], "has no episode 'no'"),
        (["split", "{set}", "--out", "{tmp}", "--val", "2"], "must lie between 0 and 1"),
        (["merge", "{set}", "--out", "{tmp}", "--name", "My-Set"], "like 'my_set'"),
        (["edit", "{set}", "--out", "{tmp}", "--version", "1", "--drop", "val/0"], "three numbers"),
    ],
)
def test_mistakes_are_one_sentence(folder, tmp_path, capsys, words, sentence):
    words = [word.format(tmp=tmp_path, set=folder) for word in words]
    assert main(["dataset", *words]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_inspect_a_dataset(folder, tmp_path, capsys):
    sheet, video = tmp_path / "s.png", tmp_path / "v.mp4"
    words = ["inspect", str(folder), "--sheet", str(sheet), "--video", str(video), "--episodes"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "tabletop_arm" in out
    assert "32x24" in out
    assert "session/episode_003" in out
    assert sheet.stat().st_size > 1000
    assert video.stat().st_size > 1000
    assert main(words) == 2
    assert "exists and is not overwritten" in capsys.readouterr().err
    assert main(["inspect", str(folder), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["steps"] == 120
    assert len(content["episodes"]) == 6
    words = ["inspect", str(folder), "--episode", "val/9", "--video", str(tmp_path / "w.mp4")]
    assert main(words) == 2
    assert "there are train/0 .." in capsys.readouterr().err


def test_inspect_real_bridge_data(shared, tmp_path, capsys):
    path = shared / "data" / "bridge_dataset"
    assert main(["inspect", str(path), "--sheet", str(tmp_path / "b.png")]) == 0
    assert "put carrot on plate" in capsys.readouterr().out
    assert main(["dataset", "doctor", str(path), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [f["where"] for f in findings if f["severity"] == "error"] == ["image_3"]


def test_inspect_what_is_neither(tmp_path, capsys):
    assert main(["inspect", str(tmp_path)]) == 2
    assert "is neither a bag nor an RLDS dataset" in capsys.readouterr().err
    (tmp_path / "notes.txt").write_text("hello")
    assert main(["inspect", str(tmp_path / "notes.txt")]) == 2
    assert "is neither a bag nor an RLDS dataset" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "absent")]) == 2
    assert "there is no" in capsys.readouterr().err
