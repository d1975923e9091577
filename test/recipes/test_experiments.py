# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The experiments at toy size: every run trained, scored and written; a second call only reads."""

from __future__ import annotations

import dataclasses
import json

import pytest
import yaml
from small_training import CHUNK, small_robot

from evla_ros.cli.main import main
from evla_ros.recipes.adaptation_report import table as adaptation_table
from evla_ros.recipes.adaptation_settings import Adaptation
from evla_ros.recipes.trials import _add_cost

MODES = ("joint", "autoregressive", "other")
WORLD = ["--world", "tabletop_arm", "--tasks", "reach", "--episodes", "1"]


@pytest.fixture
def config(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


@pytest.mark.timeout(900)
def test_both_decodings_are_compared_at_one_budget(config, tmp_path, capsys):
    pytest.importorskip("mujoco", reason="closed-loop success needs MuJoCo")
    folder, robot = tmp_path / "compare", tmp_path / "robot.yaml"
    robot.write_text(small_robot().text.replace(f"chunk: {CHUNK}", "chunk: 2"))
    words = ["train", "compare", str(config), str(folder), "--seeds", "1", "--steps", "2"]
    words += ["--frames", "2", *WORLD, "optimizer.batch=2", f"embodiment={robot}"]
    words += ["--parallel", "2", "--device", "cpu"]
    assert main(words) == 0
    said = capsys.readouterr()
    lines = said.out.strip().splitlines()
    assert [line.split("|")[1].split()[0] for line in lines[2:]] == ["joint", "autoregressive"]
    assert said.err.splitlines()[-1].startswith(f"next: evla eval sim --policy {folder}/")
    content = json.loads((folder / "comparison.json").read_text())
    for result in content["results"]:
        assert result["steps"] == 2
        assert result["sim"]["all"]["trials"] == 1
        assert 0 <= result["offline"]["token_accuracy"] <= 1
        assert result["train"]["cpu_s"] > 0
        made = json.loads((folder / result["name"] / "run" / "train.json").read_text())
        assert made["model"]["action"]["decode"] == result["mode"]
        assert made["model"]["action"]["heads"] == ["tokens"]
    one, two = (r["offline"]["inference_ms"] for r in content["results"])
    assert two > one  # 14 forwards against one
    assert (folder / "curves.png").stat().st_size > 5000
    before = (folder / "joint-0" / "result.json").stat().st_mtime_ns
    assert main(words) == 0
    assert (folder / "joint-0" / "result.json").stat().st_mtime_ns == before


@pytest.mark.timeout(300)
def test_a_budget_in_minutes_is_turned_into_steps_by_measuring(config):
    from evla_ros.recipes.comparison import steps_for
    from evla_ros.recipes.comparison_settings import Compared
    from evla_ros.training.errors import TrainingError

    asked = Compared(config, config.parent / "x", ("optimizer.batch=2",), minutes=0.5)
    steps = steps_for(asked)
    assert steps["joint"] > 1
    assert steps["autoregressive"] > 1
    with pytest.raises(TrainingError, match="less than one step"):
        steps_for(dataclasses.replace(asked, minutes=1e-9))


def test_a_baseline_is_trained_as_its_configuration_says(config, tmp_path):
    from evla_ros.recipes.comparison import trials_of
    from evla_ros.recipes.comparison_settings import Compared
    from evla_ros.training.errors import TrainingError

    data = yaml.safe_load(config.read_text())
    data["optimizer"] = {"epochs": 2, "batch": 2}
    data["model"]["action"] = {"mask": "isolated"}
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(data))
    asked = Compared(config, tmp_path / "x", seeds=1, steps=5, baseline=other)
    trials = {t.metadata["mode"]: t.config for t in trials_of(asked, dict.fromkeys(MODES, 5))}
    assert list(trials) == list(MODES)
    assert all(found.optimizer.steps == 5 for found in trials.values())
    assert all(found.optimizer.epochs == 0 for found in trials.values())
    assert trials["other"].model.action.mask == "isolated"
    assert trials["other"].model.action.heads is None
    wrong = dataclasses.replace(asked, baseline=tmp_path / "joint.yaml")
    with pytest.raises(TrainingError, match="a mode has that name"):
        trials_of(wrong, dict.fromkeys(MODES, 5))


