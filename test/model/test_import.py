# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Importers on synthetic files in the published layouts, on full-size shapes, and on bad files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from published_layout import native_modules, openvla_tensors
from safetensors.torch import save_file
from tiny_model import random_batch, statistics_entry, tiny_config
from torch import Tensor

from evla_ros.model.building import build_with
from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.decode import decode
from evla_ros.model.errors import CheckpointError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.import_openvla import import_openvla, split_modules
from evla_ros.model.import_prismatic import import_prismatic, infer_config
from evla_ros.model.key_map import map_language_model, map_tower
from evla_ros.model.presets import load_preset

KNOWN = {
    "dino": {"heads": 2}, "siglip": {"heads": 2}, "llm": {"num_attention_heads": 4},
    "action_vocab_size": 576,
}  # fmt: skip


def published(family: str, projector: str) -> EvlaConfig:
    """A tiny configuration in the published shape: both towers with a one-step patch embedding."""
    data = tiny_config(family).model_dump()
    data["backbones"][1]["stem"] = "patchify"
    data["projector"] = projector
    data["language_model"]["head_dim"] = None
    return parse_config(data, "published")


def random_tensor(*shape: int) -> Tensor:
    """A random tensor."""
    return torch.randn(*shape)


def write_pt(path: Path, modules: dict[str, Any]) -> Path:
    """A Prismatic file."""
    torch.save({"model": modules}, path)
    return path


def write_openvla(folder: Path, modules: dict[str, dict[str, Tensor]], **config: Any) -> Path:
    """An OpenVLA folder of two shards."""
    folder.mkdir()
    tensors = {key: tensor.clone() for key, tensor in openvla_tensors(modules).items()}
    names = sorted(tensors)
    shards = {
        "model-00001-of-00002.safetensors": names[::2],
        "model-00002-of-00002.safetensors": names[1::2],
    }
    for shard, keys in shards.items():
        save_file({key: tensors[key] for key in keys}, folder / shard)
    weight_map = {key: shard for shard, keys in shards.items() for key in keys}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    published = {
        "model_type": "openvla",
        "image_resize_strategy": "resize-naive",
        "text_config": {"model_type": "llama", "num_attention_heads": 4},
        "norm_stats": {"bridge_orig": {"action": statistics_entry(7)}},
        **config,
    }
    (folder / "config.json").write_text(json.dumps(published))
    return folder


@pytest.mark.parametrize("projector", ["gelu-mlp", "fused-gelu-mlp"])
@pytest.mark.parametrize("family", ["qwen2", "llama"])
def test_prismatic_round_trip(tmp_path: Path, family: str, projector: str) -> None:
    expected = published(family, projector)
    modules = native_modules(expected, random_tensor)
    config, tensors = import_prismatic(write_pt(tmp_path / "step.pt", modules), {**KNOWN})
    assert config.projector == projector
    assert config.language_model.model_copy(update={"rope_theta": 1e6, "norm_eps": 1e-6}) == (
        expected.language_model
    )
    model = build_with(config, tensors, "test")
    own = dict(model.named_parameters())
    llm, vision = modules["llm_backbone"], modules["vision_backbone"]
    torch.testing.assert_close(
        own["language_model.body.layers.1.mlp.up_proj.weight"],
        torch.nn.Parameter(llm["llm.model.layers.1.mlp.up_proj.weight"]),
    )
    qkv = vision["siglip_featurizer.blocks.1.attn.qkv.weight"]
    assert torch.equal(own["backbones.1.blocks.1.self_attn.k_proj.weight"], qkv.chunk(3)[1])
    assert not own["slot_embedding"].any()
    mode = "autoregressive" if family == "llama" else "released"
    assert config.action.decode == mode
    assert decode(model, random_batch(config, [5])).shape == (1, 1, 7)


def test_openvla_folder_gives_the_same_tensors(tmp_path: Path) -> None:
    expected = published("llama", "fused-gelu-mlp")
    modules = native_modules(expected, random_tensor)
    _, native = import_prismatic(write_pt(tmp_path / "step.pt", modules), {**KNOWN})
    folder = write_openvla(tmp_path / "hf", modules)
    config, tensors, statistics = import_openvla(folder, action_vocabulary_size=576)
    assert tensors.keys() == native.keys()
    assert all(torch.equal(tensors[key], native[key]) for key in native)
    assert config.image.resize == "squash"
    assert config.prompt.suffix_ids == (29871,)
    assert list(statistics.datasets) == ["bridge_orig"]
    own = {"mine": {"action": statistics_entry(7)}}
    (folder / "dataset_statistics.json").write_text(json.dumps(own))
    assert list(import_openvla(folder, 576)[2].datasets) == ["mine"]  # a fine-tune's file wins


@pytest.mark.parametrize("name", ["evla-1b-published", "openvla-7b"])
def test_full_size_key_lists(name: str) -> None:
    """Every published key lands on a parameter of the preset, with its shape, and none is left."""
    expected = load_preset(name)
    with torch.device("meta"):
        modules = native_modules(expected, torch.empty)
        parameters = {k: p.shape for k, p in EvlaModel(expected).named_parameters()}
    towers, projector, llm = split_modules(openvla_tensors(modules), name)
    config = infer_config(towers, projector, llm, {}, name)
    assert config.backbones == expected.backbones
    assert config.action == expected.action
    assert config.model_copy(update={"name": name}).language_model == (
        expected.language_model.model_copy(update={"max_positions": 32768})
    )
    mapped = dict(projector) | map_language_model(llm, name)
    for index, tower in enumerate(towers.values()):
        mapped |= map_tower(tower, index, name)
    del parameters["slot_embedding"]
    assert {k: t.shape for k, t in mapped.items()} == parameters


