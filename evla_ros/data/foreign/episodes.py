# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turn a foreign episode into one of ours, as a map file says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.actions import (
    ArmTrack,
    arm_actions,
    axis_actions,
    base_actions,
    target_openings,
)
from evla_ros.data.alignment.observation import BaseState, MovingState, proprio_vector
from evla_ros.data.episode import Episode, rlds_flags
from evla_ros.data.foreign.kinematics import UrdfPoses
from evla_ros.data.foreign.map_file import ArmMap, MapFile, NumberMap, PoseMap, numbers_of
from evla_ros.data.foreign.poses import deltas_of, poses_of
from evla_ros.data.foreign.source import ForeignDataset, ForeignEpisode, ForeignError
from evla_ros.data.image_jpeg import decode_rgb, encode_jpeg
from evla_ros.data.image_resize import ImageError, resize_rgb
from evla_ros.embodiment import Arm, Embodiment
from evla_ros.geometry.pose import Pose

FloatArray = npt.NDArray[np.float64]
Size = tuple[int, int]
_BEYOND = 0.05  # of the way from closed to open that a gripper's number may lie outside


@dataclass(frozen=True)
class _Arm:
    track: ArmTrack
    deltas: FloatArray | None  # [T, 6]
    joints: FloatArray | None  # [T, J]


class EpisodeMaker:
    """Makes episodes of a robot from those of a foreign dataset.

    Args:
        dataset: The foreign dataset.
        settings: The map file.
        embodiment: The robot that it names.
        folder: Of the map file; URDFs are looked up there.
        image_size: (height, width) of the stored pictures [pixels].
    """

    def __init__(
        self,
        dataset: ForeignDataset,
        settings: MapFile,
        embodiment: Embodiment,
        folder: Path,
        image_size: Size,
    ) -> None:
        self._dataset, self._map, self._robot = dataset, settings, embodiment
        self._size = image_size
        self.sizes: dict[str, set[Size]] = {name: set() for name in embodiment.cameras}
        self._urdf: dict[str, UrdfPoses] = {}
        for name, arm in settings.arms.items():
            for what, pose in (("pose", arm.pose), ("goal", arm.goal)):
                if pose is not None and pose.kinematics is not None:
                    self._urdf[f"arms.{name}.{what}"] = UrdfPoses(pose.kinematics, folder)

    def make(self, foreign: ForeignEpisode) -> Episode:
        """Return the episode; N frames give N - 1 steps, as an action leads to the next frame.

        Raises:
            ForeignError: A column is missing or cannot be used; names episode and column.
        """
        try:
            return self._make(foreign)
        except (ForeignError, ImageError) as error:
            raise ForeignError(f"{self._dataset.where}, {foreign.name}: {error}") from error

    def _make(self, foreign: ForeignEpisode) -> Episode:
        kept = np.arange(0, foreign.length, self._map.every)
        steps = len(kept) - 1
        if steps < 1:
            raise ForeignError(f"{foreign.length} frames are too few for a step")
        arms = {arm.name: self._arm(foreign, arm, kept) for arm in self._robot.arms}
        moving, base, axes = self._moving(foreign, kept)
        source = self._robot.action.source
        parts = [self._actions(arms[arm.name], source) for arm in self._robot.arms]
        if base is not None:
            parts.append(base_actions(base[1], base[0], source))
        parts += [axis_actions(c, p, source)[:, None] for p, c in axes]
        flags = rlds_flags(steps, terminal=True)
        success = foreign.success is not False
        return Episode(
            images={f"image_{name}": self._pictures(foreign, name, kept[:-1])
                    for name in self._robot.cameras},
            observations={"state": np.stack([self._state(arms, moving[i], i)
                                             for i in range(steps)])},
            action=np.concatenate(parts, axis=1).astype(np.float32),
            instructions=self._instructions(foreign, kept[:-1]),
            columns=flags,
            metadata={
                "episode_id": foreign.name, "success": success, "source": self._dataset.where,
            },
        )  # fmt: skip

    def _instructions(self, foreign: ForeignEpisode, kept: Any) -> list[str]:
        if self._map.instruction is not None:
            return [self._map.instruction] * len(kept)
        if not foreign.instructions:
            raise ForeignError(
                'the dataset has no instructions: give `instruction: "..."` in the map file'
            )
        return [foreign.instructions[i] for i in kept]

    def _arm(self, foreign: ForeignEpisode, arm: Arm, kept: Any) -> _Arm:
        where, settings = f"arms.{arm.name}", self._map.arms[arm.name]
        if settings.pose is None:  # the map file's own check refuses it
            raise ForeignError(f"{where}.pose is missing")
        poses = self._poses(foreign, settings.pose, f"{where}.pose")
        goals: list[Pose | None] = [None] * len(poses)
        if settings.goal is not None:
            goals = list(self._poses(foreign, settings.goal, f"{where}.goal"))
        openings = np.ones(foreign.length)
        if settings.gripper is not None:
            openings = _openings(foreign, settings.gripper, f"{where}.gripper")
        commands = np.full(foreign.length, np.nan)
        if settings.gripper_command is not None:
            commands = _openings(foreign, settings.gripper_command, f"{where}.gripper_command")
        deltas = joints = None
        if settings.delta is not None:
            deltas = deltas_of(foreign, settings.delta, f"{where}.delta")[kept]
        if settings.joints is not None:
            joints = numbers_of(foreign, settings.joints, len(arm.joints), f"{where}.joints")[kept]
        track = ArmTrack(
            [poses[i] for i in kept], [goals[i] for i in kept], openings[kept], commands[kept]
        )
        return _Arm(track, deltas, joints)

    def _poses(self, foreign: ForeignEpisode, settings: PoseMap, what: str) -> list[Pose]:
        if settings.kinematics is not None:
            return self._urdf[what].of(foreign, what)
        return poses_of(foreign, settings, what)

    def _actions(self, arm: _Arm, source: str) -> FloatArray:
        """Return [T - 1, 7]: as the converter of bags makes them, or the deltas as they are."""
        if source == "achieved" or arm.deltas is None:
            return arm_actions(arm.track, source)
        grippers = target_openings(arm.track.openings, arm.track.commands)
        return np.concatenate([arm.deltas, grippers[:, None]], axis=1)[:-1]

    def _moving(
        self, foreign: ForeignEpisode, kept: Any
    ) -> tuple[list[MovingState], Any, list[tuple[FloatArray, FloatArray]]]:
        """Return the state of base and axes in each frame; measured and commanded of each."""
        base_map, count = self._map.base, len(kept)
        base = None
        poses = [Pose.identity()] * count
        if base_map is not None:
            measured = numbers_of(foreign, base_map.velocity, 3, "base.velocity")[kept]
            told = measured
            if base_map.command is not None:
                told = numbers_of(foreign, base_map.command, 3, "base.command")[kept]
            base = (list(measured), list(told))
            if base_map.pose is not None:
                planar = numbers_of(foreign, base_map.pose, 3, "base.pose")[kept]
                poses = [Pose.from_xyz_rpy([x, y, 0.0], [0.0, 0.0, yaw]) for x, y, yaw in planar]
        axes = []
        for axis in self._robot.axes:
            where, settings = f"axes.{axis.name}", self._map.axes[axis.name]
            position = numbers_of(foreign, settings.position, 1, f"{where}.position")[kept, 0]
            command = np.full(count, np.nan)
            if settings.command is not None:
                command = numbers_of(foreign, settings.command, 1, f"{where}.command")[kept, 0]
            axes.append((position, command))
        names = [axis.name for axis in self._robot.axes]
        states = [
            MovingState(
                None if base is None else BaseState(poses[i], base[0][i]),
                {name: float(axes[n][0][i]) for n, name in enumerate(names)},
            )
            for i in range(count)
        ]
        return states, base, axes

    def _state(self, arms: Mapping[str, _Arm], moving: MovingState, i: int) -> Any:
        joints = {
            name: float(one.joints[i, n])
            for arm in self._robot.arms
            for one in [arms[arm.name]]
            if one.joints is not None
            for n, name in enumerate(arm.joints)
        }
        return proprio_vector(
            self._robot,
            {name: arm.track.poses[i] for name, arm in arms.items()},
            {name: float(arm.track.openings[i]) for name, arm in arms.items()},
            joints,
            moving,
        )

    def _pictures(self, foreign: ForeignEpisode, camera: str, kept: Any) -> list[bytes]:
        wanted = set(kept.tolist())
        name = self._map.cameras[camera]
        found: list[bytes] = []
        for index, picture in enumerate(self._all(foreign, name)):
            if index in wanted:
                pixels = decode_rgb(picture) if isinstance(picture, bytes) else picture
                size = (pixels.shape[0], pixels.shape[1])
                self.sizes[camera].add(size)
                jpeg = isinstance(picture, bytes) and picture[:2] == b"\xff\xd8"
                if jpeg and size == self._size:
                    found.append(bytes(picture))  # as it is: nothing is lost
                else:
                    found.append(encode_jpeg(resize_rgb(pixels, self._size)))
        if len(found) != len(kept):
            raise ForeignError(f"camera {name!r} has {len(found)} pictures for {len(kept)} steps")
        return found

    @staticmethod
    def _all(foreign: ForeignEpisode, name: str) -> Iterator[Any]:
        yield from foreign.pictures(name)


