# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets and checkpoints to a stand-in for the hub and back; nothing is sent unless named."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="pip install 'evla_ros[hub]'")

from hub_stand_in import TOKEN, HubStandIn
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.data.hub.client import HubError, check_licence, check_repo
from evla_ros.data.hub.datasets import dataset_card
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import load_embodiment

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def hub():
    running = HubStandIn()
    yield running
    running.close()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    robot = load_embodiment("tabletop_arm")
    root = tmp_path_factory.mktemp("sets")
    return write_synthetic(root, [synthetic_episode(i, robot) for i in range(3)], robot).path


@pytest.fixture
def evla(hub, tmp_path):
    """Run `evla`, which finds the stand-in as a user's finds the hub: by its environment."""

    def run(*words, token=TOKEN):
        environment = {
            **os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_TOKEN": token,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "evla_ros", *map(str, words)], capture_output=True, text=True,
            env=environment, cwd=tmp_path, timeout=120,
        )  # fmt: skip

    return run


def digest(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_dataset_goes_there_and_comes_back(hub, evla, dataset, tmp_path):
    sent = evla("dataset", "push", dataset.parent, "ann/cups", "--licence", "cc-by-4.0")
    assert sent.returncode == 0, sent.stderr
    assert f"{hub.endpoint}/datasets/ann/cups/commit/" in sent.stdout
    assert TOKEN not in sent.stdout + sent.stderr
    files = hub.repositories["dataset", "ann/cups"]
    assert hub.private["dataset", "ann/cups"] is True
    assert {name for name in files if name != "README.md"} == {
        f"1.0.0/{path.name}" for path in dataset.iterdir()
    }
    card = files["README.md"].decode()
    assert card.startswith("---\nlicense: cc-by-4.0\n")
    assert "Recorded on `tabletop_arm`" in card
    assert "arm_dx [m]" in card
    assert "put the block in bowl 1, très gently (1)" in card

    came = evla("dataset", "pull", "ann/cups", "datasets")
    assert came.returncode == 0, came.stderr
    assert digest(tmp_path / "datasets/my_robot/1.0.0") == digest(dataset)
    assert "next: evla dataset doctor" in came.stdout
    assert "unchanged, already there" in evla("dataset", "pull", "ann/cups", "datasets").stdout
    (tmp_path / "datasets/my_robot/1.0.0/README.md").write_text("mine")
    refused = evla("dataset", "pull", "ann/cups", "datasets")
    assert refused.returncode == 2
    assert "never overwritten" in refused.stderr
    assert sorted(p.name for p in (tmp_path / "datasets").iterdir()) == ["my_robot"]


def test_what_is_refused_before_anything_is_sent(hub, evla, dataset):
    asked = evla("dataset", "push", dataset, "ann/cups")
    assert asked.returncode == 2
    assert "under which licence may others use it? Give --licence" in asked.stderr
    odd = evla("dataset", "push", dataset, "cups", "--licence", "none")
    assert "is no repository: give OWNER/NAME" in odd.stderr
    alone = evla("export", "a", "b", "--licence", "mit")
    assert "have no effect without --push" in alone.stderr
    assert hub.asked == []


def test_answers_of_the_hub_become_sentences(hub, evla, dataset, tmp_path):
    words = ("dataset", "push", dataset, "ann/cups", "--licence", "none")
    refused = evla(*words, token="hf_wrong")
    assert refused.returncode == 2
    assert "dataset ann/cups cannot be written: the hub answered 401 (`hf auth login`" in (
        refused.stderr
    )
    assert "hf_wrong" not in refused.stdout + refused.stderr
    missing = evla("dataset", "pull", "ann/none", "datasets")
    assert missing.returncode == 2
    assert "dataset ann/none is not there, or you may not see it" in missing.stderr
    hub.repositories["dataset", "ann/empty"] = {"README.md": b"# nothing"}
    empty = evla("dataset", "pull", "ann/empty", "datasets")
    assert "holds neither an RLDS nor a LeRobot dataset" in empty.stderr
    assert not list((tmp_path / "datasets").iterdir())


def test_a_checkpoint_is_sent_when_that_is_asked(hub, evla, tmp_path):
    source = ROOT / "checkpoints" / "tabletop_arm"
    words = ("export", source, tmp_path / "copy", "--dtype", "bf16")
    sent = evla(*words, "--push", "ann/policy", "--licence", "apache-2.0")
    assert sent.returncode == 0, sent.stderr
    files = hub.repositories["model", "ann/policy"]
    assert "model.safetensors" in files
    assert "license: apache-2.0" in files["README.md"].decode()
    assert "Robot: `tabletop_arm`, 10 Hz" in files["README.md"].decode()


def test_a_card_without_robot_or_licence_says_so(dataset, tmp_path):
    data = RldsDataset.open(dataset)
    assert "No licence is given" in dataset_card(data, "")
    bare = tmp_path / "1.0.0"
    bare.mkdir()
    for path in dataset.iterdir():
        if path.name != "embodiment.yaml":
            (bare / path.name).write_bytes(path.read_bytes())
    assert "carries no embodiment file" in dataset_card(RldsDataset.open(bare), "mit")
    json.loads((bare / "features.json").read_text())


@pytest.mark.parametrize("repo", ["cups", "a/b/c", "../x", "a/..", "a b/c", "-a/b", ""])
def test_no_repository(repo):
    with pytest.raises(HubError, match="give OWNER/NAME"):
        check_repo(repo)


def test_licences():
    assert check_licence("cc-by-4.0") == "cc-by-4.0"
    assert check_licence("none") == ""
    for odd in ("CC BY", "a\nb"):
        with pytest.raises(HubError, match="identifier"):
            check_licence(odd)
