# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our network against what the published EVLA modules computed from one checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from evla_ros.model.attention_mask import SlotRule
from evla_ros.model.building import build_with
from evla_ros.model.decode import decode
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.import_prismatic import import_prismatic
from evla_ros.model.model_input import ModelInput

FIRST_ID, COUNT, PROMPT, TAIL = 151387, 257, 17, 9


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    """Return the folder of the reference."""
    path = shared / "data" / "evla_reference"
    if not path.is_dir():
        pytest.skip(f"no reference checkpoint: there is no folder {path}")
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> EvlaModel:
    """Return the imported checkpoint in fp32."""
    architecture = json.loads((folder / "architecture.json").read_text())
    config, tensors = import_prismatic(folder / "latest-checkpoint.pt", architecture)
    assert config.action.decode == "released"
    return build_with(config, tensors, "reference", dtype=torch.float32)


@pytest.fixture(scope="module")
def reference(folder: Path) -> dict[str, np.ndarray]:
    """Return the published modules' numbers."""
    with np.load(folder / "reference.npz") as arrays:
        return dict(arrays)


def batch_of(reference: dict[str, np.ndarray]) -> ModelInput:
    """The prompt and image of the reference."""
    image = torch.from_numpy(reference["image_uint8"]).permute(2, 0, 1)[None, None]
    ids = torch.from_numpy(reference["input_ids"][:, :PROMPT])
    return ModelInput(ids, torch.tensor([PROMPT]), images=image)


@torch.inference_mode()
def test_features_and_projection(model: EvlaModel, reference: dict[str, np.ndarray]) -> None:
    images = batch_of(reference).images
    assert images is not None
    features = model.encode_images(images)
    expected = np.concatenate([reference["dino_features"], reference["siglip_features"]], axis=1)
    np.testing.assert_allclose(features[0], expected, atol=1e-4)
    np.testing.assert_allclose(model.projector(features)[0], reference["projected"], atol=1e-4)


@pytest.mark.parametrize(("slot_rule", "name"), [("hidden", "released"), ("causal", "causal")])
@torch.inference_mode()
def test_logits(
    model: EvlaModel, reference: dict[str, np.ndarray], slot_rule: SlotRule, name: str
) -> None:
    slots = torch.from_numpy(reference["input_ids"][:, PROMPT:])
    prefix = model.assemble(batch_of(reference))
    fed = model.language_model.embed(slots)[:, None]
    states = model.run(prefix, fed, "causal", slot_rule)
    logits = model.language_model.logits(states[:, -TAIL:], FIRST_ID, COUNT)[0]
    np.testing.assert_allclose(logits, reference[f"{name}_logits_tail"], atol=1e-4)
    everything = model.language_model.logits(states[:, -TAIL:], 0, 151680)[0]
    np.testing.assert_array_equal(everything.argmax(-1), reference[f"{name}_argmax_tail"])


@torch.inference_mode()
def test_released_decoding_follows_the_training_mask(
    model: EvlaModel, reference: dict[str, np.ndarray]
) -> None:
    """Feeding the decoded ids back through the published mask in one pass predicts the same ids."""
    batch = batch_of(reference)
    values = decode(model, batch, "released")
    ids = model.action_tokenizer.encode(values.flatten(1).numpy())
    logits = model.forward_tokens(batch, torch.from_numpy(ids), slot_rule="hidden")
    predicted = logits.argmax(-1) + model.action_tokenizer.first_id
    # ids whose bin shares its centre with the neighbour come back as the neighbour
    same = model.action_tokenizer.decode(predicted.numpy()) == values.flatten(1).numpy()
    assert same.all()
