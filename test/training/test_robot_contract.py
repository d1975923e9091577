# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the robot would refuse of the checkpoint is refused before the first step."""

from __future__ import annotations

import pytest
from small_datasets import two_arm_dataset
from small_training import CHUNK, make_episode, small_robot, write_dataset

from evla_ros.data.rlds.features import features_for_embodiment
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import action_layout, load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.training.config_file import parse_config
from evla_ros.training.parts import build
from evla_ros.training.samples.source import Source
from evla_ros.training.train import train


@pytest.fixture
def robot_file(tmp_path):
    """Write the robot of the datasets with a change; returns the file."""

    def write(old="", new="", name="robot.yaml"):
        text = small_robot().text
        assert old in text
        file = tmp_path / name
        file.write_text(text.replace(old, new) if old else text)
        return str(file)

    return write


def built(settings, **changes):
    return build(parse_config({**settings, **changes}, "x.yaml"))


def test_the_robot_of_the_dataset_decides_chunk_and_cameras(settings):
    del settings["model"]["cameras"]
    parts = built(settings)
    config = parts.model.config
    assert (config.action.chunk, config.action.dim, config.proprio_dim) == (CHUNK, 7, 8)
    assert config.image.cameras == ("primary", "wrist")
    assert parts.robot.content_hash == small_robot().content_hash
    assert parts.action_units == ("m",) * 3 + ("rad",) * 3 + ("1",)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"chunk": 8}, f"model.chunk: 8, but 'tabletop_arm' plays chunks of {CHUNK}"),
        ({"cameras": ["front"]}, "model.cameras: 'tabletop_arm' has no camera 'front'"),
    ],
)
def test_settings_that_the_robot_would_refuse(settings, model, message):
    settings["model"].update(model)
    with pytest.raises(EvlaError, match=message):
        built(settings)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rate_hz: 10\n", "rate_hz: 8\n", "rate_hz: 8.0 here, 10.0 there"),
        ("name: arm\n", "name: left\n", r"arms\[0\].name: 'left' here, 'arm' there"),
        ("source: commanded", "source: achieved", "action.source: 'achieved' here"),
        ("proprio: [ee_pose, gripper]", "proprio: [ee_pose]", "proprio: "),
        ("base_frame: base_link", "base_frame: world", "base_frame: 'world' here"),
    ],
)
def test_another_meaning_of_the_numbers_is_refused(settings, robot_file, old, new, message):
    with pytest.raises(EvlaError, match=f"other numbers than 'tabletop_arm' has now.*{message}"):
        built(settings, embodiment=robot_file(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("camera/wrist/image_raw, transport: raw", "cam2, transport: compressed"),
        ("max_speed_m_s: 0.5", "max_speed_m_s: 0.6"),
        (f"chunk: {CHUNK}", "chunk: 6"),
        ("open: 0.08", "open: 100"),
    ],
)
def test_what_changes_no_number_is_said_and_the_checkpoint_is_of_the_named_robot(
    settings, robot_file, old, new
):
    file = robot_file(old, new)
    settings["optimizer"].update(steps=1, batch=2)
    parts = built(settings, embodiment=file)
    assert any("another version of the robot's file" in note for note in parts.notes)
    folder = train(parse_config({**settings, "embodiment": file}, "x.yaml"))
    spec = PolicySpec("evla", load_embodiment(file).text, str(folder / "last"))
    assert build_policy(spec).action_dim == 7


def other_version(tmp_path, text, name):
    """Write a small dataset with another embodiment file."""
    from evla_ros.embodiment import parse_embodiment

    robot = parse_embodiment(text, source="other")
    features = features_for_embodiment(robot, 48)
    with DatasetWriter(
        tmp_path, name, features, embodiment_text=text, action_layout=action_layout(robot)
    ) as writer:
        for number in range(4):
            writer.add(make_episode(number, relabels=False))
    return {"path": str(writer.report.path)}


def test_datasets_of_two_versions_or_two_robots_need_the_robot_named(
    settings, tmp_path, robot_file
):
    faster = small_robot().text.replace("max_speed_m_s: 0.5", "max_speed_m_s: 0.9")
    two = [*settings["datasets"], other_version(tmp_path, faster, "fast_set")]
    message = r"datasets\[1\]: dataset 'fast_set' was recorded with another version.*max_speed_m_s"
    with pytest.raises(EvlaError, match=message):
        built(settings, datasets=two)
    parts = built(settings, datasets=two, embodiment=robot_file())
    assert list(parts.statistics.datasets) == ["tabletop_arm"]
    other = faster.replace("name: tabletop_arm", "name: my_arm")
    two[1] = other_version(tmp_path, other, "my_set")
    with pytest.raises(EvlaError, match="of the robot 'my_arm', the first one of 'tabletop_arm'"):
        built(settings, datasets=two)
    parts = built(settings, datasets=two, embodiment=robot_file())
    assert list(parts.statistics.datasets) == ["tabletop_arm", "my_set"]
    assert any("of another robot, 'my_arm'" in note for note in parts.notes)


def test_other_sizes_are_named_with_the_names_of_the_numbers(settings, tmp_path):
    with pytest.raises(EvlaError, match="has actions of 7 numbers, 'humanoid_upper_body' takes 14"):
        built(settings, embodiment="humanoid_upper_body")
    humanoid = [{"path": str(two_arm_dataset(tmp_path))}]
    message = "has actions of 14 numbers, 'tabletop_arm' takes 7: arm_dx, "
    with pytest.raises(EvlaError, match=message):
        built(settings, datasets=humanoid, embodiment="tabletop_arm")


def test_auto_refuses_a_dataset_that_nothing_says_how_to_read(tmp_path):
    features = features_for_embodiment(small_robot(), 48)
    paths = []
    for name in ("somebodys_set", "bridge_orig"):
        with DatasetWriter(tmp_path, name, features) as writer:
            for number in range(2):
                writer.add(make_episode(number, relabels=False))
        paths.append(writer.report.path)
    with pytest.raises(EvlaError, match="'somebodys_set': nothing says how.*bridge, evla.*state"):
        Source(paths[0], "train")
    assert Source(paths[0], "train", "evla").transform_name == "evla"
    with pytest.raises(EvlaError, match="unknown transform 'eval'; did you mean 'evla'"):
        Source(paths[0], "train", "eval")
    ours = write_dataset(tmp_path / "ours", "bridge_dataset", episodes=2)
    assert Source(ours, "train").transform_name == "evla"


def test_a_start_follows_the_robot_and_says_so(settings, robot_file, tmp_path):
    settings["optimizer"].update(steps=1, batch=2)
    start = str(train(parse_config(settings, "x.yaml")) / "last")
    again = {**settings, "output": str(tmp_path / "again"), "model": {"start": start}}
    assert built(again).model.config.image.cameras == ("primary",)  # made for this robot
    file = robot_file("name: tabletop_arm", "name: my_arm")
    parts = built(again, embodiment=file)
    assert parts.model.config.image.cameras == ("primary", "wrist")
    assert any("cameras primary, wrist: the checkpoint" in note for note in parts.notes)
    again["model"]["cameras"] = ["wrist"]
    assert built(again, embodiment=file).model.config.image.cameras == ("wrist",)
    again["model"] = {"start": str(tmp_path / "run")}
    with pytest.raises(EvlaError, match="is the folder of a run; name a checkpoint in it: .*/best"):
        built(again)
