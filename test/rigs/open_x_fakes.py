# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Step columns of the published Open-X datasets, and invented episodes of them.

Imports nothing of evla_ros, so that the TensorFlow environment can use it too. A column is
`key:shape[:dtype[:encoding]]`; `key:img` is a picture, `key:text` a text. Keys stand under
`observation` unless they begin with a dot.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

STEPS, EPISODES, SIZE = 7, 2, 8
_GOOGLE = (
    "natural_language_instruction:text natural_language_embedding:512 .reward: "
    ".action/world_vector:3 .action/terminate_episode:3:int32"
)
_TURN = ".action/rotation_delta:3"
_RT1_GRIP = ".action/gripper_closedness_action:1"
_SCALAR_GRIP = ".action/gripper_closedness_action:"
_TEXT = ".language_instruction:text"
_HANDS = "image:img wrist_image:img"
_WHEELS = f"image:img state:3:float64 position:2:float64 yaw:1:float64 .action:2:float64 {_TEXT}"
_BRIDGE = f"image_0:img image_1:img state:7 .action:7 {_TEXT}"
_DROID = (
    "exterior_image_1_left:img exterior_image_2_left:img wrist_image_left:img "
    "cartesian_position:6:float64 gripper_position:1:float64 joint_position:7:float64 "
    ".action:7:float64 .action_dict/cartesian_velocity:6:float64 "
    ".action_dict/gripper_position:1:float64 .action_dict/joint_velocity:7:float64 "
    f"{_TEXT} .language_instruction_2:text"
)
_TDROID = f"static_image:img cartesian_position:6 gripper_position:1 .action:7 {_TEXT}"
_LIBERO = f"{_HANDS} state:8 joint_state:7 .action:7 {_TEXT}"
_PR2 = f"image:img state:7 .action:8 {_TEXT}"
_R = "_converted_externally_to_rlds"

