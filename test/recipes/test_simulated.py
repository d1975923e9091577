# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated data: counterfactual labels leave the world alone, places match the picture."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("mujoco", reason="simulated data needs MuJoCo")

from evla_ros.cli.main import main
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.errors import EvlaError
from evla_ros.policy.fixed import ScriptedPolicy
from evla_ros.recipes.simulated_data.captions import write_captions
from evla_ros.recipes.simulated_data.collect import collect_episode
from evla_ros.recipes.simulated_data.dataset import _half_chunks, collect_dataset
from evla_ros.recipes.simulated_data.objects import object_columns, object_names
from evla_ros.recipes.simulated_data.relabel import draw_tasks, relabel
from evla_ros.recipes.simulated_data.settings import CollectJob, CollectSettings
from evla_ros.sim.experts.style import Style
from evla_ros.sim.worlds import make_world
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.conversations import read_conversations
from evla_ros.training.samples.source import Source


@pytest.fixture(scope="module")
def world():
    made = make_world("tabletop_arm", image_size=64)
    yield made
    made.close()


def test_relabelling_leaves_the_world_as_it_was(world):
    own = world.reset(7, "lift")
    before = world.save_state()
    rng = np.random.default_rng(0)
    for task in draw_tasks(world, own, 3, rng):
        answer = relabel(world, task, Style(), 8)
        assert answer.actions.shape == (8, 7)
        assert task.key not in world.suite.grammar.held_out
        assert task.key != own.key
    after = world.save_state()
    np.testing.assert_array_equal(before.physics, after.physics)


def test_other_words_ask_for_other_motion(world):
    own = world.reset(11, "reach")
    others = [t for t in draw_tasks(world, own, 1, np.random.default_rng(0)) if t.family == "reach"]
    mine, theirs = (relabel(world, t, Style(), 4).actions[:, :3].sum(0) for t in (own, *others))
    assert np.linalg.norm(mine - theirs) > 0.01


def test_places_match_the_colours_in_the_picture(world):
    """Where a block is said to be, the picture has its colour (mostly: the arm may hide it)."""
    channel = {"red block": 0, "green block": 1, "blue block": 2}
    hits = total = 0
    for seed in range(8):
        world.reset(seed, "open", randomize=False)
        image = world.images(["primary"])["primary"].astype(int)
        columns = object_columns(world)
        for name, place in zip(object_names(world), columns["object_pixels"], strict=True):
            if name in channel and place[0] >= 0:
                right, down = (place * 64).astype(int)
                pixel = image[down, right]
                total += 1
                hits += int(pixel.argmax()) == channel[name]
    assert total >= 10
    assert hits >= 0.8 * total


def test_collected_episode_says_where_it_comes_from(world):
    settings = CollectSettings(max_ticks=40)
    episode = collect_episode(world, 3, settings, task="reach")
    again = collect_episode(world, 3, settings, task="reach")
    np.testing.assert_array_equal(episode.action, again.action)
    assert episode.metadata["collected_by"] == "expert"
    assert episode.metadata["follows_instruction"] is True
    labelled = episode.columns["relabel_steps_0"]
    assert (labelled[::2] == settings.chunk).all()
    assert (labelled[1::2] == 0).all()


def test_the_own_instruction_can_be_answered_without_the_noise_that_comes_later(world):
    settings = CollectSettings(max_ticks=20, relabels=1, own=True, noise=0.5)
    episode = collect_episode(world, 3, settings, task="reach")
    assert episode.metadata["follows_instruction"] is True
    assert list(episode.columns["relabel_instruction_0"][:3:2]) == [episode.instruction] * 2
    calm = episode.columns["relabel_actions_0"]
    assert calm[0][0] == pytest.approx(episode.action[0], abs=1e-6), "noise comes after the step"
    assert np.abs(calm[0][1:6] - episode.action[1:6]).max() > 1e-3


def test_labels_can_move_as_one_demonstrator_does_whoever_plays(world):
    """How fast an episode's demonstrator moves cannot be seen in the picture a label belongs to."""
    one, own = (
        collect_episode(
            world, 3, CollectSettings(max_ticks=6, own=True, one_style=style), task="lift"
        )
        for style in (True, False)
    )
    np.testing.assert_array_equal(one.action, own.action)
    task = world.suite.grammar.reworded(world.reset(3, "lift"), np.random.default_rng([3, 77]))
    first = one.columns["relabel_actions_0"][0]
    np.testing.assert_array_equal(first, relabel(world, task, Style(), 8).actions)
    assert np.abs(first - own.columns["relabel_actions_0"][0]).max() > 1e-3


def test_a_policys_states_are_answered_by_the_expert(world):
    settings = CollectSettings(max_ticks=6)
    episode = collect_episode(world, 5, settings, actor=lambda _: np.zeros(7), task="lift")
    assert episode.metadata["follows_instruction"] is False
    assert episode.columns["relabel_instruction_0"][0] == episode.instruction
    assert np.abs(episode.columns["relabel_actions_0"][0][:, :3]).max() > 0.01
    assert np.abs(episode.action).max() == 0.0


