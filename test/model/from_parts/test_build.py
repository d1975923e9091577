# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla build` from tiny parts on the disk to a checkpoint that loads and acts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from parts import PATCH, SIDE, write_decoder, write_dino, write_siglip
from published_layout import native_modules
from safetensors.torch import save_file
from tiny_model import MEAN, STD, random_batch
from tokenizers import Tokenizer

from evla_ros.cli.main import main
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.config import parse_config
from evla_ros.model.decode import decode
from evla_ros.model.from_parts.action_rows import highest_id
from evla_ros.model.text_tokenizer import train_tokenizer

TABLE = "language_model.body.embed_tokens.weight"


@pytest.fixture
def folder(tmp_path: Path, tokenizer: Tokenizer) -> Path:
    """Return a folder with a DINOv2, a SigLIP and a Qwen2."""
    write_dino(tmp_path / "dino", image_size=PATCH * 6)
    write_siglip(tmp_path / "siglip")
    write_decoder(tmp_path / "llm", "qwen2", tokenizer)
    return tmp_path


def build(folder: Path, out: str, *more: str) -> int:
    """Run the command with all three parts."""
    parts = [f"--dinov2={folder / 'dino'}", f"--siglip={folder / 'siglip'}"]
    return main(["build", str(folder / out), *parts, f"--language-model={folder / 'llm'}", *more])