def test_runs_side_by_side_share_the_gpus(monkeypatch):
    from evla_ros.recipes.gpus import visible_gpus
    from evla_ros.training.errors import TrainingError

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert visible_gpus(2, 2) == [{}, {}]
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    assert [e["CUDA_VISIBLE_DEVICES"] for e in visible_gpus(2, 2)] == ["0,1", "2,3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    assert [e["CUDA_VISIBLE_DEVICES"] for e in visible_gpus(1, 3)] == ["4", "5", "6"]
    with pytest.raises(TrainingError, match="takes 6 GPUs; there are 4"):
        visible_gpus(2, 3)


def test_a_comparison_needs_one_budget(config, tmp_path, capsys):
    words = ["train", "compare", str(config), str(tmp_path / "x")]
    assert main(words) == 2
    assert main([*words, "--steps", "2", "--minutes", "1"]) == 2
    assert capsys.readouterr().err.count("give a budget") == 2


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "how",
    [["--relabels", "0"], ["--corrected", "1", "--corrected-steps", "2"]],
    ids=["bags", "corrected"],
)
def test_another_robot_from_few_demonstrations(settings, tmp_path, capsys, monkeypatch, how):
    pytest.importorskip("mujoco", reason="demonstrations need MuJoCo")
    from evla_ros.training.config_file import parse_config
    from evla_ros.training.train import train

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    start = {**settings, "output": str(tmp_path / "start"), "optimizer": {"steps": 1, "batch": 2}}
    checkpoint = train(parse_config(start, "test")) / "last"
    file, folder = tmp_path / "humanoid.yaml", tmp_path / "humanoid"
    data = {"output": "x", "datasets": [{"path": "x"}], "embodiment": "humanoid_upper_body"}
    data["model"] = {**settings["model"], "chunk": 0, "cameras": ["primary", "left_wrist"]}
    data["optimizer"] = {"steps": 1, "batch": 2}
    data["loss"] = {"grounding": 0.5}
    file.write_text(yaml.safe_dump(data))
    words = ["train", "adapt", str(folder), "--start", str(checkpoint), "--config", str(file)]
    words += ["--tasks", "lift", "--demonstrations", "3", "--episodes", "1", *how]
    assert main([*words, "--processes", "1"]) == 0
    content = json.loads((folder / "adaptation.json").read_text())
    runs = [(r["start"], r["demonstrations"], r["corrected"]) for r in content["results"]]
    rounds = (0, 1) if "--corrected" in how else (0,)
    assert runs == [(name, 3, n) for n in rounds for name in ("fine-tuned", "from scratch")]
    for result in content["results"]:
        assert result["sim"]["all"]["trials"] == 1
        statistics = json.loads(
            (folder / result["name"] / "run/last/dataset_statistics.json").read_text()
        )
        assert len(next(iter(statistics.values()))["action"]["q01"]) == 14
        assert len(statistics) == 1
        made = json.loads((folder / result["name"] / "run" / "train.json").read_text())
        assert len(made["datasets"]) == result["corrected"] + 1
        assert made["optimizer"]["steps"] == result["corrected"] + 1
    info = json.loads(
        next((folder / "data/humanoid_upper_body_3").glob("*/dataset_info.json")).read_text()
    )
    assert sum(int(n) for split in info["splits"] for n in split["shardLengths"]) == 3
    assert capsys.readouterr().out.strip().endswith("|")
    assert (folder / "success.png").stat().st_size > 3000


def test_a_comparison_needs_something_held_out(config, tmp_path, capsys):
    words = ["train", "compare", str(config), str(tmp_path / "x"), "--steps", "2"]
    assert main([*words, "datasets.0.val_split=nothing"]) == 2
    assert "evla dataset split" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_table_names_what_has_no_score():
    scores = {"lift": {"rate": None, "trials": 0, "wilson_95": None}}
    result = {"start": "x", "demonstrations": 5, "corrected": 0, "sim": scores}
    result["train"] = {"cpu_s": 90.0}
    assert adaptation_table([result], ["lift"]).splitlines()[-1] == "| x | 5 | 0 | - | - | 2 min |"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tasks", "lift_try"], "did you mean 'lift_tray'"),
        (["--demonstrations", "0"], "--demonstrations 0: at least 1"),
        (["--demonstrations", "1", "--tasks", "lift"], "--demonstrations 1 of one task: nothing"),
        (["--relabels", "-1"], "--relabels -1: at least 0"),
        (["--corrected-steps", "0"], "--corrected-steps 0: at least 1"),
        (["--start", "nowhere"], "no such checkpoint folder"),
        (["--from-scratch", "none"], "nothing to train; name a checkpoint with --start"),
    ],
)
def test_mistakes_in_an_adaptation_are_named(tmp_path, capsys, words, message):
    assert main(["train", "adapt", str(tmp_path / "x"), *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("which", "fresh"), [("all", [1, 2]), ("largest", [2]), ("none", [])])
def test_fresh_networks_learn_from_the_datasets_that_are_asked_for(tmp_path, which, fresh):
    plan = Adaptation(
        tmp_path,
        tasks=("lift",),
        demonstrations=(1, 2),
        start="start",
        from_scratch=which,
    )
    moved = [("fine-tuned", "start", 1), ("fine-tuned", "start", 2)]
    assert plan.networks == [*moved, *(("from scratch", "", count) for count in fresh)]


def test_a_training_that_was_stopped_keeps_what_it_cost(tmp_path):
    file = tmp_path / "trial" / "cost.json"
    _add_cost(file, {"wall_s": 2.0, "cpu_s": 3.0})
    assert _add_cost(file, {"wall_s": 1.0, "cpu_s": 0.5}) == {"wall_s": 3.0, "cpu_s": 3.5}
