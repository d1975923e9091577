# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Towers of others against their own forward: transformers', and timm's formulas written out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from parts import PATCH, SIDE, write_dino, write_siglip
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from evla_ros.model.backbone import VisionBackbone
from evla_ros.model.errors import CheckpointError
from evla_ros.model.from_parts.tower import Tower, open_tower, resized

GRID = SIDE // PATCH
NEEDS = {"dinov2": write_dino, "siglip": write_siglip}


def built(tower: Tower) -> VisionBackbone:
    """Our tower with these tensors."""
    backbone = VisionBackbone(tower.config, tower.grid * tower.config.patch_size).eval()
    backbone.load_state_dict({name: stored.read() for name, stored in tower.tensors.items()})
    for name, stored in tower.tensors.items():
        assert tuple(stored.read().shape) == stored.shape, name
    return backbone


def pictures(side: int = SIDE) -> Tensor:
    """Two pictures in [0, 1]."""
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(3))


def normalised(images: Tensor, tower: Tower) -> Tensor:
    """What the tower of others gets."""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (tower.config.mean, tower.config.std))
    return (images - mean) / std


@pytest.mark.parametrize("kind", ["dinov2", "siglip"])
@torch.inference_mode()
def test_hugging_face_folder_agrees_with_transformers(tmp_path: Path, kind: str) -> None:
    theirs = NEEDS[kind](tmp_path / kind)
    tower = open_tower(tmp_path / kind, kind, None)
    features = built(tower)(pictures())
    output = theirs(normalised(pictures(), tower), output_hidden_states=True)
    prefix = 5 if kind == "dinov2" else 0
    torch.testing.assert_close(features, output.hidden_states[-2][:, prefix:], atol=1e-5, rtol=1e-5)
    assert tower.config.activation == ("gelu" if kind == "dinov2" else "gelu_pytorch_tanh")


@torch.inference_mode()
def test_positions_are_resampled_as_transformers_does(tmp_path: Path) -> None:
    theirs = write_dino(tmp_path / "dino", image_size=PATCH * 9)
    tower = open_tower(tmp_path / "dino", "dinov2", None)
    assert tower.grid == 9
    small = resized(tower, GRID)
    features = built(small)(pictures())
    output = theirs(normalised(pictures(), tower), output_hidden_states=True)
    torch.testing.assert_close(features, output.hidden_states[-2][:, 5:], atol=1e-5, rtol=1e-5)
    assert "resampled from 9 x 9 to 4 x 4" in small.notes[-1]