def test_dataset_is_written_once_and_read_by_the_trainer(tmp_path):
    job = CollectJob("tabletop_arm", 4, 50, 64, CollectSettings(max_ticks=60))
    path = collect_dataset(tmp_path, "tiny_sim", job)
    dataset = RldsDataset.open(path)
    assert sum(dataset.splits.values()) >= 2
    assert not list(tmp_path.glob(".*staging"))
    source = Source(path, "train")
    source.check(7, 8, ["primary", "wrist"])
    assert all(source.locate(number)[1] % 2 == 0 for number in range(len(source)))


def test_families_are_played_in_turn_and_an_unknown_one_is_named(tmp_path):
    settings = CollectSettings(max_ticks=60, relabels=0)
    job = CollectJob("tabletop_arm", 3, 50, 64, settings, families=("reach", "reach", "lift"))
    dataset = RldsDataset.open(collect_dataset(tmp_path, "chosen", job))
    played = [
        e.metadata["task_family"] for split in dataset.splits for e in dataset.episodes(split)
    ]
    assert sorted(played) == ["lift", "reach", "reach"]
    with pytest.raises(TrainingDataError, match="no task family 'stak'.*stack"):
        collect_dataset(tmp_path, "wrong", replace(job, families=("stak",)))


def test_an_unfinished_collection_takes_no_other_jobs_episodes(tmp_path):
    job = CollectJob("tabletop_arm", 2, 50, 64, families=("reach",))
    (tmp_path / ".tiny.staging").mkdir()
    (tmp_path / ".tiny.staging" / "job.json").write_text("{}")
    with pytest.raises(TrainingDataError, match="with other options"):
        collect_dataset(tmp_path, "tiny", job)
    assert (tmp_path / ".tiny.staging" / "job.json").read_text() == "{}"


def test_captions_are_llava_conversations(world, tmp_path):
    path = write_captions(world, tmp_path / "captions", 2)
    items = read_conversations(path)
    assert len(items) == 2
    assert "<image>" in json.loads(path.read_text())[0]["conversations"][0]["value"]
    answers = dict(items[0].turns)
    assert answers["what is on the table?"].count("block") >= 2
    with pytest.raises(EvlaError, match="exists"):
        write_captions(world, tmp_path / "captions", 1)


def test_killed_encoder_training_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch):
    from safetensors.torch import load_file

    from evla_ros.recipes import vision_stage as vision
    from evla_ros.recipes.vision_config import VisionConfig

    data = collect_dataset(tmp_path, "tiny_sim", CollectJob("tabletop_arm", 2, 50, 64))
    monkeypatch.setattr(vision, "SAVE_EVERY", 1)

    def learn(name):
        config = VisionConfig(tmp_path / name, (data,), steps=3, batch=2, warmup_steps=1)
        return load_file(vision.pretrain_vision(config))

    whole, step = learn("whole"), vision._Run.step

    def killed(run, number):
        if number == 2:
            raise KeyboardInterrupt
        return step(run, number)

    monkeypatch.setattr(vision._Run, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        learn("broken")
    monkeypatch.setattr(vision._Run, "step", step)
    broken = learn("broken")
    assert all(np.array_equal(whole[name], broken[name]) for name in whole)


def test_encoders_of_pictures_that_nobody_labelled_are_refused(tmp_path):
    from evla_ros.recipes import vision_stage as vision
    from evla_ros.recipes.vision_config import VisionConfig

    data = collect_dataset(tmp_path, "tiny_sim", CollectJob("tabletop_arm", 1, 50, 64))
    for camera, said in (
        ("wrist", "no `object_pixels_wrist`.*--cameras primary wrist"),
        ("wirst", "no camera 'wirst'; did you mean 'wrist'"),
    ):
        config = VisionConfig(tmp_path / camera, (data,), cameras=("primary", camera), steps=1)
        with pytest.raises(EvlaError, match=said):
            vision.pretrain_vision(config)


def test_encoders_learn_from_every_camera_that_says_where_things_are(tmp_path):
    from evla_ros.recipes import vision_stage as vision
    from evla_ros.recipes.vision_config import VisionConfig

    both = ("primary", "wrist")
    job = CollectJob("tabletop_arm", 1, 50, 64, CollectSettings(cameras=both))
    data = collect_dataset(tmp_path, "tiny_sim", job)
    config = VisionConfig(tmp_path / "vision", (data,), cameras=both, steps=1, batch=2)
    assert vision.pretrain_vision(config).is_file()


def test_a_policy_acts_half_its_chunk_before_it_looks_again(world):
    seen = []

    def still(observation):
        seen.append(observation)
        return np.zeros((8, 7))

    actor = _half_chunks(ScriptedPolicy(still, 8, 7))
    collect_episode(world, 5, CollectSettings(max_ticks=16), actor=actor)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["collect", "--workers", "0"], "--workers 0: at least 1"),
        (["collect", "--relabels", "-2"], "--relabels -2: at least 0"),
        (["collect", "--every", "0"], "--every 0: at least 1"),
        (["vision", "--dataset", "x", "--rate", "-1"], "--rate -1: above 0"),
    ],
)
def test_wrong_numbers_are_named_before_anything_is_written(tmp_path, capsys, words, message):
    assert main(["train", words[0], str(tmp_path / "x"), *words[1:]]) == 2
    assert message in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