def _openings(foreign: ForeignEpisode, settings: NumberMap, what: str) -> FloatArray:
    """Return the opening in each frame [T], 0 closed to 1 open."""
    values = numbers_of(foreign, settings.column, None, what).mean(axis=1)
    openings: FloatArray = (values - settings.closed) / (settings.open - settings.closed)
    low, high = float(openings.min()), float(openings.max())
    if low < -_BEYOND or high > 1.0 + _BEYOND:
        raise ForeignError(
            f"{what}: {settings.column!r} goes from {values.min():.4g} to {values.max():.4g}, "
            f"beyond closed {settings.closed:g} to open {settings.open:g} of the map file"
        )
    return np.clip(openings, 0.0, 1.0)


def needed_arms(settings: Mapping[str, ArmMap], embodiment: Embodiment) -> list[str]:
    """Return what a map lacks for a robot, as sentences."""
    problems = []
    for arm in embodiment.arms:
        mapped = settings.get(arm.name)
        if mapped is None:
            continue
        if arm.gripper is not None and mapped.gripper is None:
            problems.append(f"arms.{arm.name}.gripper is missing: the robot has one")
        if arm.gripper is None and (mapped.gripper or mapped.gripper_command):
            problems.append(f"arms.{arm.name}.gripper has no effect: the robot has none")
        if "joint_positions" in embodiment.proprio and mapped.joints is None:
            problems.append(f"arms.{arm.name}.joints is missing: proprio lists joint_positions")
        if "joint_positions" not in embodiment.proprio and mapped.joints is not None:
            problems.append(f"arms.{arm.name}.joints has no effect: proprio has no joint_positions")
        commanded = mapped.goal is not None or mapped.delta is not None
        if embodiment.action.source == "commanded" and not commanded:
            problems.append(
                f"arms.{arm.name}: actions are made of goals (action.source: commanded) and the "
                "map has neither `goal` nor `delta`; give one, or set action.source: achieved"
            )
        if embodiment.action.source == "achieved" and commanded:
            problems.append(
                f"arms.{arm.name}: `goal` and `delta` have no effect: action.source is achieved"
            )
    return problems
