# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train metaworld` from nothing to a score at a toy size, and on from where it stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("metaworld", reason="Meta-World is not installed")
pytest.importorskip("torch", reason="PyTorch is not installed")

from evla_ros.cli.main import main
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.recipes import stages
from evla_ros.recipes.metaworld import stages_of
from evla_ros.recipes.metaworld_settings import MetaWorldRecipe
from evla_ros.shared_files import training_config
from evla_ros.sim.errors import SimError
from evla_ros.sim.gl_backend import choose_backend

TOY = [
    "--tasks", "handle-press-v3", "--demonstrations", "2", "--vision-steps", "1", "--steps", "1",
    "--score-episodes", "1", "--score-steps", "6", "--processes", "1",
]  # fmt: skip


@pytest.fixture
def in_this_process(monkeypatch):
    """Let the stages run here: five interpreters that load torch take longer than the work."""
    try:
        choose_backend()
    except SimError as error:
        pytest.skip(str(error))
    ran = []

    def run_jobs(jobs, folder, name, poll=None):
        ran.append(name)
        for job in jobs:
            job.function(job.argument)
        return [0] * len(jobs)

    monkeypatch.setattr(stages, "run_jobs", run_jobs)
    return ran


def test_it_goes_from_nothing_to_a_score_and_on_from_where_it_stopped(
    tmp_path, in_this_process, capsys, one_thread
):
    folder = tmp_path / "recipe"
    text = training_config("nano_metaworld").read_text()
    small = tmp_path / "small.yaml"
    small.write_text(
        text.replace("batch: 32", "batch: 2").replace("precision: auto", "precision: fp32")
    )
    words = ["train", "metaworld", str(folder), "--config", str(small), *TOY]
    assert main(words) == 0
    assert in_this_process == ["collect", "vision", "finetune", "score"]
    said = capsys.readouterr()
    checkpoint = said.out.splitlines()[-1]
    assert said.err.splitlines()[-1].startswith("next: evla eval metaworld --policy ")
    assert checkpoint.startswith(str(folder / "run"))
    config = load_checkpoint(checkpoint).model.config
    assert (config.action.chunk, config.action.dim, config.name) == (8, 7, "evla-nano-siglip")
    report = json.loads((folder / "score" / "report.json").read_text())
    assert {e["policy"] for e in report["episodes"]} == {checkpoint, "expert"}
    own = next(e for e in report["episodes"] if e["policy"] == checkpoint)
    assert (own["seed"], own["goals"], own["chunks"]) == (1000, 6, 2)
    in_this_process.clear()
    shutil.rmtree(folder / "score")
    assert main(words) == 0
    assert in_this_process == ["score"]
    in_this_process.clear()
    capsys.readouterr()
    rounds = ["--rounds", "1", "--round-episodes", "1", "--round-steps", "2"]
    assert main([*words, *rounds]) == 0
    assert in_this_process == ["visit_1", "refine_1", "score"]
    refined = capsys.readouterr().out.splitlines()[-1]
    assert refined.startswith(str(folder / "round_1"))
    settings = json.loads((folder / "round_1" / "train.json").read_text())
    assert settings["model"]["start"] == checkpoint
    assert [Path(d["path"]).name for d in settings["datasets"]] == [
        "metaworld_demos",
        "metaworld_round_1",
    ]


def test_stages_of_size_nothing_are_left_out(tmp_path):
    recipe = MetaWorldRecipe(tmp_path, vision_steps=0, score_episodes=0)
    assert [stage.name for stage in stages_of(recipe)] == ["collect", "finetune"]
    (job,) = stages_of(recipe)[0].jobs()
    collected = job.argument.job
    assert collected.episodes == 2500
    assert collected.settings.relabels == 0
    assert [collected.family(s) for s in (1_000_000, 1_000_049, 1_000_050)] == [
        "button-press-v3", "button-press-v3", "button-press-topdown-v3",
    ]  # fmt: skip


def test_a_wrong_task_and_a_folder_that_is_a_file_are_named(tmp_path, capsys):
    assert main(["train", "metaworld", str(tmp_path / "x"), "--tasks", "raech"]) == 2
    assert "did you mean 'reach-v3'" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["train", "metaworld", str(tmp_path / "file" / "x")]) == 2
    assert "cannot make the folder" in capsys.readouterr().err
