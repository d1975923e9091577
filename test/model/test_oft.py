# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs of OpenVLA-OFT become checkpoints that answer as the published code; or are refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from oft_run import as_adapters, folder_tensors, published_answer, write_run
from test_import import Payload
from tokenizers import Tokenizer

from evla_ros.cli.main import main
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.predictor import Predictor

# Published towers have 16 heads; so have these, of one channel each.
NAMES = ["--chunk", "3", "--cameras", "primary", "wrist", "--dtype", "fp32"]


def export(run: Path, out: Path, *more: str) -> int:
    """Run the command."""
    return main(["export", str(run), str(out), *more])


def frames(seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
    """Two pictures."""
    generator = np.random.default_rng(seed)
    return {
        name: generator.integers(0, 255, (24, 24, 3), np.uint8) for name in ("primary", "wrist")
    }


def compare(out: Path, weights: dict[str, torch.Tensor], run: Path, proprio: int) -> None:
    """The checkpoint's answer is what the published formulas give from the run's own files."""
    predictor = Predictor(out)
    state = np.linspace(-3, 3, proprio).astype(np.float32) if proprio else None
    batch = predictor.prepare(frames(), state, "Lift the Red block")
    assert batch.images is not None
    with torch.inference_mode():
        features = predictor.model.encode_images(batch.images)[0]  # the towers are tested apart
        scaled = None
        if state is not None:  # normalize_proprio: q01 is -1 ... -P, q99 1 ... P
            span = np.arange(1, proprio + 1)
            low = 2 * (state + span) / (2 * span + 1e-8) - 1
            scaled = torch.tensor(np.clip(low, -1, 1), dtype=torch.float32)
        ids = batch.input_ids[0]
        answer = published_answer(weights, run, features, ids, scaled, 3)
    assert ids[0] == 1
    assert ids[-1] == 29871
    actual = predictor.predict(frames(), state, "Lift the Red block")
    if answer.dim() == 3:  # tokens: argmax over the action ids, centres of 256 edges
        found = 32000 - (answer[..., 31744:32000].argmax(-1) + 31744)
        edges = np.linspace(-1, 1, 256)
        centres = (edges[:-1] + edges[1:]) / 2
        answer = torch.tensor(centres[np.clip(found.numpy() - 1, 0, 254)])
    span = np.arange(1, 8)  # of the action: 0.5 (y + 1) (q99 - q01) + q01, the gripper as it is
    expected = answer.double().numpy()
    expected[:, :6] *= span[:6]
    np.testing.assert_allclose(actual, expected, atol=2e-5 * 7)


def test_a_run_answers_as_the_published_code(
    tmp_path: Path, tokenizer: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", tokenizer)
    assert export(run, tmp_path / "out", *NAMES) == 0
    said = capsys.readouterr().out
    assert "3 x 7 numbers by its l1 head, proprioception of 8, cameras primary, wrist" in said
    assert "normalization q99, crop center" in said
    config = load_checkpoint(tmp_path / "out").config
    assert (config.action.mask, config.action.readout, config.action.end_ids) == (
        "full",
        "previous",
        (2,),
    )
    assert config.image.center_crop
    compare(tmp_path / "out", folder_tensors(run), run, 8)


def test_a_run_without_proprioception_and_one_of_tokens(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    run = write_run(tmp_path / "a", tokenizer, proprio=0, ddp=False)
    assert export(run, tmp_path / "out", *NAMES, "--crop", "none") == 0
    assert not load_checkpoint(tmp_path / "out").config.image.center_crop
    compare(tmp_path / "out", folder_tensors(run), run, 0)
    run = write_run(tmp_path / "b", tokenizer, head=False)
    assert export(run, tmp_path / "tokens", *NAMES) == 0
    assert load_checkpoint(tmp_path / "tokens").config.action.heads == ("tokens",)
    compare(tmp_path / "tokens", folder_tensors(run), run, 8)


def test_adapters_are_merged_into_their_base(
    tmp_path: Path, tokenizer: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    run, base = write_run(tmp_path / "run", tokenizer), tmp_path / "base"
    weights = as_adapters(run, base)
    assert export(run, tmp_path / "out", *NAMES) == 2
    assert "config.json" in capsys.readouterr().err
    shutil.copy(base / "config.json", run)
    assert export(run, tmp_path / "out", *NAMES) == 2
    assert "holds a lora_adapter alone" in capsys.readouterr().err
    assert export(run, tmp_path / "out", *NAMES, "--base", str(base)) == 0
    compare(tmp_path / "out", weights, run, 8)
    settings = run / "lora_adapter" / "adapter_config.json"
    for change, sentence in (
        ({"use_dora": True}, "use_dora True is not supported"),
        ({"modules_to_save": ["head"]}, r"modules_to_save \['head'\]"),
        ({"peft_type": "IA3"}, "peft_type 'IA3' is not supported"),
        ({"r": 0}, "r 0 and lora_alpha 16"),
    ):
        plain = {"peft_type": "LORA", "r": 4, "lora_alpha": 16}
        settings.write_text(json.dumps({**plain, **change}))
        assert export(run, tmp_path / "no", *NAMES, "--base", str(base)) == 2
        assert re.search(sentence, capsys.readouterr().err)


def test_fourteen_numbers_are_scaled_by_their_extremes(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    run = write_run(tmp_path / "run", tokenizer, dim=14, proprio=14)
    assert export(run, tmp_path / "out", *NAMES) == 0
    assert load_checkpoint(tmp_path / "out").config.action.normalization == "min_max"
    assert export(run, tmp_path / "q", *NAMES, "--normalization", "q99") == 0
    assert load_checkpoint(tmp_path / "q").config.action.normalization == "q99"


def test_what_the_folder_does_not_say_is_asked_for(
    tmp_path: Path, tokenizer: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", tokenizer)
    for options in ([], ["--chunk", "8"], ["--cameras", "primary"]):
        assert export(run, tmp_path / "out", *options) == 2
        said = capsys.readouterr().err
        assert "give --chunk N and --cameras NAME" in said
        assert "a chunk of 8 and two cameras" in said
    assert export(run, tmp_path / "out", *NAMES, "--base", str(run)) == 2
    assert "--base has no effect" in capsys.readouterr().err
    for file in run.glob("*_checkpoint.pt"):
        file.unlink()
    assert export(run, tmp_path / "out", "--chunk", "8") == 2
    assert "--chunk has no effect" in capsys.readouterr().err
    assert export(run, tmp_path / "out", "--crop", "center") == 0  # plain OpenVLA
    assert load_checkpoint(tmp_path / "out").config.image.center_crop


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("vision_backbone--5_checkpoint.pt", {}, "vision towers with FiLM of OpenVLA-OFT"),
        ("noisy_action_projector--5_checkpoint.pt", {}, "the input of a diffusion head"),
        (
            "action_head--150000_checkpoint.pt",
            {"noise_predictor.mlp_resnet.fc1.weight": torch.zeros(1)},
            "is a diffusion head of OpenVLA-OFT",
        ),
        ("action_head--150000_checkpoint.pt", {"a.b": torch.zeros(1)}, "unknown tensor 'a.b'"),
        ("action_head--150000_checkpoint.pt", {}, "lacks the weight of"),
        ("action_head--150000_checkpoint.pt", {"x": Payload()}, "refused: the file holds more"),
        ("action_head--200000_checkpoint.pt", {}, "several of action_head"),
    ],
)
def test_other_parts_are_refused_by_name(
    tmp_path: Path,
    tokenizer: Tokenizer,
    name: str,
    content: dict[str, Any],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = write_run(tmp_path / "run", tokenizer)
    torch.save(content, run / name)
    assert export(run, tmp_path / "out", *NAMES) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_parts_that_do_not_fit_each_other(
    tmp_path: Path, tokenizer: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", tokenizer)
    other = write_run(tmp_path / "other", tokenizer, proprio=7)
    shutil.copy(other / "dataset_statistics.json", run)
    assert export(run, tmp_path / "out", *NAMES) == 2
    assert "libero.proprio have 7 numbers, its proprio_projector 8" in capsys.readouterr().err
