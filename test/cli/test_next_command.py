# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A command ends with the one that comes next, and that one can be typed as it stands."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from synthetic_bag import SyntheticRobot, write_robot_bag
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.cli.main import COMMANDS, main
from evla_ros.cli.next_command import say_next
from evla_ros.embodiment import load_embodiment

ARM = load_embodiment("tabletop_arm")


def next_of(capsys, stream="out"):
    """Return the words of the command that the last line names; it is one that there is."""
    last = getattr(capsys.readouterr(), stream).splitlines()[-1]
    assert last.startswith("next: evla ")
    words = shlex.split(last.removeprefix("next: "))
    assert words[1] in COMMANDS.available()
    return words[1:]


def test_a_path_with_a_space_is_quoted(capsys):
    say_next("evla", "inspect", "my bag")
    assert next_of(capsys) == ["inspect", "my bag"]


def test_from_a_bag_to_training_each_command_names_the_next(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_robot_bag(tmp_path / "recordings" / "a bag", SyntheticRobot(ARM))
    assert main(["inspect", "recordings/a bag", "--embodiment", "tabletop_arm"]) == 0
    words = next_of(capsys)
    assert words[:2] == ["convert", "recordings/a bag"]
    assert main([*words, "--jobs", "1"]) == 0
    words = next_of(capsys)
    assert words[:2] == ["dataset", "doctor"]
    folder = words[2]
    main(words)
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("next: ")
    assert main(["inspect", folder]) == 0
    assert next_of(capsys) == ["dataset", "doctor", folder]


def test_a_changed_copy_of_a_dataset_is_to_be_examined(tmp_path, capsys):
    episodes = [synthetic_episode(i, ARM, steps=20) for i in range(6)]
    first = str(write_synthetic(tmp_path / "sets", episodes, ARM).path.parent)
    episodes = [synthetic_episode(i, ARM, steps=20) for i in (10, 11)]
    second = str(write_synthetic(tmp_path / "more", episodes, ARM).path)
    out = ["--out", str(tmp_path / "copies")]
    for words, name in (
        (["edit", first, "--drop", "val/0"], "my_robot"),
        (["split", first, "--name", "anew"], "anew"),
        (["merge", first, second, "--name", "both"], "both"),
    ):
        assert main(["dataset", *words, *out]) == 0
        assert next_of(capsys) == ["dataset", "doctor", str(tmp_path / "copies" / name / "1.0.0")]


RESULTS = [
    {"checkpoint": "a/best", "sim": {"all": {"rate": 0.5}}, "offline": {"l1": {"x": 0.2}}},
    {"checkpoint": "b/best", "sim": {"all": {"rate": 0.5}}, "offline": {"l1": {"x": 0.1}}},
    {"checkpoint": "c/best", "sim": {"all": {"rate": 0.4}}, "offline": {"l1": {"x": 0.0}}},
]


@pytest.mark.parametrize(
    ("words", "work", "answer", "following"),
    [
        (
            ["collect", "data/set"],
            "work.collect",
            "data/set/1.0.0",
            "dataset doctor data/set/1.0.0",
        ),
        (
            ["vision", "out", "--dataset", "data/set"],
            "work.pretrain_encoders",
            "out/vision.safetensors",
            "train finetune --dataset data/set model.vision=out/vision.safetensors",
        ),
        (
            ["captions", "out"],
            "simulated_data.captions.write_captions",
            Path("out/captions.json"),
            "train pretrain --data out/captions.json",
        ),
        (
            ["metaworld", "out", "--tasks", "reach-v3"],
            "metaworld.make",
            Path("run/best"),
            "eval metaworld --policy run/best --tasks reach-v3 --videos",
        ),
        (["nano", "out"], "nano.make", Path("run/best"), "eval sim --policy run/best"),
        (
            ["adapt", "out", "--start", "nano", "--world", "tabletop_arm"],
            "adaptation.adapt",
            RESULTS,
            "eval sim --policy b/best --world tabletop_arm --videos",
        ),
    ],
)
def test_a_recipe_names_the_next_beside_what_it_prints(
    words, work, answer, following, monkeypatch, capsys
):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("mujoco", reason="the simulator is not installed")
    monkeypatch.setattr(f"evla_ros.recipes.{work}", lambda *_: answer)
    monkeypatch.setattr("evla_ros.recipes.adaptation_report.write", lambda *_: "the table")
    assert main(["train", *words]) == 0
    assert next_of(capsys, "err") == following.split()


@pytest.mark.parametrize(
    ("world", "following"),
    [
        (["--world", "tabletop_arm"], "eval sim --policy b/best --world tabletop_arm"),
        ([], "run policy --set checkpoint=b/best shadow=true"),
    ],
)
def test_a_comparison_goes_on_with_what_scored_best(world, following, monkeypatch, capsys):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from evla_ros.recipes.comparison import Comparison
    from evla_ros.recipes.trials import best_of

    found = Comparison("the table", best_of(RESULTS)["checkpoint"])
    monkeypatch.setattr("evla_ros.recipes.comparison.compare", lambda _: found)
    assert main(["train", "compare", "config.yaml", "out", "--steps", "1", *world]) == 0
    assert next_of(capsys, "err") == following.split()


def test_json_stays_json(tmp_path, capsys):
    write_robot_bag(tmp_path / "bag", SyntheticRobot(ARM))
    assert main(["inspect", str(tmp_path / "bag"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_a_recording_in_simulation_is_to_be_converted(tmp_path, capsys):
    pytest.importorskip("mujoco", reason="the simulator is not installed")
    out = str(tmp_path / "recordings")
    words = ["--world", "tabletop_arm", "--episodes", "1", "--image-size", "32", "--jobs", "1"]
    assert main(["record", "--out", out, *words]) == 0
    assert next_of(capsys) == ["convert", out, "--out", "datasets"]
