# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench model` through the command line: stable names, counted floors, clear errors."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_model import random_batch, tiny_config, tiny_model
from tokenizers import Tokenizer

from evla_ros.bench import roofline
from evla_ros.bench.model_work import count_flops, required_images
from evla_ros.bench.openvino_stepwise import OpenVinoStepwise
from evla_ros.cli.main import main
from evla_ros.model.checkpoint import read_parts, save_checkpoint
from evla_ros.model.decode_autoregressive import decode_stepwise
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.presets import load_preset
from evla_ros.model.runtimes.embedding_rows import TABLE

QUICK = ["--preset", "evla-nano", "--threads", "1", "--repeat", "2", "--seconds", "0.1"]


def test_rows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(roofline, "SECONDS", 0.05)
    monkeypatch.setattr(roofline, "COPY_BYTES", 1 << 22)
    words = ["bench", "model", "--json", *QUICK, "--actions", "1x7", "--dtypes", "fp32", "int8"]
    assert main(words) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    names = {row["name"] for row in rows}
    assert {
        "model.roofline.matmul", "model.stage.dinov2", "model.stage.siglip", "model.llm.joint",
        "model.llm.autoregressive", "model.llm.joint_speedup", "model.step.joint",
        "model.memory.resident_peak",
    } <= names  # fmt: skip
    assert all(row["value"] > 0 for row in rows)
    steps = [row for row in rows if row["name"] == "model.step.joint"]
    assert [row["context"]["dtype"] for row in steps] == ["fp32", "int8"]


def test_chosen_rows_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(roofline, "SECONDS", 0.01)
    monkeypatch.setattr(roofline, "COPY_BYTES", 1 << 22)
    words = [
        "--json",
        *QUICK,
        "--actions",
        "1x7",
        "--dtypes",
        "fp32",
        "--only",
        "llm",
        "step.joint",
    ]
    words += ["--clock", "cpu"]
    assert main(["bench", "model", *words]) == 0
    names = {row["name"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert {name for name in names if name.startswith(("model.stage", "model.step"))} == {
        "model.step.joint"
    }
    assert {"model.llm.joint", "model.llm.autoregressive", "model.llm.joint_speedup"} <= names


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--actions", "8by7"], "'8by7' is not CHUNKxDIM"),
        (["--dtypes", "fp4"], "--dtypes 'fp4': valid names: fp32, bf16, fp16, int8"),
        (["--only", "step.jiont"], "did you mean 'step.joint'"),
        (["--threads", "2", "--clock", "cpu"], "measures one thread"),
        (["--preset", "evla-nan"], "did you mean 'evla-nano'"),
    ],
)
def test_bad_options(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(roofline, "SECONDS", 0.01)
    assert main(["bench", "model", *QUICK, *words]) == 2
    assert message in capsys.readouterr().err


def test_counted_work_is_the_published_arithmetic() -> None:
    """About 0.158, 0.211 and 0.210 TFLOP for towers and decoder at 284 positions."""
    counts = count_flops(load_preset("evla-1b", chunk=1), text_length=21)
    assert counts["dinov2"] / 1e12 == pytest.approx(0.158, abs=0.001)
    assert counts["siglip"] / 1e12 == pytest.approx(0.211, abs=0.001)
    assert counts["llm"] / 1e12 == pytest.approx(0.210, abs=0.001)


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_a_runtime_beside_torch_in_one_run(
    runtime: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if importlib.util.find_spec({"openvino": "openvino", "onnx": "onnxruntime"}[runtime]) is None:
        pytest.skip(f"{runtime} is not installed: pip install 'evla_ros[{runtime}]'")
    monkeypatch.setattr(roofline, "SECONDS", 0.01)
    monkeypatch.setattr(roofline, "COPY_BYTES", 1 << 22)
    words = ["bench", "model", *QUICK, "--actions", "1x7", "--dtypes", "fp32", "--only", "step"]
    words += ["--no-autoregressive", "--runtimes", "torch", runtime]
    assert main([*words, "--markdown"]) == 0
    head, _, *lines = capsys.readouterr().out.splitlines()
    assert "min [ms] | p50 [ms] | p90 [ms] | floor [ms]" in head
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[2:6] for row in cells] == [
        ["joint", "torch", "fp32", "1"],
        ["joint", runtime, "fp32", "1"],
    ]
    assert all(float(row[6]) > 0 and float(row[9]) > 0 for row in cells)


def test_openvino_decodes_stepwise_as_torch_does(
    tmp_path: Path, tokenizer: Tokenizer, statistics: DatasetStatistics
) -> None:
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("openvino is not installed: pip install 'evla_ros[openvino]'")
    config = tiny_config(chunk=4)
    model = tiny_model(config)
    for name, weights in model.named_parameters():
        if "layers" in name and weights.dim() > 1:  # a token that goes in changes the next one
            weights.data.mul_(3)
    parts = read_parts(save_checkpoint(tmp_path / "run", model, tokenizer, statistics))
    table = tmp_path / "table.safetensors"
    save_file({TABLE: model.language_model.body.embed_tokens.weight.detach()}, table)
    batch = random_batch(config, [6])
    with torch.no_grad():
        pictures = required_images(batch).flatten(0, 1).float() / 255
        features = [backbone(pictures).numpy() for backbone in model.backbones]
    ours = OpenVinoStepwise(parts, features, batch, table, "fp32", threads=1)
    expected = decode_stepwise(model, batch, "causal")[0].tolist()
    assert len(set(expected)) > 10
    assert ours.decode(features).tolist() == expected
    assert ours.decode(features).tolist() == expected


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--runtimes", "onnx", "--dtypes", "bf16"], "it computes in fp32, int8, not in bf16"),
        (["--runtimes", "openvino", "--clock", "cpu", "--threads", "1"], "by the wall clock"),
        (["--runtimes", "onyx"], "onnx"),
    ],
)
def test_what_a_runtime_cannot_do_is_refused_at_once(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "model", "--preset", "evla-nano", *words]) == 2
    assert sentence in capsys.readouterr().err
