# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is collected directly and what is recorded, kept in bags and converted mean the same."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("mujoco", reason="simulated data needs MuJoCo")

from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.run import convert
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.recipes.simulated_data.collect import collect_episode, collect_features
from evla_ros.recipes.simulated_data.settings import CollectSettings
from evla_ros.sim.demonstrations import DemonstrationPlan, LockstepRecorder, episode_name
from evla_ros.sim.experts.style import Style
from evla_ros.sim.worlds import make_world
from evla_ros.training.samples.standardize import evla

SEEDS = range(50_000, 50_006)
SIZE = 64


@pytest.fixture(scope="module")
def world():
    made = make_world("tabletop_arm", image_size=SIZE)
    yield made
    made.close()


@pytest.fixture(scope="module")
def recorded(world, tmp_path_factory):
    """Bag name -> episode of the dataset that the bags became."""
    folder = tmp_path_factory.mktemp("bags")
    recorder = LockstepRecorder(world, DemonstrationPlan(folder / "bags"))
    for seed in SEEDS:
        recorder.record(seed)
    options = ConvertOptions(world.embodiment.text, image_size=(SIZE, SIZE), idle="keep")
    data = RldsDataset.open(convert([folder / "bags"], folder / "out", options).dataset)
    return {e.metadata["bag"]: e for split in data.splits for e in data.episodes(split)}


def played(world, seed, ticks, task=None):
    """States [T, 8] before, and clean labels [T, 7] of the very demonstration of a seed."""
    task = world.reset(seed, task)
    expert = world.suite.expert(world, task, Style.sample(np.random.default_rng(seed), 0.0))
    states, labels = [], []
    for _ in range(ticks):
        states.append(world.proprio())
        labels.append(expert.act())
        world.apply(labels[-1])
        world.tick()
    return np.array(states), np.array(labels)


def test_a_recorded_demonstration_is_the_collected_one(world, recorded):
    """Tick by tick: the same states and grippers; deltas differ by what the executor lags or leads.

    A label starts at the measured pose, a commanded delta at the goal before it.
    """
    ours, theirs = [], []
    for seed in SEEDS:
        episode = recorded[episode_name(seed)]
        states, labels = played(world, seed, len(episode.action))
        np.testing.assert_allclose(episode.observations["state"], states, atol=1e-4)
        np.testing.assert_array_equal(episode.action[:, 6], labels[:, 6])
        np.testing.assert_allclose(episode.action[0], labels[0], atol=1e-4)
        ours.append(episode.action)
        theirs.append(labels)
    action, label = np.concatenate(ours), np.concatenate(theirs)
    assert np.abs(action - label)[:, :3].mean() < 0.003
    assert np.abs(action - label)[:, 3:5].mean() < 0.005
    assert np.abs(action - label)[:, 5].mean() < 0.003
    # Roll and pitch hardly move in this world. A turn is spread over an approach, some 5 mrad a
    # tick, so that the 2 mrad by which the executor trails its goal are more of it than of a way.
    for axis, least in ((0, 0.97), (1, 0.97), (2, 0.97), (5, 0.93)):
        assert np.corrcoef(action[:, axis], label[:, axis])[0, 1] > least
        assert 0.8 < action[:, axis].std() / label[:, axis].std() < 1.25


def test_collected_and_converted_datasets_have_one_form(world, recorded):
    collected = collect_episode(world, SEEDS[0], CollectSettings(max_ticks=20, relabels=1))
    converted = evla(recorded[episode_name(SEEDS[0])])
    standard = evla(collected)
    assert converted.cameras == standard.cameras
    assert converted.action.shape[1] == standard.action.shape[1] == 7
    assert converted.proprio.shape[1] == standard.proprio.shape[1] == 8
    for camera, key in standard.cameras.items():
        pictures = (e.episode.image(key, 0) for e in (converted, standard))
        assert {p.shape for p in pictures} == {(SIZE, SIZE, 3)}, camera
    steps = collect_features(world, SIZE, CollectSettings()).steps
    assert {"action", "language_instruction"} <= set(steps)
    lengths = np.linalg.norm(converted.proprio[:, 3:7], axis=1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-3)
    assert set(np.unique(converted.action[:, 6])) <= {0.0, 1.0}


@pytest.mark.timeout(400)
def test_through_the_graph_the_actions_have_the_same_scale(world, ros_domain, tmp_path):
    """In real time ticks are not those of the collector, so totals are compared, not steps."""
    pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")
    path = os.pathsep.join(filter(None, sys.path))
    words = ["record", "--world=tabletop_arm", "--ros", "--episodes=3", f"--image-size={SIZE}"]
    words += [f"--seed={SEEDS[0]}", f"--out={tmp_path / 'bags'}"]
    done = subprocess.run(
        [sys.executable, "-m", "evla_ros", *words],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode and "is slow" in done.stderr:
        pytest.skip("this machine is too busy for real time: the recorder refuses slow topics")
    assert done.returncode == 0, done.stderr[-2000:]
    options = ConvertOptions(world.embodiment.text, image_size=(SIZE, SIZE), idle="keep")
    data = RldsDataset.open(convert([tmp_path / "bags"], tmp_path / "out", options).dataset)
    episodes = [e for split in data.splits for e in data.episodes(split)]
    assert len(episodes) == 3
    for episode in episodes:
        seed = next(s for s in SEEDS if world.reset(s).instruction == episode.instruction)
        states, labels = played(world, seed, len(episode.action), episode.instruction)
        seen = episode.observations["state"]
        np.testing.assert_allclose(seen[0], states[0], atol=0.05)
        assert set(np.unique(episode.action[:, 6])) == set(np.unique(labels[:, 6]))
        commanded = np.cumsum(episode.action[:-1, :3], axis=0).ravel()
        went = (seen[1:, :3] - seen[0, :3]).ravel()
        assert 0.8 < commanded @ went / (went @ went) < 1.25  # the arm lags its goal, by no scale
        assert np.corrcoef(commanded, went)[0, 1] > 0.95
        ours, theirs = (np.linalg.norm(a[:, :3], axis=1).sum() for a in (episode.action, labels))
        assert 0.7 < ours / theirs < 1.4  # the way of the tool; one tick may hold two decisions