def test_parts_become_a_checkpoint(
    folder: Path, tokenizer: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(folder, "out") == 0
    said = capsys.readouterr().out
    assert "resampled from 6 x 6 to 4 x 4" in said
    assert "rows 299 to 554 are the action tokens" in said
    assert "RANDOM and to be learned: projector, slot embedding" in said
    loaded = load_checkpoint(folder / "out")
    config = loaded.config
    assert (config.image.size, config.action.vocabulary_size) == (SIDE, 555)
    assert config.language_model.vocabulary_rows == 576  # a multiple of 64
    table = dict(loaded.model.named_parameters())[TABLE]
    theirs = load_theirs(folder / "llm")
    assert torch.equal(table[:299], theirs[:299])
    mean = theirs[:299].mean(0)
    away = (table[299:555] - mean).abs().max()
    assert 0 < away < 0.1 * theirs[:299].std(0).max()
    assert decode(loaded.model, random_batch(config, [9])).shape == (1, 8, 7)
    written = json.loads((folder / "out" / "tokenizer.json").read_text())
    assert written["model"] == json.loads(tokenizer.to_str())["model"]


def load_theirs(llm: Path) -> torch.Tensor:
    """The table of the language model on the disk."""
    from safetensors.torch import load_file

    return load_file(llm / "model.safetensors")["model.embed_tokens.weight"]


def test_the_network_is_that_of_its_parts(folder: Path) -> None:
    """Every tensor of the checkpoint is its part's, or drawn and named."""
    assert build(folder, "out", "--dtype=bf16") == 0
    again = folder / "again"
    assert build(folder, again.name, "--dtype=bf16") == 0
    one, two = (load_checkpoint(folder / name).model.state_dict() for name in ("out", "again"))
    assert all(torch.equal(one[name], two[name]) for name in one)  # drawn by a seed
    assert {tensor.dtype for tensor in one.values()} == {torch.bfloat16}


def write_preset(folder: Path, **language_model: Any) -> Path:
    """A preset of these sizes."""
    tower = {"hidden_size": 32, "depth": 3, "heads": 4, "patch_size": PATCH}
    norms = {"mean": MEAN, "std": STD}
    data = {
        "name": "tiny",
        "backbones": [
            {"kind": "dinov2", "mlp_size": 128, "register_tokens": 4, **tower, **norms},
            {"kind": "siglip", "mlp_size": 40, **tower, **norms},
        ],
        "image": {"size": SIDE, "cameras": ["primary"]},
        "projector": "gelu-mlp",
        "language_model": {
            "family": "qwen2", "vocabulary_rows": 576, "hidden_size": 32, "layers": 2,
            "heads": 4, "key_value_heads": 2, "mlp_size": 48, "rope_theta": 10000.0,
            "norm_eps": 1e-6, **language_model,
        },
        "action": {"chunk": 2, "dim": 7, "vocabulary_size": 576, "heads": ["tokens", "l1"]},
    }  # fmt: skip
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_a_preset_is_checked_and_gives_what_no_part_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = write_preset(folder)
    llm = f"--language-model={folder / 'llm'}"
    assert main(["build", str(folder / "out"), f"--preset={preset}", llm]) == 0
    said = capsys.readouterr().out
    assert "RANDOM and to be learned: dinov2, siglip, projector, l1 head, slot embedding" in said
    assert load_checkpoint(folder / "out").config.action.chunk == 2
    preset = write_preset(folder, layers=4, mlp_size=64)
    assert main(["build", str(folder / "b"), f"--preset={preset}", llm]) == 2
    said = capsys.readouterr().err
    assert "language_model.layers: preset 4, given 2" in said
    assert "language_model.mlp_size: preset 64, given 48" in said
    preset = write_preset(folder, vocabulary_rows=640)
    tight = yaml.safe_load(preset.read_text())
    tight["action"]["vocabulary_size"] = 400
    preset.write_text(yaml.safe_dump(tight))
    assert main(["build", str(folder / "c"), f"--preset={preset}", llm]) == 2
    assert "set action.vocabulary_size to 555 or more" in capsys.readouterr().err


@pytest.mark.parametrize("stage", ["phase 1", "phase 2"])
def test_a_prismatic_file_brings_projector_and_perhaps_towers(
    folder: Path, tokenizer: Tokenizer, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = load_preset_of(folder)
    modules = native_modules(config, torch.randn)
    if stage == "phase 1":
        del modules["vision_backbone"]
    path = folder / "latest-checkpoint.pt"
    torch.save({"model": modules}, path)
    (folder / "config.json").write_text(json.dumps({"model": {"llm_backbone_id": "qwen"}}))
    tokens = f"--tokenizer={folder / 'llm' / 'tokenizer.json'}"
    parts = [f"--language-model={path}", tokens, f"--preset={folder / 'tiny.yaml'}"]
    assert main(["build", str(folder / "out"), *parts]) == 0
    said = capsys.readouterr().out
    drawn = "dinov2, siglip, " if stage == "phase 1" else ""
    assert f"RANDOM and to be learned: {drawn}l1 head, slot embedding" in said
    own = dict(load_checkpoint(folder / "out").model.named_parameters())
    assert torch.equal(own["projector.0.weight"], modules["projector"]["projector.0.weight"])
    if stage == "phase 1":
        assert main(["export", str(path), str(folder / "x"), tokens]) == 2
        assert "lacks vision_backbone" in capsys.readouterr().err


def load_preset_of(folder: Path) -> Any:
    """A configuration whose heads are those of the published id `qwen`."""
    data = yaml.safe_load(write_preset(folder).read_text())
    data["language_model"] |= {"heads": 14, "hidden_size": 28, "rope_theta": 1e6}
    data["language_model"] |= {"key_value_heads": 2, "tie_embeddings": True}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(data))
    return parse_config(data, "tiny")


def test_an_own_projector_and_what_is_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = {"projector.0": (32, 64), "projector.2": (32, 32)}
    tensors = {f"{name}.weight": torch.randn(*shape) for name, shape in layers.items()}
    tensors |= {f"{name}.bias": torch.randn(shape[0]) for name, shape in layers.items()}
    save_file(tensors, folder / "projector.safetensors")
    assert build(folder, "out", f"--projector={folder / 'projector.safetensors'}") == 0
    own = dict(load_checkpoint(folder / "out").model.named_parameters())
    assert torch.equal(own["projector.2.weight"], tensors["projector.2.weight"])
    capsys.readouterr()
    save_file({"a": torch.zeros(2)}, folder / "else.safetensors")
    assert build(folder, "b", f"--projector={folder / 'else.safetensors'}") == 2
    assert "no projector: expected weight and bias" in capsys.readouterr().err
    save_file({**tensors, "projector.0.weight": torch.zeros(32, 60)}, folder / "odd.safetensors")
    assert build(folder, "b", f"--projector={folder / 'odd.safetensors'}") == 2
    assert "projector.0.weight has shape [32, 60]" in capsys.readouterr().err
    assert not (folder / "b").exists()


def test_refusals_name_the_part_and_the_fix(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        assert main(["build", str(folder / "out"), *arguments]) == 2
        return capsys.readouterr().err

    llm = f"--language-model={folder / 'llm'}"
    assert "no --dinov2 and no --preset" in said(llm)
    assert "a hub id is written hub:Qwen/Qwen2-0.5B" in said("--language-model=Qwen/Qwen2-0.5B")
    assert "--language-model is missing" in said()
    (folder / "llm" / "tokenizer.json").unlink()
    towers = [f"--dinov2={folder / 'dino'}", f"--siglip={folder / 'siglip'}"]
    assert "name the language model's with --tokenizer" in said(llm, *towers)
    (folder / "llm" / "model.safetensors").unlink()
    assert "holds no model.safetensors" in said(llm, *towers)
    (folder / "out").mkdir()
    assert "exists; choose another folder" in said(llm, *towers)


def test_weights_that_are_not_finite_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.torch import load_file

    path = folder / "llm" / "model.safetensors"
    tensors = load_file(path)
    tensors["model.norm.weight"][3] = torch.nan
    save_file(tensors, path)
    assert build(folder, "out") == 2
    assert "norm.weight holds numbers that are not finite" in capsys.readouterr().err
    assert not list(folder.glob("*out*"))


def test_ids_of_a_tokenizer_are_counted_to_the_highest() -> None:
    tokenizer = train_tokenizer(["lift the block"], 280)
    assert highest_id(tokenizer.get_vocab()) == tokenizer.get_vocab_size()
    assert highest_id({"a": 3, "b": 9}) == 10
