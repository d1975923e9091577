# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated data of a two-armed world: named things, counterfactual answers, one dataset."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mujoco", reason="simulated data needs MuJoCo")

from evla_ros.recipes.simulated_data.captions import conversation
from evla_ros.recipes.simulated_data.collect import collect_episode
from evla_ros.recipes.simulated_data.dataset import collect_dataset
from evla_ros.recipes.simulated_data.objects import object_columns, object_names, object_positions
from evla_ros.recipes.simulated_data.relabel import draw_tasks, relabel
from evla_ros.recipes.simulated_data.settings import CollectJob, CollectSettings
from evla_ros.sim.experts.style import Style
from evla_ros.sim.worlds import make_world
from evla_ros.training.samples.sample import draw_answers, objects_at
from evla_ros.training.samples.source import Source
from evla_ros.training.samples.standardize import evla
from evla_ros.training.samples.taught import sampled_steps

BOTH_HANDED = ("hand_over", "lift_tray", "lift_both")
IS_ITS_COLOUR = {
    "red block": lambda r, g, b: r > 2 * max(g, b),
    "green block": lambda r, g, b: g > 2 * max(r, b),
    "blue block": lambda r, g, b: b > 1.5 * max(r, g),
    "bar": lambda r, g, b: min(r, b) > 1.3 * g,
    "tray": lambda r, g, b: min(r, b) > 1.2 * g,
}


@pytest.fixture(scope="module")
def world():
    made = make_world("humanoid_upper_body", image_size=96)
    yield made
    made.close()


@pytest.mark.parametrize("family", BOTH_HANDED)
def test_things_are_named_where_the_picture_shows_them(world, family):
    hits = total = 0  # hands may hide a block
    for seed in range(4):
        world.reset(seed, family, randomize=False)
        image = world.images(["primary"])["primary"].astype(int)
        pixels = object_columns(world)["object_pixels"]
        for name, place in zip(object_names(world), pixels, strict=True):
            if name in IS_ITS_COLOUR and place[0] >= 0:
                right, down = (place * 96).astype(int)
                total += 1
                hits += bool(IS_ITS_COLOUR[name](*image[down, right]))
    assert total >= 8
    assert hits >= 0.7 * total


def test_only_what_is_on_the_table_has_a_place(world):
    world.reset(0, "lift_tray")
    places = object_positions(world)
    assert {"tray", "left handle", "right handle", "left hand", "right hand"} <= set(places)
    assert not {"bowl", "plate", "bar", "far bar end"} & set(places)
    assert set(places) <= set(object_names(world))
    left, right = places["left handle"], places["right handle"]
    np.testing.assert_allclose((left + right)[:2] / 2, places["tray"][:2], atol=0.01)
    assert left[1] > right[1]


@pytest.mark.parametrize("family", BOTH_HANDED)
def test_other_instructions_are_answered_with_both_arms(world, family):
    grammar, rng = world.suite.grammar, np.random.default_rng(0)
    own = world.reset(1, family)
    before = world.save_state()
    drawn = draw_tasks(world, own, 3, rng)
    assert len(drawn) == 3
    assert len({task.key for task in (own, *drawn)}) == 4
    for task in drawn:
        assert task.key not in grammar.held_out
        assert world.suite.feasible(world, task)
        assert relabel(world, task, Style(), 4).actions.shape == (4, 14)
    np.testing.assert_array_equal(before.physics, world.save_state().physics)
    for task in draw_tasks(world, own, 3, rng, ("lift", "lift_both")):
        assert task.family in ("lift", "lift_both")


def test_the_hand_that_is_named_moves(world):
    task = world.reset(2, "lift")
    answer = relabel(world, task, Style(), 6).actions.reshape(6, 2, 7)
    moved = np.linalg.norm(answer[..., :3].sum(0), axis=-1)
    named = ("left", "right").index(task.slots[1])
    assert moved[named] > 0.05 > moved[1 - named]


def test_conversations_speak_of_things_not_of_hands(world):
    world.reset(3, "hand_over")
    turns = conversation(world, np.random.default_rng(0))
    on_the_table = turns[0][1]["value"]
    assert "a bar" in on_the_table
    assert "hand" not in on_the_table


def test_dataset_has_what_grounding_and_counterfactuals_need(tmp_path):
    settings = CollectSettings(max_ticks=60)
    job = CollectJob("humanoid_upper_body", 3, 50, 64, settings, families=BOTH_HANDED)
    source = Source(collect_dataset(tmp_path, "tiny_humanoid", job), "train")
    source.check(14, 16, ["primary", "left_wrist", "right_wrist"])
    index, step = source.locate(0)
    episode = source.episode(index)
    assert objects_at(episode, step)
    answers = draw_answers(episode, step, 8, 3, np.random.default_rng(0))
    assert len({answer.instruction for answer in answers}) == 3


@pytest.mark.parametrize(("relabels", "every"), [(0, 1), (1, 2)])
def test_every_step_is_learned_where_none_has_other_answers(world, relabels, every):
    settings = CollectSettings(relabels=relabels, max_ticks=6)
    episode = collect_episode(world, 4, settings, task="lift_both")
    np.testing.assert_array_equal(sampled_steps(evla(episode)), range(0, 6, every))
