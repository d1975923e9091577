# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: SLF001 - what others set to score it has no public name
"""Meta-World's own environment of one task, set up as others score it; knows nothing of policies.

Objects and goals are drawn anew at every reset, from the seed alone. The camera is `corner2` at the
place that published rows look from, and turned so that its picture is upright.
"""

from __future__ import annotations

import warnings
from typing import Any

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.errors import SimError

CAMERA = "corner2"
CAMERA_M = (0.75, 0.075, 0.7)  # as in arXiv 2206.14244 and LeRobot's environment
MOST_STEPS, RATE_HZ = 500, 80
STEP_M = 0.01  # of an action of 1 along an axis (Meta-World's `action_scale`)
_HALF_TURN = np.array([0.0, 0.0, 0.0, 1.0])  # about the camera's line of sight
_REMEMBERED = ("_prev_obs", "_last_stable_obs")  # observations [18] and [39]
_COLLISION_GROUP, _HIDDEN_GROUP = 4, 3
_WELD = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 5.0)  # the hand to the mocap body
INSTALL = (
    "Meta-World is not installed: pip install 'evla_ros[sim,metaworld]' in an environment of its "
    "own (it asks for MuJoCo 3.3.0), or pip install --no-deps metaworld==3.1.1 beside the MuJoCo "
    "that is here"
)


def make_environment(name: str) -> Any:
    """Return Meta-World's environment of a task; raises SimError when it is not installed."""
    try:
        from metaworld.env_dict import ALL_V3_ENVIRONMENTS
        from metaworld.sawyer_xyz_env import SawyerMocapBase
    except ImportError as error:
        raise SimError(f"{INSTALL} ({error})") from error
    # It writes rows of 11 numbers; MuJoCo 4 has longer ones, with the same meaning up to there.
    SawyerMocapBase.reset_mocap_welds = _reset_welds
    environment = ALL_V3_ENVIRONMENTS[name]()
    environment._set_task_called = True
    environment._freeze_rand_vec = False  # objects and goal are drawn at every reset,
    environment.seeded_rand_vec = True  # from the seed
    # The scripted expert reads the goal from the observation; the space clips what is not in it.
    environment._partially_observable = False
    environment.__dict__.pop("sawyer_observation_space", None)
    _look_upright(environment.model)
    return environment


def make_expert(name: str) -> Any:
    """Return the scripted expert of a task: `get_action(observation [39])` is an action [4]."""
    from metaworld.policies import ENV_POLICY_MAP

    return ENV_POLICY_MAP[name]()


def reset(environment: Any, seed: int) -> Array:
    """Start an episode and return its observation [39]; the same seed gives the same one."""
    environment.seed(seed)
    observation, _ = environment.reset()
    return np.asarray(observation, dtype=np.float64)


def expert_action(expert: Any, observation: Array) -> Array:
    """Return what the expert does [4], within the -1 to 1 that the environment takes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its constants are large, at every step
        return np.clip(np.asarray(expert.get_action(observation), dtype=np.float64), -1.0, 1.0)


def objects_m(environment: Any) -> Array:
    """Return the positions [N, 3] of the objects that the observation tells of, in metres."""
    return np.reshape(np.asarray(environment._get_pos_objects(), dtype=np.float64), (-1, 3))


def target_m(environment: Any) -> Array:
    """Return where the task is to end [3], in metres."""
    return np.array(environment._target_pos, dtype=np.float64)


def memory(environment: Any) -> dict[str, Any]:
    """Return a copy of what an episode changes in the environment beside the physics."""
    changed = {n: v for n, v in vars(environment).items() if isinstance(v, bool | int | float)}
    return changed | {name: np.array(getattr(environment, name)) for name in _REMEMBERED}


def remember(environment: Any, remembered: dict[str, Any]) -> None:
    """Put back what `memory` returned."""
    for name, value in remembered.items():
        setattr(environment, name, value.copy() if name in _REMEMBERED else value)


def _reset_welds(environment: Any) -> None:
    model = environment.model
    welds = model.eq_type == mujoco.mjtEq.mjEQ_WELD
    if model.nmocap:
        model.eq_data[welds, : len(_WELD)] = _WELD


def _look_upright(model: mujoco.MjModel) -> None:
    camera = model.camera(CAMERA).id
    model.cam_pos[camera] = CAMERA_M
    turned = np.empty(4)
    mujoco.mju_mulQuat(turned, model.cam_quat[camera].copy(), _HALF_TURN)
    model.cam_quat[camera] = turned
    # Collision shapes are in a group that MuJoCo does not draw unless asked to.
    model.geom_group[model.geom_group == _COLLISION_GROUP] = _HIDDEN_GROUP
