# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversations: what is read, skipped and counted; which tokens are learned; missing pictures."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import torch
from torch.nn import functional

from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.errors import EvlaError
from evla_ros.model.attention_kernel import set_attention
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.fusion import fuse_projections
from evla_ros.model.model_input import ModelInput
from evla_ros.model.presets import load_preset
from evla_ros.model.text_tokenizer import train_tokenizer
from evla_ros.training.objective.next_token import text_rows
from evla_ros.training.samples.conversation_file import ConversationFile
from evla_ros.training.samples.conversation_rows import ConversationEncoder, pad
from evla_ros.training.samples.conversation_stream import ConversationStream
from evla_ros.training.samples.conversations import Conversation, Skipped, read_conversations

QUESTION = "In: {question}\nOut:"


@pytest.fixture
def tokenizer():
    return train_tokenizer(["In: what colour?\nOut: red\n"] * 3, 300)


def write(folder, items):
    (folder / "red.jpg").write_bytes(encode_jpeg(np.full((48, 48, 3), 90, dtype=np.uint8)))
    path = folder / "x.json"
    path.write_text(json.dumps(items))
    return path


def says(*pairs):
    return {"conversations": [{"from": role, "value": text} for role, text in pairs]}


def test_only_answers_are_learned(tokenizer):
    encoder = ConversationEncoder(tokenizer, (0,), QUESTION, 64)
    talk = Conversation((), (("what colour?", "red"), ("again?", "red")))
    row = encoder(talk)
    kept = [i for i, learned in zip(row.ids, row.learned, strict=True) if learned]
    assert tokenizer.decode(kept) == " red\n red\n"
    assert tokenizer.decode(row.ids[1:]) == "In: what colour?\nOut: red\nIn: again?\nOut: red\n"
    assert not row.cut
    short = ConversationEncoder(tokenizer, (0,), QUESTION, 4)
    assert short.may_exceed(talk)
    assert short(talk).cut
    _, lengths, mask = pad([row, short(talk)])
    assert lengths.tolist() == [len(row.ids), 4]
    assert not mask[1].any()


def test_an_answer_ends_with_the_end_of_text_where_there_is_one(tokenizer):
    tokenizer.add_special_tokens(["<|endoftext|>"])
    row = ConversationEncoder(tokenizer, (), QUESTION, 64)(Conversation((), (("a", "red"),)))
    assert row.ids[-1] == tokenizer.token_to_id("<|endoftext|>")
    assert row.learned[-1]


def test_a_caption_is_learned_without_its_question(tokenizer):
    encoder = ConversationEncoder(tokenizer, (0,), QUESTION, 64, captions=True)
    row = encoder(Conversation((), (("describe it", "red"),)))
    assert tokenizer.decode(row.ids[1:]) == "red\n"
    assert row.learned == [False] + [True] * (len(row.ids) - 1)


def test_turns_without_a_partner_are_skipped_and_counted(tmp_path):
    items = [
        says(("gpt", "hello"), ("human", "a?"), ("gpt", "b"), ("human", "left alone")),
        says(("human", "a?"), ("human", "b?"), ("gpt", "c")),
        says(("system", "be kind"), ("user", "a?"), ("assistant", "b")),
        says(("human", "a?"), ("gpt", "  ")),
        {"image": "gone.jpg", **says(("human", "a?"), ("gpt", "b"))},
        {"image": "red.jpg", **says(("human", "<image>\na?"), ("gpt", "b"))},
        {"image": ["red.jpg", "red.jpg"], "conversations": [{"value": "a?"}, {"value": "b"}]},
    ]
    skipped = Skipped()
    found = read_conversations(write(tmp_path, items), None, skipped)
    assert [c.turns for c in found[:3]] == [(("a?", "b"),), (("b?", "c"),), (("a?", "b"),)]
    assert [len(c.images) for c in found] == [0, 0, 0, 1, 2]
    assert sorted(skipped.counts.values()) == [1, 1, 1, 4]
    said = " ".join(skipped.sentences())
    assert (
        "4 turns without a question or an answer beside them are left out: x.json: item 0" in said
    )
    assert "1 conversations whose picture does not exist are left out: x.json: item 4" in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "holds no conversations"),
        ("{", "not valid JSON"),
        ('[{"image": "x.jpg"}]', "item 0 lacks"),
        ('[{"conversations": [{"value": 3}, {"value": "b"}]}]', "item 0 lacks"),
        ('[{"image": 4, "conversations": [{"value": "a"}, {"value": "b"}]}]', "item 0 lacks"),
        (
            '[{"image": "x.jpg", "conversations": [{"value": "a"}, {"value": "b"}]}]',
            "nothing can be learned: 1 conversations whose picture does not exist",
        ),
        ('[{"conversations": [{"value": "a"}, {"value": " "}]}]', "nothing can be learned"),
    ],
)
def test_malformed_files_name_the_item(tmp_path, text, message):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(EvlaError, match=message):
        read_conversations(path, None, Skipped())


