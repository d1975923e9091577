# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of conventions: what each raw gripper number means, kinds of actions, frames, masks."""

from __future__ import annotations

import numpy as np
import open_x_fakes as fakes
import pytest
from open_x_datasets import fake_episode

from evla_ros.data.open_x.datasets import DATASETS
from evla_ros.data.open_x.grippers import closing_moves, settled_opening
from evla_ros.data.open_x.pieces import euler_of_quaternion
from evla_ros.data.open_x.standardize import standardize

_R = "_converted_externally_to_rlds"
MOVES = "moves"  # +1 closes, -1 opens, 0 stays
# Dataset -> column of the gripper, the raw numbers of a closed and of an open one.
GRIPPERS = {
    "fractal20220817_data": ("action/gripper_closedness_action", MOVES),
    "kuka": ("action/gripper_closedness_action", MOVES),
    "jaco_play": ("action/gripper_closedness_action", MOVES),
    "nyu_door_opening_surprising_effectiveness": ("action/gripper_closedness_action", MOVES),
    "berkeley_autolab_ur5": ("action/gripper_closedness_action", MOVES),
    "roboturk": ("action/gripper_closedness_action", (1, -1)),
    "viola": ("action/gripper_closedness_action", (1, -1)),
    "bridge_oxe": ("action/open_gripper", (0, 1)),
    "bridge_orig": ("action", (0.02, 0.98)),
    "taco_play": ("action/rel_actions_world", (-1, 1)),
    "toto": ("action/open_gripper", (0, 1)),
    f"stanford_hydra_dataset{_R}": ("action", (1, 0)),
    f"austin_buds_dataset{_R}": ("action", (1, -1)),
    f"austin_sailor_dataset{_R}": ("action", (1, -1)),
    f"austin_sirius_dataset{_R}": ("action", (1, -1)),
    "utaustin_mutex": ("action", (1, -1)),
    f"furniture_bench_dataset{_R}": ("action", (1, -1)),
    f"dlr_edan_shared_control{_R}": ("action", (1, 0)),
    "bc_z": ("action/future/target_close", (1, 0)),
    "droid": ("action_dict/gripper_position", (1, 0)),
    "droid_wrist": ("action_dict/gripper_position", (1, 0)),
    "libero_spatial_no_noops": ("action", (1, -1)),
    "roboset": ("action", (1, -1)),
    "tdroid_carrot_in_bowl": ("action", (0.0, 1.0)),
    "rh20t": ("action/gripper", (0, 1)),
}
FEATURES_OF = {"droid_wrist": "droid"}
STEPS = 8


def episode_with(name, column, raw):
    episode = fake_episode(FEATURES_OF.get(name, name), 0, steps=STEPS)
    if column == "action":
        episode.action[:, -1] = raw
        return episode
    values = np.array(episode.columns[column], dtype=np.float32)
    if column.endswith("target_close"):
        values[:, 0] = raw
    else:
        values.reshape(STEPS, -1)[:, -1] = raw
    episode.columns[column] = values.astype(episode.columns[column].dtype)
    return episode


@pytest.mark.parametrize("name", GRIPPERS)
def test_an_open_gripper_is_1_and_a_closed_one_0(name):
    column, meaning = GRIPPERS[name]
    wanted = np.array([1, 1, 0, 0, 0, 1, 1, 1], dtype=np.float32)
    raw = np.array([0, 0, 1, 0, 0, -1, 0, 0]) if meaning == MOVES else None
    if raw is None:
        raw = np.where(wanted > 0, meaning[1], meaning[0])
    found = standardize(name, episode_with(name, column, raw)).action[:, -1]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_gripper_in_between_takes_what_is_reached_next():
    raw = np.array([0.5, 0.99, 0.5, 0.3, 0.01, 0.6, 0.7], dtype=np.float32)
    np.testing.assert_allclose(settled_opening(raw), [1, 1, 0, 0, 0, 0.7, 0.7])
    assert len(settled_opening(raw[:0])) == 0


def test_moves_before_the_first_one_are_its_opposite():
    assert closing_moves(np.array([0, 0, -1, 0, 1], dtype=np.float32)).tolist() == [0, 0, 1, 1, 0]
    assert closing_moves(np.array([0, 0.05, -0.05], dtype=np.float32)).tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", DATASETS)
def test_masks_leave_the_gripper_alone(name):
    dataset = DATASETS[name]
    numbers = {"pose": 7, "pose_r6": 10, "joints": 8}[dataset.action]
    assert dataset.action_mask == [True] * (numbers - 1) + [False]
    features = FEATURES_OF.get(name, name)
    if features in fakes.COLUMNS:
        assert standardize(name, fake_episode(features, 1)).action.shape[1] == numbers
    assert set(dataset.cameras) <= {"primary", "secondary", "wrist"}


def test_droid_rests_are_left_out_and_its_cameras_change_places():
    episode = fake_episode("droid", 0, steps=STEPS)
    velocity = np.array(episode.columns["action_dict/cartesian_velocity"])
    velocity[2:4] = 0.0
    episode.columns["action_dict/cartesian_velocity"] = velocity
    found = standardize("droid", episode)
    assert np.flatnonzero(~found.learned).tolist() == [2, 3]
    seen = {
        standardize("droid", fake_episode("droid", index)).cameras["primary"] for index in range(12)
    }
    assert seen == {"exterior_image_1_left", "exterior_image_2_left"}
    again = standardize("droid", fake_episode("droid", 3)).cameras
    assert again == standardize("droid", fake_episode("droid", 3)).cameras


def test_wrist_velocities_are_those_of_the_base_seen_from_the_wrist():
    episode = fake_episode("droid", 0, steps=STEPS)
    velocity = np.zeros((STEPS, 6), dtype=np.float32)
    velocity[:, 0], velocity[:, 5] = 0.3, 0.2
    pose = np.zeros((STEPS, 6), dtype=np.float32)
    pose[:, 5] = np.pi / 2  # the wrist is turned about the vertical: its x is the base's y
    episode.columns["action_dict/cartesian_velocity"] = velocity
    episode.observations["cartesian_position"] = pose
    motion = standardize("droid_wrist", episode).action[0, :9]
    turned = [np.cos(0.2), -np.sin(0.2), 0, np.sin(0.2), np.cos(0.2), 0]
    np.testing.assert_allclose(motion, [0, -0.3, 0, *turned], atol=1e-6)


def test_euler_angles_of_a_quaternion():
    half = np.sqrt(0.5)
    quaternions = np.array([[0, 0, half, half], [0, half, 0, half], [1, 0, 0, 0]], dtype=np.float32)
    expected = [[0, 0, np.pi / 2], [0, np.pi / 2, 0], [np.pi, 0, 0]]
    np.testing.assert_allclose(euler_of_quaternion(quaternions), expected, atol=1e-3)
