# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Further datasets that the published loaders know, and LIBERO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

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
from evla_ros.data.open_x.grippers import clipped_closedness, settled_opening
from evla_ros.data.open_x.pieces import Column, Constant, EulerAngles

_STATE = observed("state")
_FLAT = (ACTION[:-1],)  # six pose numbers, then the gripper
_UNTIL_END = (ACTION[:-2],)  # as _FLAT, and a last number that ends the episode

_LIBERO = OpenXDataset(
    cameras=cameras("image", wrist="wrist_image"),
    motion=(ACTION[:6],),
    gripper=ACTION[-1:],
    gripper_rule=clipped_closedness,
    state=(_STATE[:6], PAD, _STATE[-2:]),  # two fingers
    state_kind="pose_euler",
    frame="base",
)
_WHEELS = OpenXDataset(
    cameras=cameras(wrist="image"),
    motion=(ACTION, Constant(4)),  # waypoints of a rover in the plane
    gripper=PAD,
    state=(observed("position"), Constant(3), observed("yaw"), Constant(2)),
    state_kind="pose_euler",
)
_PPGM = OpenXDataset(
    cameras=cameras(),  # nobody has published which it has
    motion=(ACTION[:6],),
    gripper=ACTION[-1:],
    gripper_rule=settled_opening,
    state=(observed("cartesian_position")[:6], PAD, observed("gripper_position")[-1:]),
    state_kind="pose_euler",
)
_PR2 = OpenXDataset(
    cameras=cameras("image"),
    motion=_UNTIL_END,
    gripper=ACTION[-2:-1],
    state=arm_state(),
    state_kind="pose_euler",
    rate_hz=10,
)
_FLAT_ARM = OpenXDataset(
    cameras=cameras("image"),
    motion=_FLAT,
    gripper=ACTION[-1:],
    state=arm_state(),
    state_kind="pose_euler",
    rate_hz=10,
)
_PLANAR_GRASP = OpenXDataset(  # position and turn about the vertical axis
    cameras=cameras("image", secondary="image1"),
    motion=(ACTION[:4], Constant(2)),
    gripper=ACTION[-1:],
    state=(_STATE[:4], Constant(3), _STATE[-1:]),
    state_kind="pose_euler",
    rate_hz=1,
)
_JOINTS = OpenXDataset(
    cameras=cameras(wrist="hand_image"),
    motion=(ACTION[:-1],),
    gripper=ACTION[-1:],
    state=(observed("joint_pos"), observed("gripper")),
    action="joints",
    state_kind="joints",
    frame="joints",
    rate_hz=30,
)