def test_a_pickled_file_reads_the_same(tmp_path):
    items = [Conversation((), (("a", f"b{i}"),), f"item {i}") for i in range(5)]
    ConversationFile.write(tmp_path, items)
    found = pickle.loads(pickle.dumps(ConversationFile(tmp_path)))
    assert [found[i] for i in range(len(found))] == items


def test_an_epoch_shows_every_conversation_once(tokenizer, tiny_preset):
    items = [Conversation((), (("a", "red" * i),)) for i in range(1, 8)]
    encoder = ConversationEncoder(tokenizer, (0,), QUESTION, 64)
    config = load_preset(tiny_preset)
    stream = ConversationStream(items, np.arange(7), encoder, config, seed=1)
    orders = [[stream._index(n) for n in range(7 * epoch, 7 * epoch + 7)] for epoch in (0, 1, 0)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(7))
    assert orders[0] == orders[2] != orders[1]


def test_a_missing_picture_changes_nothing_for_its_neighbours(tokenizer, tiny_preset):
    """A row of a batch gives what it gives alone, whatever pictures the others have."""
    torch.manual_seed(0)
    model = EvlaModel(load_preset(tiny_preset)).eval()
    rows = text_rows(model, 300)
    ids = torch.randint(1, 290, (3, 9))
    lengths, counts = torch.tensor([9, 6, 7]), torch.tensor([2, 0, 1])
    images = torch.randint(0, 255, (3, 2, 3, 48, 48), dtype=torch.uint8)
    learned = torch.zeros(3, 9, dtype=torch.bool)
    for row, length in enumerate(lengths):
        learned[row, 1:length] = True
    proprio = torch.zeros(3, model.config.proprio_dim) if model.config.proprio_dim else None
    together, _ = model.forward_text(
        ModelInput(ids, lengths, images, proprio=proprio, image_counts=counts), learned, rows
    )
    alone = torch.zeros(())
    for row in range(3):
        count, length = max(1, int(counts[row])), int(lengths[row])
        one = ModelInput(
            ids[row : row + 1, :length], lengths[row : row + 1], images[row : row + 1, :count],
            image_counts=counts[row : row + 1],
        )  # fmt: skip
        alone = alone + model.forward_text(one, learned[row : row + 1, :length], rows)[0]
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("family", ["qwen2", "llama", "gemma", "phi", "qwen3"])
def test_what_is_causal_takes_no_mask_and_loses_the_same(tiny_preset, family, monkeypatch):
    """FlashAttention takes no mask: where pictures and text stand unbroken, none is made."""
    config = load_preset(tiny_preset)
    language = config.language_model.model_copy(update={"family": family})
    config = config.model_copy(update={"language_model": language, "proprio_dim": 0})
    torch.manual_seed(0)
    model = EvlaModel(config).eval()
    rows, ids = text_rows(model, 300), torch.randint(1, 290, (3, 9))
    learned = torch.zeros(3, 9, dtype=torch.bool)
    lengths = torch.tensor([9, 6, 7])
    for row, length in enumerate(lengths):
        learned[row, 2:length] = True
    images = torch.randint(0, 255, (3, 1, 3, 48, 48), dtype=torch.uint8)
    batch = ModelInput(ids, lengths, images)
    taken = []
    wanted = functional.scaled_dot_product_attention

    def watched(query, key, value, attn_mask=None, **settings):
        taken.append((attn_mask is None, settings.get("is_causal", False)))
        return wanted(query, key, value, attn_mask=attn_mask, **settings)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", watched)
    loss, _ = model.forward_text(batch, learned, rows)
    decoder = taken[-config.language_model.layers :]
    assert decoder == [(True, True)] * config.language_model.layers
    loss.backward()
    gradient = model.language_model.body.get_input_embeddings().weight.grad.clone()
    model.zero_grad()
    set_attention(model, "eager")  # which is given the mask
    masked, _ = model.forward_text(batch, learned, rows)
    masked.backward()
    torch.testing.assert_close(loss, masked, rtol=1e-5, atol=1e-4)
    expected = model.language_model.body.get_input_embeddings().weight.grad
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-5)
    set_attention(model, "sdpa")
    fuse_projections(model)  # joined products are as causal
    with torch.no_grad():
        joined, _ = model.forward_text(batch, learned, rows)
    torch.testing.assert_close(joined, masked.detach(), rtol=1e-5, atol=1e-4)


def test_text_alone_is_what_the_language_model_says(tiny_preset):
    """Without pictures the loss is that of the plain decoder on the plain text."""
    torch.manual_seed(0)
    model = EvlaModel(load_preset(tiny_preset)).eval()
    ids = torch.randint(1, 290, (1, 8))
    images = torch.zeros(1, 1, 3, 48, 48, dtype=torch.uint8)
    learned = torch.ones(1, 8, dtype=torch.bool)
    batch = ModelInput(ids, torch.tensor([8]), images, image_counts=torch.tensor([0]))
    loss, _ = model.forward_text(batch, learned, 320)
    states = model.language_model.body(input_ids=ids).last_hidden_state
    logits = model.language_model.logits(states, 0, 320)
    expected = functional.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="sum")
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-4)
