# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A dataset that is not the published one of its name is refused before a record is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from open_x_datasets import fake_features

from evla_ros.data.open_x.errors import OpenXError
from evla_ros.data.open_x.mixtures import MIXTURES, mixture
from evla_ros.data.open_x.standardize import needed_columns
from evla_ros.data.rlds.features import tensor


def changed(name, **columns):
    features = fake_features(name)
    steps = {key: value for key, value in features.steps.items() if key not in columns}
    added = {key: value for key, value in columns.items() if value is not None}
    return replace(features, steps={**steps, **added})


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("toto", {"action/open_gripper": None}, "'toto' lacks the column 'action/open_gripper'"),
        ("toto", {"observation/natural_language_instruction": None}, "lacks the column.*language"),
        ("taco_play", {"observation/robot_obs": tensor((6,))}, "robot_obs' holds 6 numbers a step"),
        ("utaustin_mutex", {"action": tensor((5,))}, "'action' holds 5 numbers a step"),
        ("fmb_dataset", {"action": tensor((9,))}, "8 motion and 1 gripper numbers, 6 and 1 belong"),
        ("viola", {"action/world_vector": tensor((2,))}, "give an action of 5 motion"),
    ],
)
def test_missing_and_wrong_columns_are_named(name, columns, message):
    with pytest.raises(OpenXError, match=message):
        needed_columns(name, changed(name, **columns))


def test_only_what_is_needed_is_read():
    needed = needed_columns("fractal20220817_data", fake_features("fractal20220817_data"))
    assert needed == {
        "action/gripper_closedness_action",
        "action/rotation_delta",
        "action/world_vector",
        "observation/base_pose_tool_reached",
        "observation/gripper_closed",
        "observation/image",
        "observation/natural_language_instruction",
    }


def test_published_weights():
    assert {name: len(weights) for name, weights in MIXTURES.items()} == {
        "bridge": 1,
        "bridge_rt_1": 2,
        "rtx": 10,
        "rtx_franka": 24,
        "oxe_magic_soup": 23,
        "oxe_magic_soup_plus": 27,
        "oxe_magic_soup_plus_minus": 25,
    }
    assert mixture("oxe_magic_soup_plus")["droid"] == 0.06
    assert mixture("oxe_magic_soup_plus")["fractal20220817_data"] == 0.54087122203
    assert mixture("oxe_magic_soup_plus_minus")["fractal20220817_data"] == 1.0
    assert mixture("rtx_franka")["berkeley_cable_routing"] == 3.0
    assert mixture("fmb") == {"fmb_dataset": 1.0}
    with pytest.raises(OpenXError, match="unknown mixture 'oxe_magic_sop'; did you mean 'oxe_mag"):
        mixture("oxe_magic_sop")
