# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The datasets that the RT-X models learned from, and both forms of BridgeData V2."""

from __future__ import annotations

from collections.abc import Mapping

from evla_ros.data.open_x.dataset import (
    ACTION,
    GOOGLE_MOTION,
    LANGUAGE_OF_GOOGLE,
    PAD,
    OpenXDataset,
    arm_state,
    cameras,
    commanded,
    observed,
)
from evla_ros.data.open_x.grippers import (
    clipped_closedness,
    clipped_opening,
    closing_moves,
    settled_opening,
)
from evla_ros.data.open_x.pieces import Constant, Difference

_GOOGLE_GRIPPER = commanded("gripper_closedness_action")

_BRIDGE = OpenXDataset(
    cameras=cameras("image_0", secondary="image_1"),
    motion=(Difference(observed("state")[:6]),),  # where the arm went, not where it was sent
    gripper=ACTION[-1:],
    gripper_rule=settled_opening,
    state=arm_state(),
    state_kind="pose_euler",
    skip=(1, 1),  # the first action is all zeros, the last step has no next state
    frame="base",
    rate_hz=5,
    other_names=("bridge_orig", "bridge_dataset"),
)

RTX: Mapping[str, OpenXDataset] = {
    "fractal20220817_data": OpenXDataset(
        cameras=cameras("image"),
        motion=GOOGLE_MOTION,
        gripper=_GOOGLE_GRIPPER[:1],
        gripper_rule=closing_moves,
        state=(observed("base_pose_tool_reached"), observed("gripper_closed")),
        state_kind="pose_quaternion",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=3,
    ),
    "kuka": OpenXDataset(
        cameras=cameras("image"),
        motion=GOOGLE_MOTION,
        gripper=_GOOGLE_GRIPPER[:1],
        gripper_rule=closing_moves,
        state=(
            observed("clip_function_input/base_pose_tool_reached"),
            observed("gripper_closed"),
        ),
        state_kind="pose_quaternion",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=10,
    ),
    "bridge_oxe": OpenXDataset(
        cameras=cameras("image", secondary="image_1"),
        motion=(Difference(observed("state")[:6]),),
        gripper=commanded("open_gripper"),
        state=arm_state(),
        state_kind="pose_euler",
        language=LANGUAGE_OF_GOOGLE,
        skip=(1, 1),
        frame="base",
        rate_hz=5,
    ),
    "bridge_orig": _BRIDGE,
    "bridge_dataset": _BRIDGE,
    "taco_play": OpenXDataset(
        cameras=cameras("rgb_static", wrist="rgb_gripper"),
        motion=(commanded("rel_actions_world")[:6],),
        gripper=commanded("rel_actions_world")[-1:],
        gripper_rule=clipped_opening,
        state=(observed("robot_obs")[:6], PAD, observed("robot_obs")[7:8]),
        state_kind="pose_euler",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=15,
    ),
    "jaco_play": OpenXDataset(
        cameras=cameras("image", wrist="image_wrist"),
        motion=(commanded("world_vector"), Constant(3)),
        gripper=_GOOGLE_GRIPPER[:1],
        gripper_rule=closing_moves,
        state=arm_state("end_effector_cartesian_pos"),
        state_kind="pose_euler",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=10,
    ),
    "berkeley_cable_routing": OpenXDataset(
        cameras=cameras("image", secondary="top_image", wrist="wrist45_image"),
        motion=GOOGLE_MOTION,
        gripper=PAD,  # it always holds the cable
        state=(observed("robot_state"), PAD),
        state_kind="joints",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=10,
    ),
    "roboturk": OpenXDataset(
        cameras=cameras("front_rgb"),
        motion=GOOGLE_MOTION,
        gripper=_GOOGLE_GRIPPER,
        gripper_rule=clipped_closedness,
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=10,
    ),
    "nyu_door_opening_surprising_effectiveness": OpenXDataset(
        cameras=cameras(wrist="image"),
        motion=GOOGLE_MOTION,
        gripper=_GOOGLE_GRIPPER[:1],
        gripper_rule=closing_moves,
        language=LANGUAGE_OF_GOOGLE,
        rate_hz=3,
    ),
    "viola": OpenXDataset(
        cameras=cameras("agentview_rgb", wrist="eye_in_hand_rgb"),
        motion=GOOGLE_MOTION,
        gripper=_GOOGLE_GRIPPER,
        gripper_rule=clipped_closedness,
        state=(observed("joint_states"), observed("gripper_states")),
        state_kind="joints",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=20,
    ),
    "berkeley_autolab_ur5": OpenXDataset(
        cameras=cameras("image", wrist="hand_image"),
        motion=GOOGLE_MOTION,
        gripper=_GOOGLE_GRIPPER,
        gripper_rule=closing_moves,
        state=(observed("robot_state")[6:14],),
        state_kind="pose_quaternion",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=5,
    ),
    "toto": OpenXDataset(
        cameras=cameras("image"),
        motion=GOOGLE_MOTION,
        gripper=commanded("open_gripper"),
        state=(observed("state"), PAD),
        state_kind="joints",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=30,
    ),
}