OTHERS: Mapping[str, OpenXDataset] = {
    "columbia_cairlab_pusht_real": OpenXDataset(
        cameras=cameras("image", wrist="wrist_image"),
        motion=GOOGLE_MOTION,
        gripper=commanded("gripper_closedness_action"),
        state=(observed("robot_state"), Constant(6)),
        state_kind="pose_euler",
        language=LANGUAGE_OF_GOOGLE,
        frame="base",
        rate_hz=10,
    ),
    "stanford_kuka_multimodal_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[:3], Constant(3)),
        gripper=ACTION[-1:],
        state=(observed("ee_position"), observed("ee_orientation"), PAD),
        state_kind="pose_quaternion",
        rate_hz=20,
    ),
    "nyu_rot_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[:6],),
        gripper=ACTION[6:7],
        state=arm_state(),
        state_kind="pose_euler",
        rate_hz=3,
    ),
    "maniskill_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image", wrist="wrist_image"),
        motion=_FLAT,
        gripper=ACTION[-1:],
        state=(observed("tcp_pose"), _STATE[7:8]),
        state_kind="pose_quaternion",
        rate_hz=20,
    ),
    "cmu_franka_exploration_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("highres_image"),
        motion=_UNTIL_END,
        gripper=ACTION[-2:-1],
        rate_hz=10,
    ),
    "ucsd_pick_and_place_dataset_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[:3], Constant(3)),
        gripper=ACTION[-1:],
        state=arm_state(),
        state_kind="pose_euler",
        rate_hz=3,
    ),
    "utokyo_pr2_opening_fridge_converted_externally_to_rlds": _PR2,
    "utokyo_pr2_tabletop_manipulation_converted_externally_to_rlds": _PR2,
    "utokyo_xarm_pick_and_place_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image", "image2", "hand_image"),
        motion=_FLAT,
        gripper=ACTION[-1:],
        state=(observed("end_effector_pose"), Constant(2)),
        state_kind="pose_euler",
        rate_hz=10,
    ),
    "utokyo_xarm_bimanual_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[-7:-1],),  # the right arm alone
        gripper=ACTION[-1:],
        state=(observed("pose_r"), Constant(2)),
        state_kind="pose_euler",
        rate_hz=10,
    ),
    "robo_net": _PLANAR_GRASP,
    "berkeley_mvp_converted_externally_to_rlds": replace(
        _JOINTS,
        state=(observed("pose"), observed("gripper")),
        state_kind="pose_quaternion",
        rate_hz=5,
    ),
    "berkeley_rpt_converted_externally_to_rlds": _JOINTS,
    "kaist_nonprehensile_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[:6],),
        gripper=PAD,  # it has none
        state=(_STATE[-7:], PAD),
        state_kind="pose_quaternion",
        rate_hz=10,
    ),
    "stanford_mask_vit_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[:4], Constant(2)),
        gripper=ACTION[-1:],
        state=(
            observed("end_effector_pose")[:4],
            Constant(3),
            observed("end_effector_pose")[-1:],
        ),
        state_kind="pose_euler",
    ),
    "tokyo_u_lsmo_converted_externally_to_rlds": _FLAT_ARM,
    "dlr_sara_pour_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=_FLAT,
        gripper=ACTION[-1:],
        state=(_STATE, Constant(2)),
        state_kind="pose_euler",
        rate_hz=10,
    ),
    "dlr_sara_grid_clamp_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=_FLAT,
        gripper=ACTION[-1:],
        state=(_STATE[:6], Constant(2)),
        state_kind="pose_euler",
        rate_hz=10,
    ),
    "asu_table_top_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image"),
        motion=_FLAT,
        gripper=ACTION[-1:],
        state=(Column("ground_truth_states/EE"), PAD, _STATE[-1:]),
        state_kind="pose_euler",
        rate_hz=12.5,
    ),
    "stanford_robocook_converted_externally_to_rlds": OpenXDataset(
        cameras=cameras("image_1", secondary="image_2"),
        motion=_FLAT,
        gripper=ACTION[-1:],
        state=arm_state(),
        state_kind="pose_euler",
        rate_hz=5,
    ),
    "imperialcollege_sawyer_wrist_cam": OpenXDataset(
        cameras=cameras("image", wrist="wrist_image"),
        motion=_UNTIL_END,
        gripper=ACTION[-2:-1],
        state=(Constant(7), _STATE),
        rate_hz=10,
    ),
    "uiuc_d3field": OpenXDataset(
        cameras=cameras("image_1", secondary="image_2"),
        motion=(ACTION, Constant(3)),
        gripper=PAD,
        rate_hz=1,
    ),
    "cmu_playing_with_food": OpenXDataset(
        cameras=cameras("image", wrist="finger_vision_1"),
        motion=(ACTION[:3], EulerAngles(ACTION[3:7])),
        gripper=ACTION[-1:],
        state=(_STATE, Constant(2)),
        state_kind="pose_euler",
        rate_hz=10,
    ),
    "cmu_play_fusion": OpenXDataset(
        cameras=cameras("image"),
        motion=(ACTION[:3], ACTION[-4:-1]),
        gripper=ACTION[-1:],
        state=(_STATE,),
        state_kind="joints",
        rate_hz=5,
    ),
    "berkeley_gnm_recon": replace(_WHEELS, rate_hz=3),
    "berkeley_gnm_cory_hall": replace(_WHEELS, rate_hz=5),
    "berkeley_gnm_sac_son": replace(_WHEELS, rate_hz=10),
    "roboset": OpenXDataset(
        cameras=cameras("image_left", "image_right", "image_wrist"),
        motion=(ACTION[:7],),
        gripper=ACTION[-1:],
        gripper_rule=clipped_closedness,
        state=(_STATE,),
        action="joints",
        state_kind="joints",
        frame="joints",
        rate_hz=5,
    ),
    "rh20t": OpenXDataset(
        cameras=cameras("image_front", "image_side_right", "image_wrist"),
        motion=(commanded("tcp_base"),),
        gripper=commanded("gripper"),
        state=(observed("tcp_base"), observed("gripper_width")),
        state_kind="pose_euler",
        frame="base",
    ),
    "ppgm": _PPGM,
    "ppgm_static": _PPGM,
    "ppgm_wrist": _PPGM,
    "libero_spatial_no_noops": _LIBERO,
    "libero_object_no_noops": _LIBERO,
    "libero_goal_no_noops": _LIBERO,
    "libero_10_no_noops": _LIBERO,
}
