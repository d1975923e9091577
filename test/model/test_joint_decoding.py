# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One forward for every number: independent of padding, mates and order.

Equal to a stepwise decode.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch
from tiny_model import random_batch, tiny_config, tiny_model

from evla_ros.model.acceleration import CudaGraphStep
from evla_ros.model.config import MaskKind
from evla_ros.model.decode import decode
from evla_ros.model.decode_autoregressive import Stepper
from evla_ros.model.errors import ModelConfigError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput

MASKS = get_args(MaskKind)
LENGTHS = [9, 4, 14]


def logits(model: EvlaModel, batch: ModelInput) -> torch.Tensor:
    """The token logits of one forward."""
    result = model.forward_joint(batch).logits
    assert result is not None
    return result


def take(batch: ModelInput, rows: list[int]) -> ModelInput:
    """The given samples of a batch."""
    fields = {k: v[rows] for k, v in vars(batch).items() if v is not None}
    return replace(batch, **fields)


@pytest.mark.parametrize("mask", MASKS)
@torch.inference_mode()
def test_a_sample_does_not_depend_on_padding_mates_or_order(mask: str) -> None:
    config = tiny_config(mask=mask, proprio=5)
    model = tiny_model(config)
    batch = random_batch(config, LENGTHS)
    together = logits(model, batch)
    for row, length in enumerate(LENGTHS):
        single = take(batch, [row])
        alone = replace(single, input_ids=single.input_ids[:, :length])
        torch.testing.assert_close(logits(model, alone)[0], together[row], atol=1e-5, rtol=0)
    longer = torch.full((3, 40), 7)
    longer[:, : batch.input_ids.shape[1]] = batch.input_ids
    torch.testing.assert_close(
        logits(model, replace(batch, input_ids=longer)), together, atol=1e-5, rtol=0
    )
    order = [2, 0, 1]
    torch.testing.assert_close(
        logits(model, take(batch, order)), together[order], atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("mask", MASKS)
@torch.inference_mode()
def test_every_input_matters(mask: str) -> None:
    """The counterpart of independence: text, image and proprio each change every slot."""
    config = tiny_config(mask=mask, proprio=5)
    model = tiny_model(config)
    batch = random_batch(config, [9])
    before = logits(model, batch)
    assert batch.images is not None
    assert batch.proprio is not None
    ids = batch.input_ids.clone()
    ids[0, 8] += 1
    changed = [
        replace(batch, input_ids=ids),
        replace(batch, images=255 - batch.images),
        replace(batch, proprio=-batch.proprio),
    ]
    for other in changed:
        assert ((logits(model, other) - before).abs().amax(-1) > 1e-4).all()


@torch.inference_mode()
def test_isolated_one_pass_equals_stepwise_decode_over_the_prefix_cache() -> None:
    config = tiny_config(mask="isolated", proprio=5, cameras=2)
    model = tiny_model(config)
    batch = random_batch(config, LENGTHS)
    one_pass = model.forward_joint(batch).slot_states
    stepper = Stepper(model, model.assemble(batch), "isolated", config.action.slots)
    for index in reversed(range(config.action.slots)):  # any order: slots do not see each other
        slot = model.slot_embedding[index].expand(len(LENGTHS), 1, -1)
        torch.testing.assert_close(
            stepper.step(index, slot)[:, 0], one_pass[:, index], atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("head", ["tokens", "l1"])
def test_gradient_reaches_every_slot(mask: str, head: str) -> None:
    config = tiny_config(mask=mask)
    model = tiny_model(config)
    result = model.forward_joint(random_batch(config, LENGTHS))
    output = result.logits if head == "tokens" else result.actions
    assert output is not None
    output.square().sum().backward()
    gradient = model.slot_embedding.grad
    assert gradient is not None
    assert (gradient.abs().amax(dim=1) > 0).all()


@torch.inference_mode()
def test_slots_see_each_other_only_when_the_mask_says_so() -> None:
    for mask in MASKS:
        config = tiny_config(mask=mask)
        model = tiny_model(config)
        batch = random_batch(config, [6])
        before = logits(model, batch)
        with torch.no_grad():
            model.slot_embedding[3] += 1.0
        changed = (logits(model, batch) - before).abs().amax(-1)[0] > 1e-6
        expected = torch.ones_like(changed) if mask != "isolated" else torch.arange(14) == 3
        assert torch.equal(changed, expected), mask


@pytest.mark.parametrize(("chunk", "dim"), [(1, 7), (8, 7), (8, 14)])
@torch.inference_mode()
def test_chunk_and_dimension_are_free(chunk: int, dim: int) -> None:
    config = tiny_config(chunk=chunk, dim=dim)
    result = tiny_model(config).forward_joint(random_batch(config, [5, 3]))
    assert result.logits is not None
    assert result.actions is not None
    assert result.logits.shape == (2, chunk * dim, 256)
    assert result.actions.shape == (2, chunk, dim)


@torch.inference_mode()
def test_packed_instructions_equal_separate_samples() -> None:
    config = tiny_config(mask="block_prefix_lm", proprio=5, cameras=2)
    model = tiny_model(config)
    batch = random_batch(config, [9, 4])
    ids = torch.randint(0, 300, (2, 3, 9))
    ids[..., 0] = 0  # token 0 is shared
    lengths = torch.tensor([[9, 4, 7], [3, 9, 2]])
    packed = model.forward_joint(replace(batch, input_ids=ids, text_lengths=lengths))
    for index in range(3):
        separate = model.forward_joint(
            replace(batch, input_ids=ids[:, index], text_lengths=lengths[:, index])
        )
        assert packed.logits is not None
        assert packed.actions is not None
        torch.testing.assert_close(packed.logits[:, index], separate.logits, atol=1e-5, rtol=0)
        torch.testing.assert_close(packed.actions[:, index], separate.actions, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_cached_patch_features_equal_images() -> None:
    config = tiny_config(cameras=2)
    model = tiny_model(config)
    batch = random_batch(config, LENGTHS)
    assert batch.images is not None
    features = model.encode_images(batch.images)
    cached = replace(batch, images=None, patch_features=features)
    torch.testing.assert_close(logits(model, cached), logits(model, batch), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_eager_attention_equals_sdpa() -> None:
    config = tiny_config(mask="bidirectional")
    model = tiny_model(config)
    eager = EvlaModel(config, attention="eager").eval()
    eager.load_state_dict(model.state_dict())
    batch = random_batch(config, LENGTHS)
    torch.testing.assert_close(logits(eager, batch), logits(model, batch), atol=1e-5, rtol=0)


def test_autocast_and_half_precision_stay_close() -> None:
    """Masks must survive narrower dtypes: no padding leaks in, nothing becomes NaN."""
    config = tiny_config(mask="block_prefix_lm", proprio=5)
    model = tiny_model(config)
    batch = random_batch(config, LENGTHS)
    expected = model.forward_joint(batch).of_head("l1")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = model.forward_joint(batch).of_head("l1")
        mixed.square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    with torch.inference_mode():
        narrow = model.bfloat16().forward_joint(batch).of_head("l1")
        longer = torch.cat([batch.input_ids, batch.input_ids], dim=1)
        padded = model.forward_joint(replace(batch, input_ids=longer)).of_head("l1")
    assert narrow.dtype == torch.bfloat16
    for other in (mixed, narrow):
        assert (other.float() - expected).abs().max() < 0.15 * expected.abs().max()
    torch.testing.assert_close(padded, narrow, atol=0.05, rtol=0.05)


def test_an_absent_head_is_named() -> None:
    model = tiny_model(tiny_config(heads=["tokens"]))
    with pytest.raises(ModelConfigError, match="no 'l1' head"):
        decode(model, random_batch(model.config, [4]), "joint", "l1")


@pytest.mark.gpu
@torch.inference_mode()
def test_a_replayed_cuda_graph_equals_the_eager_step() -> None:
    config = tiny_config(mask="bidirectional")
    model = tiny_model(config).cuda()
    first, second = (random_batch(config, [7], seed=seed).to("cuda") for seed in (1, 2))
    for mode in ("joint", "autoregressive"):
        step = CudaGraphStep(lambda b, m=mode: decode(model, b, m), first)
        assert torch.equal(step(second), decode(model, second, mode))
