# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exact parameter counts of the published shapes, counted on `meta`.

And strict configuration files.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from evla_ros.model.errors import ModelConfigError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.presets import load_preset, preset_names

DINO, SIGLIP = 303_230_976, 427_680_704  # as published, all blocks
NOT_BUILT = 43_080_480  # last blocks, final norms, attention pooling


def counts(name: str) -> dict[str, int]:
    """Parameters of each part."""
    with torch.device("meta"):
        model = EvlaModel(load_preset(name))
    return {part: sum(p.numel() for p in m.parameters()) for part, m in model.named_children()}


def test_published_evla() -> None:
    parts = counts("evla-1b-published")
    assert parts == {
        "backbones": DINO + SIGLIP - NOT_BUILT,
        "projector": 2_754_304,
        "language_model": 493_803_392,
    }
    assert sum(parts.values()) + NOT_BUILT == 1_227_469_376


def test_openvla() -> None:
    parts = counts("openvla-7b")
    assert parts["projector"] == 71_385_600
    assert sum(parts.values()) + NOT_BUILT == 7_541_237_184


def test_evla_1b_differs_from_the_published_shape_by_its_vocabulary_only() -> None:
    parts = counts("evla-1b")
    assert parts["language_model"] == 493_803_392 + (151_936 - 151_680) * 896
    config = load_preset("evla-1b")
    assert config.patches_per_camera == 256
    assert config.vision_width == 2176


def test_nano_is_nano() -> None:
    assert 2_000_000 <= sum(counts("evla-nano").values()) <= 10_000_000
    assert 2_000_000 <= sum(counts("evla-nano-siglip").values()) <= 8_000_000


@pytest.mark.parametrize(
    ("name", "published", "added_rows", "width"),
    [
        ("evla-qwen2.5-0.5b", 494_032_768, 0, 896),
        ("evla-smollm2-135m", 134_515_008, 256, 576),
        ("evla-smollm2-360m", 361_821_120, 256, 960),
        ("evla-gemma-2b", 2_506_172_416, 256, 2048),
        ("evla-phi-1.5", 1_418_270_720, 0, 2048),
    ],
)
def test_other_small_decoders(name: str, published: int, added_rows: int, width: int) -> None:
    """Counts as the authors publish them, plus the rows of the action tokens."""
    assert counts(name)["language_model"] == published + added_rows * width


def test_no_preset_is_left_untested() -> None:
    assert preset_names() == [
        "evla-1b", "evla-1b-published", "evla-gemma-2b", "evla-nano", "evla-nano-siglip",
        "evla-phi-1.5", "evla-qwen2.5-0.5b", "evla-smollm2-135m", "evla-smollm2-360m", "openvla-7b",
    ]  # fmt: skip


def test_robot_specific_parts_are_replaced() -> None:
    config = load_preset("evla-nano", chunk=8, dim=14, cameras=["head", "left"], proprio_dim=16)
    assert config.action.slots == 112
    assert config.image.cameras == ("head", "left")
    assert config.proprio_dim == 16
    assert load_preset("evla-1b", action={"mask": "isolated"}).action.mask == "isolated"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("projector: gelu-mpl", "projector"),
        ("proprio_dim: -1", "proprio_dim"),
        ("image: {size: 97, cameras: [primary]}", "97 is not a multiple of patch 12"),
        ("image: {size: 96, cameras: [primary], resiz: squash}", "did you mean 'resize'"),
        ("action: {chunk: 4, dim: 7, vocabulary_size: 9999}", "9999 is above vocabulary_rows"),
        (
            "action: {chunk: 4, dim: 7, vocabulary_size: 999, output: l1}",
            "'l1' is not one of the heads",
        ),
        ("image: {size: 96, cameras: [a, a]}", "repeat a name"),
        ("prompt: {template: hello}", "lacks {instruction}"),
    ],
)
def test_bad_presets_are_named(tmp_path: Path, root: Path, change: str, message: str) -> None:
    key = change.partition(":")[0]
    lines = (root / "config" / "models" / "evla-nano.yaml").read_text().splitlines()
    kept = "\n".join(line for line in lines if not line.startswith(f"{key}:"))
    file = tmp_path / "bad.yaml"
    file.write_text(f"{kept}\n{change}\n")
    with pytest.raises(ModelConfigError, match=message):
        load_preset(file)


def test_unknown_preset() -> None:
    with pytest.raises(
        ModelConfigError, match="unknown model preset 'evla-nan'; did you mean 'evla-nano'"
    ):
        load_preset("evla-nan")
