# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scripted demonstrations: real bags, the same for the same seed, and their actions do the task."""

from __future__ import annotations

import pytest

pytest.importorskip("mujoco", reason="MuJoCo is not installed: pip install 'evla_ros[sim]'")

from evla_ros.cli.main import main
from evla_ros.data.bags.reader import open_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.run import convert
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.geometry.delta import apply_delta
from evla_ros.sim.demonstrations import (
    DemonstrationPlan,
    LockstepRecorder,
    episode_name,
    is_recorded,
)
from evla_ros.sim.worlds import make_world

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demos")
    recorder = LockstepRecorder(
        make_world("tabletop_arm", image_size=32), DemonstrationPlan(folder)
    )
    return folder, [recorder.record(seed) for seed in SEEDS]


def test_bags_are_complete_and_labelled_by_the_simulator(recorded):
    folder, reports = recorded
    for seed, report in zip(SEEDS, reports, strict=True):
        assert report.outcome == "success"
        assert report.lost == 0
        with open_bag(folder / episode_name(seed)) as bag:
            counts = {name: topic.count for name, topic in bag.info.topics.items()}
            assert bag.info.damage is None
            assert bag.info.custom_data["embodiment_name"] == "tabletop_arm"
        assert counts["/camera/primary/image_raw"] == counts["/camera/wrist/image_raw"]
        assert counts["/instruction"] == 1
        assert counts["/arm/target_pose"] + 1 == counts["/arm/current_pose"]
        assert is_recorded(folder, seed)


def test_same_seed_gives_the_same_messages(recorded, tmp_path):
    folder, _ = recorded
    world = make_world("tabletop_arm", image_size=32)
    LockstepRecorder(world, DemonstrationPlan(tmp_path)).record(SEEDS[0])
    name = episode_name(SEEDS[0])
    with open_bag(folder / name) as a, open_bag(tmp_path / name) as b:
        first, second = list(a.messages()), list(b.messages())
    assert len(first) == len(second)
    assert all(x == y for x, y in zip(first, second, strict=True))


def test_converted_actions_replayed_from_the_first_pose_do_the_task(recorded, tmp_path):
    folder, _ = recorded
    world = make_world("tabletop_arm", image_size=32)
    options = ConvertOptions(world.embodiment.text, image_size=(32, 32), idle="keep")
    data = RldsDataset.open(convert([folder], tmp_path, options).dataset)
    by_bag = {e.metadata["bag"]: e for split in data.splits for e in data.episodes(split)}
    for seed in SEEDS:
        episode = by_bag[episode_name(seed)]
        task = world.reset(seed)
        assert set(episode.instructions) == {task.instruction}
        goal = world.arms[0].pose(world.data)
        for action in episode.action:
            goal = apply_delta(goal, action[:6])
            world.command("arm", goal, float(action[6]))
            world.tick()
        assert world.succeeded(task), seed


def test_command_line_resumes_and_replaces_an_unfinished_episode(tmp_path, capsys):
    command = ["record", "--world", "tabletop_arm", "--image-size", "32", "--jobs", "1"]
    command += ["--episodes", "2", "--task", "lift", "--out", str(tmp_path)]
    assert main(command) == 0
    assert "recorded 2 episodes" in capsys.readouterr().out
    metadata = tmp_path / episode_name(1) / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace("state: finished", "state: recording"))
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "1 of 2 episodes were recorded already" in out
    assert "recorded 1 episodes" in out
    assert len(list((tmp_path / "trash").iterdir())) == 1
    assert main(["record", "--world", "tabletop_arn"]) == 2


def test_a_seed_beyond_what_a_stamp_can_say_is_refused(tmp_path, capsys):
    command = ["record", "--world", "tabletop_arm", "--image-size", "32", "--jobs", "1"]
    command += ["--episodes", "1", "--out", str(tmp_path)]
    assert main([*command, "--seed", "9000000"]) == 2
    assert "seed 9000000 cannot be recorded" in capsys.readouterr().err
    assert main([*command, "--seed", "1000000", "--task", "reach"]) == 0