COLUMNS = {
    "fractal20220817_data": f"{_GOOGLE} {_TURN} {_RT1_GRIP} image:img base_pose_tool_reached:7 "
    "gripper_closed:1 workspace_bounds:3,3 .action/base_displacement_vector:2",
    "kuka": f"{_GOOGLE} {_TURN} {_RT1_GRIP} image:img gripper_closed:1:float32:zlib "
    "clip_function_input/base_pose_tool_reached:7:float32:zlib task_id:text "
    "clip_function_input/workspace_bounds:3,3:float32:zlib",
    "bridge_oxe": f"{_GOOGLE} {_TURN} .action/open_gripper::bool image:img image_1:img state:7",
    "bridge_orig": _BRIDGE,
    "bridge_dataset": _BRIDGE,
    "taco_play": "rgb_static:img rgb_gripper:img depth_static:4,4 robot_obs:15 "
    "natural_language_instruction:text .action/rel_actions_world:7 .action/actions:7",
    "jaco_play": f"{_GOOGLE} {_RT1_GRIP} image:img image_wrist:img end_effector_cartesian_pos:7 "
    "end_effector_cartesian_velocity:6 joint_pos:8",
    "berkeley_cable_routing": f"{_GOOGLE} {_TURN} image:img top_image:img wrist225_image:img "
    "wrist45_image:img robot_state:7",
    "roboturk": f"{_GOOGLE} {_TURN} {_RT1_GRIP} front_rgb:img",
    "nyu_door_opening_surprising_effectiveness": f"{_GOOGLE} {_TURN} {_RT1_GRIP} image:img",
    "viola": f"{_GOOGLE} {_TURN} {_SCALAR_GRIP} agentview_rgb:img eye_in_hand_rgb:img "
    "joint_states:7 gripper_states:1 ee_states:16",
    "berkeley_autolab_ur5": f"{_GOOGLE} {_TURN} {_SCALAR_GRIP} image:img hand_image:img "
    "robot_state:15 image_with_depth:4,4,1",
    "toto": f"{_GOOGLE} {_TURN} .action/open_gripper::bool image:img state:7",
    "language_table": "rgb:img effector_translation:2 effector_target_translation:2 "
    "instruction:32:int32 .action:2",
    "columbia_cairlab_pusht_real": f"{_GOOGLE} {_TURN} {_SCALAR_GRIP} {_HANDS} robot_state:2",
    f"stanford_kuka_multimodal_dataset{_R}": "image:img depth_image:4,4,1 ee_position:3 "
    f"ee_orientation:4 ee_forces_continuous:50,6 .action:4 {_TEXT}",
    f"nyu_rot_dataset{_R}": f"image:img state:7 .action:7 {_TEXT}",
    f"stanford_hydra_dataset{_R}": f"{_HANDS} state:27 .action:7 {_TEXT}",
    f"austin_buds_dataset{_R}": f"{_HANDS} state:24 .action:7 {_TEXT}",
    f"nyu_franka_play_dataset{_R}": "image:img image_additional_view:img state:13 .action:15 "
    f"depth:4,4,1:int32 depth_additional_view:4,4,1:int32 {_TEXT}",
    f"maniskill_dataset{_R}": f"{_HANDS} state:18 tcp_pose:7 base_pose:7 .action:7 {_TEXT}",
    f"furniture_bench_dataset{_R}": f"{_HANDS} state:35 .action:8 {_TEXT}",
    f"cmu_franka_exploration_dataset{_R}": f"highres_image:img image:img .action:8 {_TEXT}",
    f"ucsd_kitchen_dataset{_R}": f"image:img state:21 .action:8 {_TEXT}",
    f"ucsd_pick_and_place_dataset{_R}": f"image:img state:7 .action:4 {_TEXT}",
    f"austin_sailor_dataset{_R}": f"{_HANDS} state:8 state_joint:7 .action:7 {_TEXT}",
    f"austin_sirius_dataset{_R}": f"{_HANDS} state:8 .action:7 {_TEXT}",
    "bc_z": "image:img present/xyz:3 present/axis_angle:3 present/sensed_close:1 "
    "natural_language_instruction:text .action/future/xyz_residual:30 "
    ".action/future/axis_angle_residual:30 .action/future/target_close:10:int64",
    f"utokyo_pr2_opening_fridge{_R}": _PR2,
    f"utokyo_pr2_tabletop_manipulation{_R}": _PR2,
    f"utokyo_xarm_pick_and_place{_R}": "image:img image2:img hand_image:img "
    f"end_effector_pose:6 joint_state:14 .action:7 {_TEXT}",
    f"utokyo_xarm_bimanual{_R}": f"image:img pose_l:6 pose_r:6 .action:14 {_TEXT}",
    "robo_net": f"image:img image1:img image2:img state:5 .action:5 {_TEXT}",
    f"berkeley_mvp{_R}": f"hand_image:img gripper:1:bool pose:7 joint_pos:7 .action:8 {_TEXT}",
    f"berkeley_rpt{_R}": f"hand_image:img gripper:1:bool joint_pos:7 .action:8 {_TEXT}",
    f"kaist_nonprehensile{_R}": f"image:img state:21 partial_pointcloud:8,3 .action:20 {_TEXT}",
    f"stanford_mask_vit{_R}": f"image:img end_effector_pose:5 high_bound:5 .action:5 {_TEXT}",
    f"tokyo_u_lsmo{_R}": f"image:img state:13 .action:7 {_TEXT}",
    f"dlr_sara_pour{_R}": f"image:img state:6 .action:7 {_TEXT}",
    f"dlr_sara_grid_clamp{_R}": f"image:img state:12 .action:7 {_TEXT}",
    f"dlr_edan_shared_control{_R}": f"image:img state:7 .action:7 {_TEXT}",
    f"asu_table_top{_R}": f"image:img state:7 .ground_truth_states/EE:6 .action:7 {_TEXT}",
    f"stanford_robocook{_R}": f"image_1:img image_2:img state:7 depth_1:4,4 .action:7 {_TEXT}",
    "imperialcollege_sawyer_wrist_cam": f"{_HANDS} state:1 .action:8 {_TEXT}",
    f"iamlab_cmu_pickup_insert{_R}": f"{_HANDS} state:20 .action:8 {_TEXT}",
    "uiuc_d3field": f"image_1:img image_2:img state:4,4 .action:3 {_TEXT}",
    "utaustin_mutex": f"{_HANDS} state:24 .action:7 {_TEXT}",
    "berkeley_fanuc_manipulation": f"{_HANDS} state:13 end_effector_state:7 .action:6 {_TEXT}",
    "cmu_playing_with_food": f"image:img finger_vision_1:img state:6 .action:8 {_TEXT}",
    "cmu_play_fusion": f"image:img state:8 .action:9 {_TEXT}",
    "cmu_stretch": f"image:img state:4 .action:8 {_TEXT}",
    "berkeley_gnm_recon": _WHEELS,
    "berkeley_gnm_cory_hall": _WHEELS,
    "berkeley_gnm_sac_son": _WHEELS,
    "droid": _DROID,
    "fmb_dataset": "image_side_1:img image_side_2:img image_wrist_1:img eef_pose:6 "
    f"state_gripper_pose: joint_pos:7 .action:7 {_TEXT}",
    "dobbe": f"wrist_image:img state:7 .action:7 {_TEXT}",
    "roboset": f"image_left:img image_right:img image_wrist:img state:8 .action:8 {_TEXT}",
    "rh20t": "image_front:img image_side_right:img image_wrist:img tcp_base:6 gripper_width: "
    f".action/tcp_base:6 .action/gripper::bool {_TEXT}",
    **dict.fromkeys(
        (
            "tdroid_carrot_in_bowl",
            "tdroid_pour_corn_in_pot",
            "tdroid_flip_pot_upright",
            "tdroid_move_object_onto_plate",
            "tdroid_knock_object_over",
            "tdroid_cover_object_with_towel",
        ),
        _TDROID,
    ),
    "droid_wipe": _DROID,
    **{f"libero_{suite}_no_noops": _LIBERO for suite in ("spatial", "object", "goal", "10")},
}


