# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Foreign datasets through a map file: the robot's poses, grippers and deltas, each counted."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

pytest.importorskip(
    "pyarrow", reason="LeRobot datasets need pyarrow: pip install 'evla_ros[lerobot]'"
)

import yaml
from foreign_sets import SIZE, T, motion, write_robot, write_v21

from evla_ros.cli.main import main
from evla_ros.data.foreign.importing import import_dataset
from evla_ros.data.foreign.map_file import MapFile
from evla_ros.data.foreign.source import ForeignError
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.geometry import rotation
from evla_ros.geometry.delta import delta_between

MAP = {
    "embodiment": "robot.yaml",
    "cameras": {"primary": "observation.images.top"},
    "arms": {
        "arm": {
            "pose": {
                "position": "observation.state[0:3]",
                "rotation": "observation.state[3:6]",
                "rotation_as": "axis_angle",
                "metres": 0.001,
            },
            "gripper": {"column": "observation.state[6]", "open": 100.0, "closed": 0.0},
        }
    },
}


def write_map(folder, **changes):
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump({**MAP, **changes}))
    return path


def test_lerobot_v21_gives_the_robots_deltas(tmp_path):
    root = write_v21(tmp_path / "set")
    write_robot(tmp_path)
    made = import_dataset(root, tmp_path / "out", write_map(tmp_path), "taken", None, SIZE)
    assert made.report.steps == 3 * (T - 1)
    assert any("observation.images.side" in note for note in made.notes), "what is left is said"
    assert any("note: text" in note for note in made.notes)
    dataset = RldsDataset.open(made.report.path)
    seen = {}
    for split, count in dataset.splits.items():
        for index in range(count):
            episode = dataset.episode(split, index)
            seen[episode.episode_id] = episode
    assert sorted(seen) == [f"episode_{i:06d}" for i in range(3)]
    for number in range(3):
        episode, (poses, openings) = seen[f"episode_{number:06d}"], motion(number)
        expected = [delta_between(a, b) for a, b in itertools.pairwise(poses)]
        assert np.allclose(episode.action[:, :6], expected, atol=1e-5)
        assert (episode.action[:, 6] == openings[1:]).all()
        assert np.allclose(episode.observations["state"][3, :7], poses[3].as_vector(), atol=1e-5)
        assert episode.instruction == ["pick up the cup", "put it down"][number % 2]
        middle = episode.image("image_primary", 5)
        assert middle.shape == (*SIZE, 3)
        assert middle[12, 11, 0] > 150, "the picture of frame 5 has its bar there"
    assert dataset.cameras == {"primary": ((48, 64),)}


def test_every_second_frame(tmp_path):
    root = write_v21(tmp_path / "set", 2)
    write_robot(tmp_path, rate_hz=10)
    made = import_dataset(root, tmp_path / "out", write_map(tmp_path, every=2), "x", None, SIZE)
    dataset = RldsDataset.open(made.report.path)
    poses, _ = motion(0)
    found = [dataset.episode(s, i) for s, n in dataset.splits.items() for i in range(n)]
    (episode,) = [e for e in found if e.episode_id == "episode_000000"]
    assert np.allclose(episode.action[0, :6], delta_between(poses[0], poses[2]), atol=1e-5)


def arm(**changes):
    return {"arms": {"arm": {**MAP["arms"]["arm"], **changes}}}


