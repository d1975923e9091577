# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the config.json of a published run says: its prompt, sizes, action tokens; or is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published_layout import native_modules
from test_import import published, random_tensor

from evla_ros.model.building import build_with
from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.errors import CheckpointError
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.model.import_prismatic import import_prismatic
from evla_ros.model.prismatic_run import QWEN_EXTRA
from evla_ros.model.text_tokenizer import encode_text, qwen_tokenizer

TOWERS = {"dino": {"heads": 2}, "siglip": {"heads": 2}}


def run_folder(folder: Path, config: EvlaConfig, **settings: Any) -> Path:
    """A run as the published trainer leaves it; returns its checkpoint."""
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(settings))
    path = folder / "checkpoints" / "latest-checkpoint.pt"
    torch.save({"model": native_modules(config, random_tensor)}, path)
    return path


def sized(family: str, heads: int, rows: int, projector: str = "fused-gelu-mlp") -> EvlaConfig:
    """A tiny network with a published number of heads."""
    data = published(family, projector).model_dump()
    data["language_model"] |= {"heads": heads, "hidden_size": 2 * heads, "key_value_heads": 2}
    data["language_model"] |= {"vocabulary_rows": rows}
    data["action"] |= {"vocabulary_size": min(rows, 576)}
    return parse_config(data, "sized")


def test_minivla(tmp_path: Path, shared: Path) -> None:
    config = sized("qwen2", 14, 151936)
    path = run_folder(
        tmp_path / "run",
        config,
        vla={
            "base_vlm": "prism-qwen25-extra-dinosiglip-224px+0_5b",
            "action_tokenizer": "extra_action_tokenizer",
        },
    )
    found, _ = import_prismatic(path, TOWERS)
    assert found.action.vocabulary_size == QWEN_EXTRA
    assert found.action.decode == "autoregressive"
    assert found.image.resize == "squash"
    assert (found.language_model.heads, found.language_model.rope_theta) == (14, 1e6)
    prompt = found.prompt.template.format(instruction="lift it")
    assert prompt.startswith("<|im_start|>system\nYou are Qwen")
    assert prompt.endswith("to lift it?<|im_end|>\n<|im_start|>assistant\n")
    ranks = shared / "data" / "qwen_vocabulary" / "qwen.tiktoken"
    if ranks.is_file():  # its special tokens stay whole
        ids = encode_text(qwen_tokenizer(ranks), prompt)
        assert ids[:2] == [151644, 8948]
        assert ids[-3:] == [151644, 77091, 198]


def test_openvla_and_its_first_version(tmp_path: Path) -> None:
    config = sized("llama", 32, 32064)
    path = run_folder(tmp_path / "a", config, vla={"base_vlm": "prism-dinosiglip-224px+7b"})
    found, _ = import_prismatic(path, TOWERS)
    assert found.language_model.norm_eps == 1e-5  # Llama-2's own
    assert found.prompt.template.startswith("In: ")
    data = config.model_dump()
    data["backbones"], data["projector"] = data["backbones"][1:], "gelu-mlp"
    path = run_folder(
        tmp_path / "b", parse_config(data, "siglip"), vla={"base_vlm": "siglip-224px+7b"}
    )
    found, tensors = import_prismatic(path, TOWERS)
    assert [tower.kind for tower in found.backbones] == ["siglip"]
    asked = "USER: What action should the robot take to {instruction}? ASSISTANT:"
    assert found.prompt.template.endswith(asked)
    assert "backbones.0.patch_embedding.weight" in tensors


def test_a_letterbox_has_the_border_of_each_tower(tmp_path: Path) -> None:
    config = sized("qwen2", 14, 151936, "gelu-mlp")
    model = {"llm_backbone_id": "qwen", "image_resize_strategy": "letterbox"}
    path = run_folder(tmp_path / "run", config, model=model)
    found, tensors = import_prismatic(path, TOWERS)
    assert found.image.fills == ((123, 116, 103), (127, 127, 127))
    frame = np.full((12, 24, 3), 200, np.uint8)
    images = ImageProcessor(found.image)({"primary": frame})
    assert images.shape == (1, 6, 24, 24)
    assert images[0, :, 0, 0].tolist() == [123, 116, 103, 127, 127, 127]
    assert images[0, :, 12, 0].tolist() == [200] * 6
    network = build_with(found, tensors, "run")
    with torch.inference_mode():
        features = network.encode_images(images[None])
        dino, siglip = network.backbones
        alone = [dino(images[:, :3] / 255), siglip(images[:, 3:] / 255)]
    torch.testing.assert_close(features, torch.cat(alone, dim=-1))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"vla": {"base_vlm": "prism-gpt+1b"}}, r"config\.json: vla\.base_vlm 'prism-gpt\+1b'"),
        ({"model": {"llm_backbone_id": "mamba"}}, "the language model 'mamba' is not known"),
        (
            {"vla": {"base_vlm": "qwen", "action_tokenizer": "libero_vq_action_tokenizer"}},
            "action_tokenizer 'libero_vq_action_tokenizer'",
        ),
        ({"vla": {"base_vlm": "qwen", "use_wrist_image": True}}, "use_wrist_image"),
        ({"vla": {"base_vlm": "qwen", "image_sequence_len": 2}}, "image_sequence_len"),
        (
            {"model": {"llm_backbone_id": "qwen", "image_resize_strategy": "resize-crop"}},
            "'resize-crop' is not supported",
        ),
        ({"vla": 3}, "vla is no mapping"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(
    tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    path = run_folder(tmp_path / "run", published("qwen2", "gelu-mlp"), **settings)
    with pytest.raises(CheckpointError, match=sentence):
        import_prismatic(path, TOWERS)
