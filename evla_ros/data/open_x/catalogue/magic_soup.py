# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What OpenVLA's "magic soup" mixtures add to the RT-X datasets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.open_x.dataset import (
    ACTION,
    LANGUAGE_OF_GOOGLE,
    PAD,
    OpenXDataset,
    cameras,
    commanded,
    observed,
)
from evla_ros.data.open_x.grippers import clipped_closedness, clipped_opening, closedness
from evla_ros.data.open_x.pieces import Constant, EulerAngles

_IMAGE_AND_WRIST = cameras("image", wrist="wrist_image")
_STATE = observed("state")


def text_of_codes(codes: npt.NDArray[Any]) -> str:
    """Return the text of Unicode numbers that zeros fill up; U+FFFD where one is no character."""
    text = np.asarray(codes).ravel()
    ends = np.flatnonzero(text == 0)
    kept = text[: ends[0]] if len(ends) else text
    return "".join(_character(int(code)) for code in kept)


def _character(code: int) -> str:
    legal = 0 < code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if legal else "\N{REPLACEMENT CHARACTER}"


SOUP: Mapping[str, OpenXDataset] = {
    "language_table": OpenXDataset(
        cameras=cameras("rgb"),
        motion=(ACTION, Constant(4)),  # a stick that is pushed in a plane
        gripper=Constant(1, 1.0),
        state=(observed("effector_translation"), Constant(6)),
        state_kind="pose_euler",
        language="observation/instruction",
        text=text_of_codes,
        frame="base",
        rate_hz=10,
    ),
    "stanford_hydra_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=_IMAGE_AND_WRIST,
        motion=(ACTION[:6],),
        gripper=ACTION[-1:],
        gripper_rule=closedness,
        state=(_STATE[:3], _STATE[7:10], PAD, _STATE[-3:-2]),
        state_kind="pose_euler",
        rate_hz=10,
    ),
    "austin_buds_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=_IMAGE_AND_WRIST,
        motion=(ACTION[:6],),
        gripper=ACTION[-1:],
        gripper_rule=clipped_closedness,
        state=(_STATE[:8],),
        state_kind="joints",
        frame="base",
        rate_hz=20,
    ),
    "nyu_franka_play_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image", secondary="image_additional_view"),
        motion=(ACTION[-8:-2],),
        gripper=ACTION[-2:-1],
        gripper_rule=clipped_opening,
        state=(_STATE[-6:], Constant(2)),
        state_kind="pose_euler",
        rate_hz=3,
    ),
    "furniture_bench_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=_IMAGE_AND_WRIST,
        motion=(ACTION[:3], EulerAngles(ACTION[3:7])),
        gripper=ACTION[-1:],
        gripper_rule=clipped_closedness,
        state=(_STATE[:7], _STATE[-1:]),
        state_kind="pose_quaternion",
        rate_hz=10,
    ),
    "ucsd_kitchen_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[:-2],),
        gripper=ACTION[-2:-1],  # the last number ends the episode
        state=(_STATE[:7], PAD),
        state_kind="joints",
        rate_hz=2,
    ),
    "austin_sailor_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=_IMAGE_AND_WRIST,
        motion=(ACTION[:6],),
        gripper=ACTION[-1:],
        gripper_rule=clipped_closedness,
        state=(_STATE,),
        state_kind="pose_quaternion",
        frame="base",
        rate_hz=20,
    ),
    "austin_sirius_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=_IMAGE_AND_WRIST,
        motion=(ACTION[:6],),
        gripper=ACTION[-1:],
        gripper_rule=clipped_closedness,
        state=(_STATE,),
        state_kind="pose_quaternion",
        frame="base",
        rate_hz=20,
    ),
    "dlr_edan_shared_control_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[:6],),
        gripper=ACTION[-1:],
        gripper_rule=closedness,
        state=(_STATE, PAD),
        state_kind="pose_euler",
        rate_hz=5,
    ),
    "iamlab_cmu_pickup_insert_converted_externally_to_rlds": OpenXDataset(
        cameras=_IMAGE_AND_WRIST,
        motion=(ACTION[:3], EulerAngles(ACTION[3:7])),
        gripper=ACTION[7:8],
        state=(_STATE[:7], _STATE[7:8]),
        state_kind="joints",
        rate_hz=20,
    ),
    "utaustin_mutex": OpenXDataset(
        cameras=_IMAGE_AND_WRIST,
        motion=(ACTION[:6],),
        gripper=ACTION[-1:],
        gripper_rule=clipped_closedness,
        state=(_STATE[:8],),
        state_kind="joints",
        frame="base",
        rate_hz=20,
    ),
    "berkeley_fanuc_manipulation": OpenXDataset(
        cameras=_IMAGE_AND_WRIST,
        motion=(ACTION,),
        gripper=_STATE[6:7],  # its commands are not stored: what it was at
        gripper_rule=closedness,
        state=(_STATE[:6], PAD, _STATE[6:7]),
        state_kind="joints",
        rate_hz=10,
    ),
    "cmu_stretch": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[:-2],),
        gripper=ACTION[-2:-1],
        state=(_STATE[:3], Constant(4), _STATE[-1:]),
        state_kind="pose_euler",
        rate_hz=10,
    ),
    "bc_z": OpenXDataset(
        cameras=cameras("image"),
        motion=(
            commanded("future/xyz_residual")[:3],  # the first of ten steps ahead
            commanded("future/axis_angle_residual")[:3],
        ),
        gripper=commanded("future/target_close")[:1],
        gripper_rule=closedness,
        state=(
            observed("present/xyz"),
            observed("present/axis_angle"),
            PAD,
            observed("present/sensed_close"),
        ),
        state_kind="pose_euler",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=10,
        version="0.1.0",
    ),
    "fmb_dataset": OpenXDataset(
        cameras=cameras("image_side_1", secondary="image_side_2", wrist="image_wrist_1"),
        motion=(ACTION[:-1],),
        gripper=ACTION[-1:],
        state=(observed("eef_pose"), observed("state_gripper_pose")),
        state_kind="pose_euler",
        rate_hz=10,
        other_names=("fmb",),
    ),
    "dobbe": OpenXDataset(
        cameras=cameras("wrist_image"),  # its only camera is taken for the primary one
        motion=(ACTION[:-1],),
        gripper=ACTION[-1:],
        state=(_STATE,),
        state_kind="pose_euler",
        frame="tool",
        rate_hz=3.75,
    ),
}
