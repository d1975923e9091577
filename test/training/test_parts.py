# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The small parts: schedule, average, freezing, adapters, losses, subsets of steps, grounding."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from evla_ros.model.action_tokenizer import ActionTokenizer
from evla_ros.model.attention_kernel import set_attention
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.presets import load_preset
from evla_ros.training.config import LoraSettings
from evla_ros.training.config_file import parse_config
from evla_ros.training.ema import Ema
from evla_ros.training.evaluation.offline_eval import comparable_ids
from evla_ros.training.model_changes.freeze import freeze
from evla_ros.training.model_changes.lora import add_lora, merged_tensors
from evla_ros.training.objective.grounding import Grounding
from evla_ros.training.objective.losses import action_sums, taught, token_sums
from evla_ros.training.objective.step_subset import draw_steps, forward_steps
from evla_ros.training.parts import build
from evla_ros.training.run_settings import OptimizerSettings
from evla_ros.training.samples.batch import Collator
from evla_ros.training.samples.standardize import binary_gripper, bridge
from evla_ros.training.samples.streams import stream
from evla_ros.training.schedule import learning_rate

REST = {"slot_embedding", "proprio", "l1_head"}


@pytest.fixture
def parts(settings):
    config = parse_config(settings, "test")
    built = build(config)
    return built, stream(built, config, built.train, None, train=True)


