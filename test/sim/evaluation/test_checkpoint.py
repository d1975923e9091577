# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint folder (random weights) through the whole evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest
from eval_report import read_report

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from evla_ros.cli.main import main  # noqa: E402
from evla_ros.embodiment import load_embodiment  # noqa: E402
from evla_ros.model.checkpoint import save_checkpoint  # noqa: E402
from evla_ros.model.evla_model import EvlaModel  # noqa: E402
from evla_ros.model.normalization import DatasetStatistics  # noqa: E402
from evla_ros.model.presets import load_preset  # noqa: E402
from evla_ros.model.text_tokenizer import train_tokenizer  # noqa: E402
from evla_ros.sim.evaluation.record import Verdict  # noqa: E402

ROBOT = load_embodiment("tabletop_arm")


def statistics(size: int, high: float) -> dict[str, list[float] | list[bool]]:
    numbers = {"mean": 0.0, "std": high / 2, "min": -high, "max": high, "q01": -high, "q99": high}
    mask = [i % 7 != 6 for i in range(size)]
    return {**{k: [v] * size for k, v in numbers.items()}, "mask": mask}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = load_preset(
        "evla-nano",
        chunk=ROBOT.action.chunk,
        dim=7,
        cameras=["primary", "wrist"],
        proprio_dim=8,
    )
    tokenizer = train_tokenizer(["In: lift the red block?\nOut:"], 300)
    entry = {"action": statistics(7, 0.03), "proprio": statistics(8, 1.0)}
    folder = tmp_path_factory.mktemp("run") / "checkpoint"
    both = DatasetStatistics({"tabletop_arm": entry})
    return save_checkpoint(folder, EvlaModel(config).eval(), tokenizer, both, ROBOT.text)


def test_random_weights_move_the_arm_and_get_a_score(checkpoint: Path, tmp_path: Path) -> None:
    words = ["eval", "sim", "--policy", str(checkpoint), "--tasks", "lift", "--episodes", "1"]
    more = ["--max-seconds", "2", "--baselines", "none", "--threads", "1", "--image-size", "96"]
    assert main([*words, *more, "--out", str(tmp_path / "run")]) == 0
    (record,) = read_report(tmp_path / "run" / "report.json")[1]
    assert record.verdict is Verdict.FAILURE
    assert record.chunks >= 2
    assert record.goals > 20
    assert min(record.inference_ms) > 0


def test_another_robots_checkpoint_is_refused(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", "sim", "--policy", str(checkpoint), "--world", "humanoid_upper_body"]
    assert main([*words, "--out", str(tmp_path / "run")]) == 2
    assert "tabletop_arm" in capsys.readouterr().err
