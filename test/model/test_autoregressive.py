# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stepwise decoder over its static cache against full teacher-forced forwards."""

from __future__ import annotations

import pytest
import torch
from tiny_model import FAMILIES, random_batch, tiny_config, tiny_model

from evla_ros.model.attention_mask import SlotRule
from evla_ros.model.decode import decode
from evla_ros.model.decode_autoregressive import decode_stepwise

RULES: tuple[SlotRule, ...] = ("causal", "hidden")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rule", RULES)
@torch.inference_mode()
def test_stepwise_equals_the_full_forward(family: str, rule: SlotRule) -> None:
    config = tiny_config(family, proprio=5, cameras=2, mask="prefix_lm")
    model = tiny_model(config)
    batch = random_batch(config, [9, 4, 14])
    rows = decode_stepwise(model, batch, rule)
    ids = rows + model.action_tokenizer.first_id
    logits = model.forward_tokens(batch, ids, slot_rule=rule)
    chosen = logits.gather(-1, rows[..., None])[..., 0]
    torch.testing.assert_close(chosen, logits.amax(-1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_runs_forward_backward_and_decodes(family: str) -> None:
    config = tiny_config(family)
    model = tiny_model(config)
    batch = random_batch(config, [6, 11])
    result = model.forward_joint(batch)
    ids = torch.randint(model.action_tokenizer.first_id, 576, (2, config.action.slots))
    teacher_forced = model.forward_tokens(batch, ids)
    assert result.logits is not None
    assert result.actions is not None
    loss = result.logits.logsumexp(-1).mean() + result.actions.abs().mean()
    (loss + teacher_forced.logsumexp(-1).mean()).backward()
    unused = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert unused == []
    for mode in ("joint", "autoregressive", "released"):
        actions = decode(model, batch, mode)
        assert actions.shape == (2, 2, 7)
        assert actions.isfinite().all()


@torch.inference_mode()
def test_autoregression_is_causal() -> None:
    """A later action id changes no earlier prediction and every later one (the hidden rule.

    Only the next).
    """
    config = tiny_config()
    model = tiny_model(config)
    batch = random_batch(config, [6])
    ids = torch.randint(model.action_tokenizer.first_id, 576, (1, 14))
    other = ids.clone()
    other[0, 5] = (
        model.action_tokenizer.first_id + (ids[0, 5] - model.action_tokenizer.first_id + 9) % 256
    )
    for rule, reach in (("causal", range(6, 14)), ("hidden", range(6, 7))):
        difference = model.forward_tokens(batch, ids, rule) - model.forward_tokens(
            batch, other, rule
        )
        changed = (difference.abs().amax(-1)[0] > 1e-6).nonzero().flatten().tolist()
        assert changed == list(reach), rule


@torch.inference_mode()
def test_padding_does_not_reach_stepwise_decoding() -> None:
    config = tiny_config()
    model = tiny_model(config)
    padded = random_batch(config, [5], pad_to=20)
    short = type(padded)(padded.input_ids[:, :5], padded.text_lengths, images=padded.images)
    for rule in RULES:
        assert torch.equal(
            decode_stepwise(model, padded, rule), decode_stepwise(model, short, rule)
        )
