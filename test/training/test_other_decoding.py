# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights that answer token by token, fine-tuned to answer otherwise: the loss falls.

So OpenVLA's and EVLA's weights become policies that give a chunk at once.
"""

from __future__ import annotations

import pytest
import torch
from small_training import CONTINUOUS, write_imported

from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.presets import load_preset
from evla_ros.training.config_file import parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.metrics import read_metrics
from evla_ros.training.model_changes.lora import add_lora, merged_tensors
from evla_ros.training.train import train

TOKENS = {"heads": ["tokens"], "output": "tokens"}


def learn(settings, start, action, steps=60, **more):
    """Fine-tune and return (first loss, last loss, the checkpoint)."""
    settings["model"] = {"start": str(start), "action": action, "cameras": ["primary"]}
    settings["optimizer"].update(steps=steps, batch=8)
    settings.update(save_every=steps, eval_every=steps, **more)
    folder = train(parse_config(settings, "test"))
    losses = [entry["loss"] for entry in read_metrics(folder) if "loss" in entry]
    return losses[0], sum(losses[-5:]) / 5, load_checkpoint(folder / "last")


@pytest.mark.parametrize(
    ("action", "share"),
    [
        ({"decode": "joint", **TOKENS, "mask": "bidirectional"}, 0.6),
        (CONTINUOUS, 0.5),
        ({"decode": "joint", "heads": ["tokens", "l1"], "output": "l1"}, 0.6),
        ({}, 0.6),
    ],
    ids=["joint tokens", "l1", "both heads", "as it was"],
)
def test_autoregressive_weights_learn_another_decoding(
    settings, tmp_path, tiny_preset, action, share
):
    start = write_imported(tmp_path / "imported", tiny_preset)
    first, last, made = learn(settings, start, action)
    assert last < share * first
    wanted = {"decode": "autoregressive", **TOKENS, **action}
    assert made.config.action.decode == wanted["decode"]
    assert list(made.config.action.heads) == wanted["heads"]
    assert made.config.action.chunk == 4


def test_released_weights_train_with_the_rule_that_they_serve_with(settings, tmp_path, tiny_preset):
    start = write_imported(tmp_path / "imported", tiny_preset, "released")
    first, last, made = learn(settings, start, {})
    assert last < 0.6 * first
    assert made.config.action.decode == "released"


def test_parts_that_were_never_trained_learn_whole_beside_adapters(
    settings, tmp_path, tiny_preset, capsys
):
    pytest.importorskip("peft", reason="LoRA needs peft")
    untrained = ("projector", "action_rows")
    start = write_imported(tmp_path / "imported", tiny_preset, untrained=untrained)
    first, last, made = learn(settings, start, CONTINUOUS, lora={"rank": 2, "alpha": 4.0})
    assert "RANDOM, because no part brought them: projector, action_rows" in capsys.readouterr().err
    assert last < 0.7 * first
    assert made.config.untrained == ("action_rows",)  # L1 asks no token
    old = dict(load_checkpoint(start).model.named_parameters())
    new = dict(made.model.named_parameters())
    assert torch.linalg.matrix_rank(new["projector.0.weight"] - old["projector.0.weight"]) > 2
    name = "language_model.body.layers.0.mlp.up_proj.weight"
    assert torch.linalg.matrix_rank(new[name] - old[name], rtol=1e-3) <= 2
    table = "language_model.body.embed_tokens.weight"
    assert torch.equal(new[table], old[table])


def test_new_action_rows_learn_and_other_rows_stay(settings, tmp_path, tiny_preset):
    pytest.importorskip("peft", reason="LoRA needs peft")
    start = write_imported(tmp_path / "imported", tiny_preset, untrained=["action_rows"])
    action = {"decode": "joint", **TOKENS}
    first, last, made = learn(settings, start, action, lora={"rank": 2, "alpha": 4.0})
    assert last < 0.8 * first
    table = "language_model.body.embed_tokens.weight"
    new, old = (dict(c.model.named_parameters())[table] for c in (made, load_checkpoint(start)))
    rows = slice(576 - 256, 576)
    assert torch.equal(new[:320], old[:320])
    assert bool((new[rows] != old[rows]).any(1).all())


@pytest.mark.parametrize("family", ["qwen2", "gemma", "phi"])
@torch.inference_mode()
def test_own_rows_are_the_tables_rows(tiny_preset, family):
    pytest.importorskip("peft", reason="LoRA needs peft")
    from evla_ros.training.config import LoraSettings

    config = load_preset(tiny_preset)
    tied = family != "phi"
    llm = config.language_model.model_copy(
        update={"family": family, "tie_embeddings": tied, "key_value_heads": 4}
    )
    model = EvlaModel(config.model_copy(update={"language_model": llm})).eval()
    ids = torch.tensor([[3, 400, 575, 319]])
    hidden = torch.randn(1, 5, 32)
    before = model.language_model.embed(ids), model.language_model.logits(hidden, 0, 576)
    add_lora(model, LoraSettings(rank=2), 0, ["action_rows"])
    after = model.language_model.embed(ids), model.language_model.logits(hidden, 0, 576)
    for one, two in zip(before, after, strict=True):
        torch.testing.assert_close(one, two)
    rows = model.language_model.own_rows
    assert rows is not None
    rows.input.add_(1.0)
    plain = EvlaModel(model.config).eval()
    plain.load_state_dict(merged_tensors(model))
    torch.testing.assert_close(plain.language_model.embed(ids), model.language_model.embed(ids))
    part = model.language_model.logits(hidden, 300, 100)
    torch.testing.assert_close(plain.language_model.logits(hidden, 300, 100), part)


def test_random_parts_may_not_be_frozen(settings, tmp_path, tiny_preset):
    start = write_imported(tmp_path / "imported", tiny_preset, untrained=["projector"])
    with pytest.raises(TrainingError, match="freeze: projector: the weights of projector are"):
        learn(settings, start, CONTINUOUS, freeze=["projector"])


def test_adapters_go_on_with_what_they_trained(settings, tmp_path, tiny_preset):
    pytest.importorskip("peft", reason="LoRA needs peft")
    start = write_imported(tmp_path / "imported", tiny_preset, untrained=["projector"])
    settings["lora"] = {"rank": 2}
    learn(settings, start, CONTINUOUS, steps=4)
    settings["optimizer"]["steps"] = 8
    folder = train(parse_config(settings, "test"), resume=True)
    assert [e["step"] for e in read_metrics(folder) if "loss" in e][-1] == 8