@pytest.mark.parametrize(
    ("changes", "robot", "sentence"),
    [
        ({"every": 3}, {}, "every 3 of 20 frames a second are 6.66667 Hz, the robot has rate"),
        ({"rate_hz": 30.0}, {}, "rate_hz is 30, the dataset says 20"),
        ({"cameras": {"primary": "top"}}, {}, "cameras.primary: no camera 'top'"),
        ({"cameras": {}}, {}, "cameras"),
        ({"cameras": {**MAP["cameras"], "head": "observation.images.side"}}, {},
         "cameras.head has no effect"),
        (arm(gripper={"column": "observation.state[6]", "open": 1.0, "closed": 0.0}), {},
         "goes from 0 to 100, beyond closed 0 to open 1 of the map file"),
        (arm(gripper=None), {}, "arms.arm.gripper is missing: the robot has one"),
        (arm(pose={"position": "state[0:3]"}), {},
         "no column 'state'; valid names: observation.state"),
        (arm(pose={"position": "observation.state[0:4]"}), {}, "has 4 numbers, not 3"),
        (arm(pose={"position": "observation.state[5:9]"}), {}, "goes beyond the 7 numbers"),
        (arm(pose={"position": "observation.state[0:3]", "rotation": "observation.state[3:7]",
                   "rotation_as": "quaternion_xyzw"}), {}, "a quaternion has 1"),
        (arm(pose={"position": "observation.state[0:3]", "rotation": "observation.state[3:6]"}),
         {}, "'rotation' and 'rotation_as' go together"),
        (arm(pose=None), {}, "a dataset of joint positions has none: give `pose: {kinematics:"),
        (arm(goal={"position": "observation.state[0:3]"}), {}, "have no effect: action.source is"),
        ({}, {"source": "commanded"}, "the map has neither `goal` nor `delta`"),
        ({}, {"proprio": "[ee_pose, joint_positions]"}, "arms.arm.joints is missing"),
        ({"base": {"velocity": "observation.state[0:3]"}}, {}, "base has no effect"),
        ({"axes": {"lift": {"position": "observation.state[0]"}}}, {}, "axes.lift has no effect"),
        ({"embodiment": "tabletop"}, {}, "tabletop"),
        ({"extra": 1}, {}, "extra"),
    ],
)  # fmt: skip
def test_maps_that_do_not_fit(tmp_path, changes, robot, sentence):
    root = write_v21(tmp_path / "set", 1)
    write_robot(tmp_path, **robot)
    with pytest.raises(Exception, match="map.yaml|episode_000000|tabletop") as caught:
        import_dataset(root, tmp_path / "out", write_map(tmp_path, **changes), None, None, SIZE)
    assert sentence in str(caught.value)
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_deltas_that_are_actions_already(tmp_path):
    root = write_v21(tmp_path / "set", 1)
    write_robot(tmp_path, source="commanded")
    changes = arm(
        delta={"position": "observation.state[0:3]", "metres": 0.001, "rotation_as": "rpy",
               "rotation": "observation.state[3:6]", "radians": 0.1}
    )  # fmt: skip
    made = import_dataset(root, tmp_path / "out", write_map(tmp_path, **changes), "x", None, SIZE)
    episode = RldsDataset.open(made.report.path).episode("train", 0)
    poses, _ = motion(0)
    assert np.allclose(episode.action[:, :3], [p.position_m for p in poses[:-1]], atol=1e-6)
    turns = [0.1 * rotation.to_rotvec(p.quaternion_xyzw) for p in poses[:-1]]
    assert np.allclose(episode.action[:, 3:6], turns, atol=1e-6)


def test_without_a_map_it_lists_what_there_is(tmp_path, capsys):
    root = write_v21(tmp_path / "set", 1)
    assert main(["dataset", "import", str(root), str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "observation.state: 7 float32 (x, y, z, a, b, c, g)" in told
    assert "camera  observation.images.side" in told
    assert main(["dataset", "import", str(root)]) == 0
    assert "1 episodes, 20 Hz" in capsys.readouterr().out


def test_a_proposed_map_is_a_map(tmp_path, capsys):
    root, target = write_v21(tmp_path / "set", 1), tmp_path / "proposed.yaml"
    assert main(["dataset", "import", str(root), "--propose", str(target)]) == 0
    MapFile.model_validate(yaml.safe_load(target.read_text()))
    assert "CHECK" in target.read_text()
    assert main(["dataset", "import", str(root), "--propose", str(target)]) == 2
    assert "ever overwritten" in capsys.readouterr().err


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


SHORT = '{"episode_index": 0, "length": 5}'


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda root: cut(root / "data/chunk-000/episode_000000.parquet"), "has no footer"),
        (lambda root: (root / "data/chunk-000/episode_000000.parquet").unlink(), "is missing"),
        (lambda root: (root / "meta/tasks.jsonl").write_text('{"task_index": 5, "task": "x"}'),
         "has the task 0, which the table"),
        (lambda root: (root / "meta/episodes.jsonl").write_text(SHORT),
         "info.json says 12 frames"),
        (lambda root: (root / "meta/episodes.jsonl").write_text("{}"), "is no episode"),
        (lambda root: edit(root, codebase_version="v1.6"), "of version 'v1.6'; read are"),
        (lambda root: edit(root, data_path="../../etc/passwd"), "leads out of the dataset"),
        (lambda root: edit(root, data_path="{episode_index:0999d}"), "is no template"),
        (lambda root: edit(root, fps=0), "fps"),
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path, damage, sentence):
    root = write_v21(tmp_path / "set", 1)
    write_robot(tmp_path)
    damage(root)
    with pytest.raises(Exception, match=r"\w") as caught:
        import_dataset(root, tmp_path / "out", write_map(tmp_path), None, None, SIZE)
    assert sentence in str(caught.value)


def edit(root, **changes):
    path = root / "meta/info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_numbers_that_are_not_finite_are_named(tmp_path):
    def spoiled(number):
        poses, openings = motion(number)
        return poses, np.where(np.arange(T) == 4, np.nan, openings)

    root = write_v21(tmp_path / "set", 1, spoiled)
    write_robot(tmp_path)
    with pytest.raises(ForeignError, match=r"episode_000000: arms\.arm\.gripper.*in frame 4"):
        import_dataset(root, tmp_path / "out", write_map(tmp_path), None, None, SIZE)
