# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sample stream: chunk edges, masks, counterfactual answers, order, several datasets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evla_ros.training.config_file import parse_config
from evla_ros.training.parts import build
from evla_ros.training.samples.loader import Share, batches
from evla_ros.training.samples.sample import draw_answers, own_answer, relabelled
from evla_ros.training.samples.source import Source
from evla_ros.training.samples.streams import stream

CHUNK, LENGTH = 4, 9


def make_stream(settings, **changes):
    config = parse_config({**settings, **changes}, "test")
    parts = build(config)
    return stream(parts, config, parts.train, None, train=True), parts


def test_chunk_stops_at_the_end_of_its_episode(plain_dataset):
    episode = Source(plain_dataset, "train").episode(0)
    for step in range(LENGTH):
        answer = own_answer(episode, step, CHUNK)
        real = min(CHUNK, LENGTH - step)
        assert answer.valid.tolist() == [True] * real + [False] * (CHUNK - real)
        np.testing.assert_array_equal(answer.actions[:real], episode.action[step : step + real])


def test_every_step_is_seen_once_an_epoch(settings):
    made, parts = make_stream(settings)
    count = len(parts.train[0])
    orders = [[made._order(0, epoch)[i] for i in range(count)] for epoch in (0, 1)]
    assert sorted(orders[0]) == list(range(count)) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_sample_depends_on_seed_and_number_alone(settings):
    one, _ = make_stream(settings)
    two, _ = make_stream(settings)
    together = one.batch([4, 5, 6, 7])
    apart = two.batch([6])
    torch.testing.assert_close(together.inputs.images[2:3], apart.inputs.images)
    torch.testing.assert_close(together.actions[2:3], apart.actions)
    other, _ = make_stream(settings, seed=1)
    assert not torch.equal(other.batch([4, 5, 6, 7]).actions, together.actions)


def test_ranks_and_accumulation_share_one_stream():
    whole = Share(0, 1, 8, 1).numbers(3)
    parts = [n for f in (6, 7) for r in (0, 1) for n in Share(r, 2, 2, 2).numbers(f)]
    assert parts == whole


def test_worker_processes_give_the_same_batches(settings):
    made, _ = make_stream(settings)
    share = Share(0, 1, 3, 1)
    here = batches(made, share, 2, workers=0)
    there = batches(made, share, 2, workers=1)
    for _ in range(2):
        one, two = next(here), next(there)
        torch.testing.assert_close(one.actions, two.actions)
        torch.testing.assert_close(one.inputs.images, two.inputs.images)


def test_normalised_actions_come_back(settings, plain_dataset):
    made, parts = make_stream(settings)
    batch = made.batch([0])
    normalizer = parts.statistics.action("plain_set")
    physical = normalizer.unnormalize(batch.actions[0, 0].numpy())
    sources = [
        Source(plain_dataset, "train").episode(i).action
        for i in range(parts.train[0].episode_count)
    ]
    windows = [a[s : s + CHUNK] for a in sources for s in range(LENGTH - CHUNK + 1)]
    real = int(batch.valid[0, 0].sum())
    low, high = normalizer.low, normalizer.high
    clipped = [np.where(normalizer.mask, np.clip(w, low, high), w) for w in windows]
    if real == CHUNK:
        assert min(np.abs(physical - w).max() for w in clipped) < 1e-6


def test_counterfactual_answers_stand_beside_the_own_one(relabelled_dataset):
    source = Source(relabelled_dataset, "train")
    assert all(source.locate(n)[1] % 2 == 0 for n in range(len(source)))  # labelled steps only
    episode = source.episode(0)
    own, other = draw_answers(episode, 2, CHUNK, 2, np.random.default_rng(0))
    assert own.instruction == episode.episode.instruction
    assert other.instruction == relabelled(episode, 2, CHUNK)[0].instruction != own.instruction
    assert np.sign(own.actions[0, 0]) == -np.sign(other.actions[0, 0])


def test_an_own_answer_that_is_stored_takes_the_place_of_the_recorded_one(relabelled_dataset):
    episode = Source(relabelled_dataset, "train").episode(0)
    columns = episode.episode.columns
    stored = np.array(columns["relabel_instruction_0"], dtype=object)
    stored[2] = episode.episode.instructions[2]
    mine = replace(episode.episode, columns={**columns, "relabel_instruction_0": stored})
    answers = draw_answers(replace(episode, episode=mine), 2, CHUNK, 2, np.random.default_rng(0))
    (calm,) = relabelled(episode, 2, CHUNK)
    for answer in answers:
        assert answer.instruction == episode.episode.instructions[2]
        np.testing.assert_array_equal(answer.actions, calm.actions)


def test_weights_multiply_sizes(settings, plain_dataset, relabelled_dataset):
    entries = [{"path": str(plain_dataset), "weight": 3.0}, {"path": str(relabelled_dataset)}]
    made, parts = make_stream(settings, datasets=entries)
    drawn = torch.cat([made.batch(range(i, i + 50)).dataset for i in range(0, 400, 50)])
    sizes = [len(source) for source in parts.train]
    expected = 3 * sizes[0] / (3 * sizes[0] + sizes[1])
    assert abs(float((drawn == 0).float().mean()) - expected) < 0.07


def test_augmentation_changes_pictures_and_not_shapes(settings):
    plain, _ = make_stream(settings)
    changed, _ = make_stream(settings, data={"augment": True})
    one, two = plain.batch([0, 1]).inputs.images, changed.batch([0, 1]).inputs.images
    assert one.shape == two.shape
    assert two.dtype == torch.uint8
    assert not torch.equal(one, two)


def test_proprio_dropout_puts_the_mean(settings):
    made, parts = make_stream(settings, data={"proprio_dropout": 1.0})
    statistics = parts.train[0].statistics()["proprio"]
    expected = parts.statistics.proprio("plain_set").normalize(np.array(statistics["mean"]))
    np.testing.assert_allclose(made.batch([3]).inputs.proprio[0], expected, atol=1e-5)


@pytest.mark.parametrize("split", ["train", "val"])
def test_splits_do_not_share_episodes(plain_dataset, split):
    ids = {
        s: {
            e.episode.episode_id
            for e in map(
                Source(plain_dataset, s).episode, range(Source(plain_dataset, s).episode_count)
            )
        }
        for s in ("train", "val")
    }
    assert ids[split]
    assert not ids["train"] & ids["val"]