class Payload:
    """What a hostile file would execute."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Run code when unpickled."""
        return (pytest.fail, ("the file was unpickled",))


def test_bad_prismatic_files(tmp_path: Path) -> None:
    path = tmp_path / "step.pt"
    with pytest.raises(CheckpointError, match="does not exist"):
        import_prismatic(path)
    torch.save({"model": Payload()}, path)
    with pytest.raises(CheckpointError, match="refused: the file holds more than tensors"):
        import_prismatic(path)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="refused|not a readable"):
        import_prismatic(path)
    modules = native_modules(published("qwen2", "gelu-mlp"), random_tensor)
    write_pt(path, modules)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(CheckpointError, match="truncated or corrupt"):
        import_prismatic(path)
    write_pt(path, {key: modules[key] for key in ("projector", "llm_backbone")})
    with pytest.raises(CheckpointError, match="lacks vision_backbone"):
        import_prismatic(path)
    torch.save({"weights": {}}, path)
    with pytest.raises(CheckpointError, match="no 'model' entry"):
        import_prismatic(path)


def test_bad_tensors_are_named(tmp_path: Path) -> None:
    modules = native_modules(published("qwen2", "gelu-mlp"), random_tensor)
    llm = modules["llm_backbone"]
    del llm["llm.model.layers.1.mlp.up_proj.weight"]
    path = write_pt(tmp_path / "a.pt", modules)
    config, tensors = import_prismatic(path, KNOWN)
    with pytest.raises(
        CheckpointError, match=r"the first is 'language_model.body.layers.1.mlp.up_proj"
    ):
        build_with(config, tensors, "a.pt")
    llm["llm.model.layers.1.mlp.up_proj.weight"] = torch.zeros(47, 32)
    config, tensors = import_prismatic(write_pt(tmp_path / "b.pt", modules), KNOWN)
    with pytest.raises(
        CheckpointError, match=r"shape \[47, 32\], the configuration asks for \[48, 32\]"
    ):
        build_with(config, tensors, "b.pt")
    modules["vision_backbone"]["dino_featurizer.surprise"] = torch.zeros(1)
    with pytest.raises(CheckpointError, match="unknown key 'surprise'"):
        import_prismatic(write_pt(tmp_path / "c.pt", modules), KNOWN)


def test_openvla_of_one_tower_and_the_vicuna_prompt(tmp_path: Path) -> None:
    data = published("llama", "gelu-mlp").model_dump()
    data["backbones"] = data["backbones"][1:]
    modules = native_modules(parse_config(data, "siglip"), random_tensor)
    vision = modules["vision_backbone"]
    modules["vision_backbone"] = {f"vision_backbone.{key}": t for key, t in vision.items()}
    settings = {"llm_backbone_id": "vicuna-v15-7b", "image_resize_strategy": "letterbox"}
    folder = write_openvla(tmp_path / "v01", modules, **settings)
    config, tensors, _ = import_openvla(folder, 576)
    assert [tower.kind for tower in config.backbones] == ["siglip"]
    assert config.image.resize == "squash"  # as its training had it
    assert config.prompt.template.endswith("{instruction}? ASSISTANT:")
    assert config.language_model.norm_eps == 1e-6  # of the port's class, where nothing is said
    assert build_with(config, tensors, "v01")


@pytest.mark.parametrize("family", ["gemma", "phi", "qwen3"])
def test_a_language_model_whose_prompt_is_not_known_is_refused(tmp_path: Path, family: str) -> None:
    modules = native_modules(published("llama", "fused-gelu-mlp"), random_tensor)
    text = {"model_type": family, "num_attention_heads": 4}
    folder = write_openvla(tmp_path / family, modules, text_config=text)
    with pytest.raises(CheckpointError, match=f"action tokens of a {family} are not known"):
        import_openvla(folder, 576)


def test_minivla_as_a_hugging_face_folder(tmp_path: Path) -> None:
    data = published("qwen2", "fused-gelu-mlp").model_dump()
    data["language_model"] |= {"heads": 14, "hidden_size": 28, "vocabulary_rows": 151936}
    modules = native_modules(parse_config(data, "minivla"), random_tensor)
    text = {"model_type": "qwen2", "num_attention_heads": 14}
    folder = write_openvla(
        tmp_path / "hf", modules, llm_backbone_id="qwen25-0_5b-extra", text_config=text
    )
    config, tensors, _ = import_openvla(folder)
    assert config.action.vocabulary_size == 151921
    assert config.prompt.template.startswith("<|im_start|>system")
    assert (config.language_model.heads, config.language_model.key_value_heads) == (14, 2)
    assert build_with(config, tensors, "minivla")


def test_bad_openvla_folders(tmp_path: Path) -> None:
    modules = native_modules(published("llama", "fused-gelu-mlp"), random_tensor)
    wrong = write_openvla(tmp_path / "wrong", modules, model_type="llava")
    with pytest.raises(CheckpointError, match="model_type is 'llava'"):
        import_openvla(wrong)
    bare = write_openvla(tmp_path / "bare", modules, norm_stats=None)
    with pytest.raises(CheckpointError, match=r"no dataset_statistics\.json"):
        import_openvla(bare, 576)
    escape = write_openvla(tmp_path / "escape", modules)
    (escape / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../etc/x"}}')
    with pytest.raises(CheckpointError, match="outside the folder"):
        import_openvla(escape, 576)
    with pytest.raises(CheckpointError, match="cannot be read"):
        import_openvla(tmp_path / "nothing")