class FakeColumn(NamedTuple):
    """One step column: its flat name, kind (image, text or tensor), shape, dtype and encoding."""

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    encoding: str = "none"


def columns(dataset: str) -> list[FakeColumn]:
    """Return the step columns of a published dataset."""
    return [_column(word) for word in COLUMNS[dataset].split()]


def _column(word: str) -> FakeColumn:
    key, what, *rest = word.split(":")
    name = key[1:] if key.startswith(".") else f"observation/{key}"
    if what in ("img", "text"):
        return FakeColumn(name, "image" if what == "img" else "text")
    shape = tuple(int(size) for size in what.split(",") if size)
    return FakeColumn(name, "tensor", shape, *rest)


def episode(dataset: str, index: int, steps: int = STEPS) -> dict[str, np.ndarray]:
    """Return invented values [T, ...] of every column of an episode."""
    rng = np.random.default_rng([index, *dataset.encode()])
    return {c.name: _values(c, index, steps, rng) for c in columns(dataset)}


def _values(column: FakeColumn, index: int, steps: int, rng: np.random.Generator) -> Any:
    shape = (steps, *column.shape)
    if column.kind == "image":
        return rng.integers(0, 255, (steps, SIZE, SIZE, 3), dtype=np.uint8)
    if column.kind == "text":
        return np.asarray([f"put the cup on plate {index}"] * steps)
    if column.name == "observation/instruction":
        codes = [ord(letter) for letter in f"push it to bowl {index} ü"]
        return np.asarray([codes + [0] * (column.shape[0] - len(codes))] * steps, dtype=np.int32)
    if column.dtype == "bool":
        return rng.random(shape) < 0.5
    if column.dtype.startswith("int"):
        return rng.integers(0, 2, shape).astype(column.dtype)
    values = rng.normal(0, 0.7, shape)
    if "gripper" in column.name or column.name == "action":
        grip = rng.choice([-1.0, 0.0, 0.03, 0.5, 1.0], shape[:-1] if column.shape else shape)
        values[..., -1] = grip if column.shape else values[..., -1]
        values = values if column.shape else grip
    if column.shape == (8,) and column.name == "action":  # some hold a quaternion
        values[..., 3:7] /= np.linalg.norm(values[..., 3:7], axis=-1, keepdims=True)
    return values.astype(column.dtype)