def timm_tower(
    kind: str, width: int = 64, depth: int = 3, own_position: int = 0
) -> dict[str, Tensor]:
    """A state dict in timm's layout."""
    torch.manual_seed(5)
    shapes = {
        "pos_embed": (1, GRID**2 + own_position, width),
        "patch_embed.proj.weight": (width, 3, PATCH, PATCH),
        "patch_embed.proj.bias": (width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
    if kind == "dinov2":
        shapes |= {"cls_token": (1, 1, width), "reg_token": (1, 4, width)}
    for block in (f"blocks.{i}" for i in range(depth)):
        shapes |= {
            f"{block}.{n}.{k}": (width,) for n in ("norm1", "norm2") for k in ("weight", "bias")
        }
        linears = {"attn.qkv": (3 * width, width), "attn.proj": (width, width)}
        linears |= {"mlp.fc1": (4 * width, width), "mlp.fc2": (width, 4 * width)}
        for name, shape in linears.items():
            shapes |= {f"{block}.{name}.weight": shape, f"{block}.{name}.bias": shape[:1]}
        if kind == "dinov2":
            shapes |= {f"{block}.{scale}.gamma": (width,) for scale in ("ls1", "ls2")}
    return {name: 0.1 * torch.randn(*shape) for name, shape in shapes.items()}


def timm_forward(tower: dict[str, Tensor], images: Tensor, heads: int) -> Tensor:
    """The published formulas: pre-norm blocks, layer scale, the second-to-last block's patches."""
    weight, bias = tower["patch_embed.proj.weight"], tower["patch_embed.proj.bias"]
    x = functional.conv2d(images, weight, bias, stride=PATCH).flatten(2).transpose(1, 2)
    width, position = x.shape[-1], tower["pos_embed"]
    prefix = [
        tower[name].expand(len(x), -1, -1) for name in ("cls_token", "reg_token") if name in tower
    ]
    own = position.shape[1] - x.shape[1]
    x = x + position[:, own:]
    if own:
        prefix[0] = prefix[0] + position[:, :1]
    x = torch.cat([*prefix, x], dim=1)
    depth = 1 + max(int(key.split(".")[1]) for key in tower if key.startswith("blocks."))
    for i in range(depth - 1):
        p = {
            k.removeprefix(f"blocks.{i}."): t
            for k, t in tower.items()
            if k.startswith(f"blocks.{i}.")
        }
        y = functional.layer_norm(x, (width,), p["norm1.weight"], p["norm1.bias"], 1e-6)
        qkv = functional.linear(y, p["attn.qkv.weight"], p["attn.qkv.bias"])
        q, k, v = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
        y = ((q @ k.transpose(-1, -2) * (width // heads) ** -0.5).softmax(-1) @ v).transpose(1, 2)
        y = functional.linear(y.flatten(2), p["attn.proj.weight"], p["attn.proj.bias"])
        x = x + y * p.get("ls1.gamma", torch.ones(1))
        y = functional.layer_norm(x, (width,), p["norm2.weight"], p["norm2.bias"], 1e-6)
        y = functional.gelu(functional.linear(y, p["mlp.fc1.weight"], p["mlp.fc1.bias"]))
        y = functional.linear(y, p["mlp.fc2.weight"], p["mlp.fc2.bias"])
        x = x + y * p.get("ls2.gamma", torch.ones(1))
    return x[:, sum(t.shape[1] for t in prefix) :]


@pytest.mark.parametrize(("kind", "own"), [("dinov2", 0), ("dinov2", 1), ("siglip", 0)])
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@torch.inference_mode()
def test_timm_layout_agrees_with_the_formulas(
    tmp_path: Path, kind: str, own: int, suffix: str
) -> None:
    state = timm_tower(kind, own_position=own)
    path = tmp_path / f"tower.{suffix}"
    if suffix == "pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    tower = open_tower(path, kind, None)
    assert tower.config.heads == 1  # 64 channels a head
    expected = timm_forward(state, normalised(pictures(), tower), heads=1)
    torch.testing.assert_close(built(tower)(pictures()), expected, atol=1e-5, rtol=1e-5)
    assert "does not say: 1 heads" in tower.notes[0]


def changed_config(folder: Path, **changes: object) -> Path:
    """Change the config.json of a folder."""
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder


def test_what_is_no_such_tower_is_refused(tmp_path: Path) -> None:
    write_dino(tmp_path / "dino")
    with pytest.raises(CheckpointError, match="'dinov2_with_registers' is no siglip tower"):
        open_tower(tmp_path / "dino", "siglip", None)
    with pytest.raises(CheckpointError, match="use_swiglu_ffn is True; a tower is built"):
        open_tower(changed_config(tmp_path / "dino", use_swiglu_ffn=True), "dinov2", None)
    changed_config(tmp_path / "dino", use_swiglu_ffn=False, num_attention_heads=5)
    with pytest.raises(CheckpointError, match="hidden_size 32 is not a multiple of heads 5"):
        open_tower(tmp_path / "dino", "dinov2", None)
    (tmp_path / "dino" / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"neither a folder with a config\.json nor a timm"):
        open_tower(tmp_path / "dino", "dinov2", None)
    state = timm_tower("siglip")
    save_file(state, tmp_path / "siglip.safetensors")
    with pytest.raises(CheckpointError, match="of a siglip tower, not of dinov2"):
        open_tower(tmp_path / "siglip.safetensors", "dinov2", None)
    save_file(state | {"pos_embed": torch.zeros(1, 15, 64)}, tmp_path / "odd.safetensors")
    with pytest.raises(CheckpointError, match="no square grid of patches"):
        open_tower(tmp_path / "odd.safetensors", "siglip", None)
    (tmp_path / "broken.safetensors").write_bytes(b"\x05" * 40)
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        open_tower(tmp_path / "broken.safetensors", "siglip", None)