def test_learning_rate_warms_up_and_falls_to_zero():
    settings = OptimizerSettings(steps=100, warmup_steps=10, learning_rate=1.0)
    rates = [learning_rate(settings, step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0.0)
    constant = settings.model_copy(update={"schedule": "constant"})
    assert learning_rate(constant, 90) == 1.0


def test_average_is_put_in_and_taken_out():
    model = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.zeros_(model.weight)
    ema = Ema(model, 0.5)
    torch.nn.init.ones_(model.weight)
    ema.update(100)
    with ema.applied():
        assert model.weight.tolist() == [[0.5, 0.5]] * 2
    assert model.weight.tolist() == [[1.0, 1.0]] * 2


@pytest.mark.parametrize(
    ("frozen", "learning"),
    [
        (["vision"], {"projector", "language_model", *REST}),
        (["vision", "projector", "llm"], REST),
        (["llm_but_last"], {"backbones", "projector", "language_model", *REST}),
    ],
)  # fmt: skip
def test_frozen_parts(tiny_preset, frozen, learning):
    model = EvlaModel(load_preset(tiny_preset, proprio_dim=8))
    freeze(model, frozen)
    assert {n.split(".")[0] for n, p in model.named_parameters() if p.requires_grad} == learning
    layers = model.language_model.body.layers
    if "llm_but_last" in frozen:
        assert not any(p.requires_grad for p in layers[0].parameters())
        assert all(p.requires_grad for p in layers[-1].parameters())


def test_merged_adapters_equal_the_adapted_model(parts):
    pytest.importorskip("peft", reason="LoRA needs peft")
    built, samples = parts
    batch = samples.batch([0, 1])
    model = built.model.eval()
    add_lora(model, LoraSettings(rank=4, alpha=8.0), seed=0)
    assert all(
        "lora_" in n or n.startswith(("l1_head", "slot"))
        for n, p in model.named_parameters()
        if p.requires_grad
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.05)
        adapted = model.forward_joint(batch.inputs)
        plain = EvlaModel(model.config)
        plain.load_state_dict(merged_tensors(model))
        merged = plain.eval().forward_joint(batch.inputs)
    torch.testing.assert_close(merged.actions, adapted.actions, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(merged.logits, adapted.logits, rtol=1e-4, atol=1e-5)


def test_rows_past_the_end_change_nothing(parts):
    built, samples = parts
    batch = samples.batch(range(12))
    assert not bool(batch.valid.all())
    output = built.model.forward_joint(batch.inputs)
    before = action_sums(built.model, output, batch, 1.0, 1.0)
    batch.actions[~batch.valid] = 0.77
    after = action_sums(built.model, output, batch, 1.0, 1.0)
    assert before.loss.item() == pytest.approx(after.loss.item())
    torch.testing.assert_close(before.error, after.error)
    assert int(before.count) == int(batch.valid.sum()) * 7


def test_true_actions_have_no_error_and_full_accuracy(parts):
    built, samples = parts
    batch = samples.batch(range(4))
    rows = built.model.action_tokenizer.rows(batch.actions)
    output = built.model.forward_joint(batch.inputs)
    perfect = torch.nn.functional.one_hot(rows.flatten(2), 256).float() * 50
    made = type(output)(**{**output.__dict__, "logits": perfect, "actions": batch.actions})
    sums = action_sums(built.model, made, batch, 1.0, 1.0)
    assert int(sums.right) == int(sums.count)
    assert float(sums.error.sum()) == 0.0
    assert float(sums.loss) < 1e-3


def test_answers_of_the_true_tokens_agree_at_the_ends_of_the_range_too():
    tokenizer = ActionTokenizer(1024)
    true = np.array([-1.0, -0.3, 0.0, 0.996, 1.0])
    answers = tokenizer.decode(tokenizer.encode(true))
    assert (comparable_ids(tokenizer, answers) == comparable_ids(tokenizer, true)).all()
    assert comparable_ids(tokenizer, np.array([0.98])) != comparable_ids(tokenizer, true[-1:])


def test_autoregressive_loss_counts_action_tokens_only(parts):
    built, samples = parts
    batch = samples.batch(range(4))
    sums = token_sums(built.model, batch, taught(built.model, batch))
    assert 4.0 < float(sums.loss.detach() / sums.count) < 8.0  # about log(256) before any training
    assert int(sums.count) % 7 == 0


def test_a_subset_of_isolated_steps_gives_the_same_answers(settings):
    settings["model"]["action"] = {"mask": "isolated"}
    config = parse_config(settings, "test")
    built = build(config)
    inputs = stream(built, config, built.train, None, train=True).batch([0, 3, 5]).inputs
    steps = draw_steps(4, 2, torch.Generator().manual_seed(0))
    assert steps[0] == 0
    with torch.no_grad():
        whole = built.model.forward_joint(inputs)
        part = forward_steps(built.model, inputs, steps)
    torch.testing.assert_close(part.actions, whole.actions[:, :, steps], rtol=1e-4, atol=1e-5)
    logits = whole.logits.unflatten(2, (4, 7))[:, :, steps].flatten(2, 3)
    torch.testing.assert_close(part.logits, logits, rtol=1e-4, atol=1e-5)


def test_nouns_are_found_at_their_tokens(parts):
    _, samples = parts
    collate: Collator = samples.collate
    objects = {"red block": np.arange(5, dtype=np.float32), "bowl": np.zeros(5, np.float32)}
    (column, place), (other, _) = collate.noun_columns("put the red block in the bowl", objects)
    prompts = collate.processor.prompt_builder
    ids = prompts.encode("put the red block in the bowl")
    assert prompts.tokenizer.decode([ids[column]]).strip()[0] == "r"
    assert prompts.tokenizer.decode([ids[other]]).strip()[0] == "b"
    assert column < other
    assert place[3] == 3.0


def test_two_things_of_one_noun_are_both_found(parts):
    _, samples = parts
    collate: Collator = samples.collate
    objects = {f"{c} block": np.full(5, i, np.float32) for i, c in enumerate(("blue", "red"))}
    (first, blue), (second, red) = collate.noun_columns("lift the blue and red blocks", objects)
    assert first < second
    assert (blue[0], red[0]) == (0.0, 1.0)
    assert not collate.noun_columns("lift the green and yellow blocks", objects)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_grounding_learns_from_seen_things_only(settings, attention):
    config = parse_config(settings, "test")
    built = build(config)
    model = built.model.train()
    set_attention(model, attention)
    looks: list[torch.Tensor] = []
    layers = model.language_model.body.layers
    layer, last = layers[0].self_attn, layers[1].self_attn
    for module in (layer, last):
        module.register_forward_hook(lambda _module, _inputs, output: looks.append(output[1]))
    grounding = Grounding(model, layer=0)
    batch = stream(built, config, built.train, None, train=True).batch([0, 1])
    losses = grounding(model.forward_joint(batch.inputs), batch)
    assert all(
        float(v.detach()) == 0.0 for v in losses.values()
    )  # this dataset does not say where things are
    batch.noun[:, :, 0] = 3
    batch.point[:, :, 0] = torch.tensor([0.3, 0.6, 0.01, 0.02, 0.03])
    output = model.forward_joint(batch.inputs)
    losses = grounding(output, batch)
    assert set(losses) == {"pointer", "place", "attention", "slots"}
    if attention == "eager":  # what the layers themselves answered, in head 0
        side = grounding.side
        instructions, text = batch.noun.shape[1], output.text_states.shape[2] - 1
        slots = output.slot_states.shape[2]
        shared = looks[-1].shape[-1] - instructions * (text + slots)
        starts = [shared + r * (text + slots) for r in range(instructions)]
        nouns = [start + 3 - 1 for start in starts]
        seen = looks[-2][:, 0, nouns, 1 + int(0.6 * side) * side + int(0.3 * side)]
        torch.testing.assert_close(losses["attention"], -seen.log().mean())
        from_slots = [
            looks[-1][:, 0, start + text : start + text + slots, noun]
            for start, noun in zip(starts, nouns, strict=True)
        ]
        torch.testing.assert_close(losses["slots"], -torch.stack(from_slots).log().mean())
    sum(losses.values()).backward()
    assert float(layer.q_proj.weight.grad.abs().sum()) > 0
    assert float(last.q_proj.weight.grad.abs().sum()) > 0
    batch.noun[1] = 0  # a sample whose instructions name nothing that is seen
    model.zero_grad()
    sum(grounding(model.forward_joint(batch.inputs), batch).values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_gripper_takes_the_value_reached_next():
    opening = np.array([1.0, 0.6, 0.3, 0.0, 0.4, 0.97], dtype=np.float32)
    assert binary_gripper(opening).tolist() == [1.0, 0.0, 0.0, 0.0, 1.0, 1.0]


def test_bridge_deltas_are_taken_on_the_circle(shared):
    from evla_ros.data.rlds.reader import RldsDataset

    dataset = RldsDataset.open(shared / "data" / "bridge_dataset")
    for episode in dataset.episodes("train"):
        standard = bridge(episode)
        state = episode.observations["state"]
        assert standard.cameras == {"primary": "image_0"}
        assert np.abs(standard.action[standard.first : standard.last, 3:6]).max() < np.pi
        moved = state[1:, :3] - state[:-1, :3]
        np.testing.assert_allclose(standard.action[:-1, :3], moved, atol=1e-6)
        assert set(np.unique(standard.action[:, 6])) <= {0.0, 1.0}


def test_grounding_reads_the_autoregressive_forward_as_it_reads_the_joint_one(parts):
    """Both see the same prefix, so nouns and patches have the same states in both."""
    built, samples = parts
    batch = samples.batch(range(4))
    joint, stepwise = built.model.forward_joint(batch.inputs), taught(built.model, batch)
    assert stepwise.slot_states.shape == joint.slot_states.shape
    torch.testing.assert_close(stepwise.image_states, joint.image_states)
    torch.testing.assert_close(stepwise.text_states, joint.text_states)


@pytest.mark.skipif(sys.platform != "linux", reason="counts the page faults of Linux and glibc")
def test_freed_memory_is_used_again():
    """Ten tensors of 36 MiB, one after the other, all touch new pages; with the setting none does.

    glibc maps blocks of more than 32 MiB anew. The setting is for the rest of a process, so this
    one is made for it.
    """
    work = (
        "import resource, torch\n"
        "from evla_ros.training.memory_reuse import keep_freed_memory\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "def touched():\n"
        "    before = faults()\n"
        "    for _ in range(10): torch.ones(9 << 20)\n"
        "    return (faults() - before) * resource.getpagesize() / (9 << 22)\n"
        "plain = touched()\n"
        "keep_freed_memory()\n"
        "for _ in range(20): torch.ones(9 << 20)\n"  # until one of the right alignment is free
        "print(plain, touched())\n"
    )
    words = [sys.executable, "-c", work]
    said = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    plain, kept = map(float, said.split())
    assert plain > 5
    assert kept < 2
