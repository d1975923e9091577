# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode ticks into columns: pictures at model size, poses, openings, ages; one pass, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.aligner import NANOSECONDS, Tick, is_fresh
from evla_ros.data.alignment.observation import joint_positions, proprio_vector
from evla_ros.data.convert.gates import Gates
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.image_message import rgb_from_cdr
from evla_ros.data.image_resize import resize_rgb
from evla_ros.data.messages import (
    decode_float64,
    decode_float64_array,
    decode_joint_state,
    decode_pose_stamped,
    decode_string,
)
from evla_ros.embodiment import Arm, Embodiment, Gripper
from evla_ros.geometry.pose import GeometryError, Pose


@dataclass
class CameraColumn:
    """One camera over N ticks: encoded pictures, brightness, and the size as recorded."""

    pictures: list[bytes] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    last_stamp_ns: int | None = None


@dataclass
class ArmColumn:
    """One arm over N ticks; NaN and None where a tick is incomplete."""

    poses: list[Pose | None] = field(default_factory=list)
    goals: list[Pose | None] = field(default_factory=list)
    openings: list[float] = field(default_factory=list)
    commands: list[float] = field(default_factory=list)


class TickColumns:
    """Call it with every tick; then read the columns."""

    def __init__(self, embodiment: Embodiment, options: ConvertOptions) -> None:
        self._embodiment = embodiment
        self._options = options
        self._gates = Gates(options.allow)
        self.stamps_ns: list[int] = []
        self.complete: list[bool] = []
        self.stale: dict[str, int] = {}
        self.cameras = {name: CameraColumn() for name in embodiment.cameras}
        self.arms = {arm.name: ArmColumn() for arm in embodiment.arms}
        self.proprio: list[npt.NDArray[np.float32] | None] = []
        self.instructions: list[str | None] = []
        self.ages_s: list[list[float]] = []
        self.skews_s: list[float] = []
        self.age_names: tuple[str, ...] = age_names(embodiment)

    def __call__(self, tick: Tick) -> None:
        """Append one tick; incomplete ones keep their place but hold nothing."""
        self.stamps_ns.append(tick.stamp_ns)
        self.complete.append(tick.complete)
        for name in tick.stale:
            self.stale[name] = self.stale.get(name, 0) + 1
        for name in self._embodiment.cameras:
            self._camera(name, tick)
        for arm in self._embodiment.arms:
            self._arm(arm, tick)
        self.proprio.append(self._proprio(tick) if tick.complete else None)
        text = tick.payload("instruction")
        self.instructions.append(None if text is None else decode_string(text))
        ages = [tick.age_ns(name) for name in self.age_names]
        known = [age for age in ages if age is not None]
        seconds = [np.nan if age is None else age / NANOSECONDS for age in ages]
        self.ages_s.append([float(s) for s in seconds])
        self.skews_s.append((max(known) - min(known)) / NANOSECONDS if known else float("nan"))

    def _camera(self, name: str, tick: Tick) -> None:
        column = self.cameras[name]
        sample = tick.samples[f"camera:{name}"]
        if not tick.complete or sample is None:
            column.pictures.append(b"")
            column.levels.append(np.nan)
            column.last_stamp_ns = None
            return
        if sample.stamp_ns == column.last_stamp_ns:
            column.pictures.append(column.pictures[-1])
            column.levels.append(column.levels[-1])
            return
        rgb = rgb_from_cdr(sample.payload, self._embodiment.cameras[name].transport)
        column.sizes.add((rgb.shape[0], rgb.shape[1]))
        if len(column.sizes) > 1:
            sizes = " and ".join(f"{w}x{h}" for h, w in sorted(column.sizes))
            self._gates.fail("size", f"camera {name} changes its size between {sizes}")
        small = resize_rgb(rgb, self._options.image_size)
        column.pictures.append(encode_jpeg(small))
        column.levels.append(float(np.percentile(small[::4, ::4], 99)))
        column.last_stamp_ns = sample.stamp_ns

    def _arm(self, arm: Arm, tick: Tick) -> None:
        column = self.arms[arm.name]
        column.poses.append(self._pose(f"pose:{arm.name}", tick) if tick.complete else None)
        goal = tick.samples.get(f"goal:{arm.name}")
        tolerance = round(arm.pose.max_age_s * NANOSECONDS)
        fresh = is_fresh(goal, tick.stamp_ns, tolerance)
        column.goals.append(self._pose(f"goal:{arm.name}", tick) if fresh else None)
        if arm.gripper is None:
            column.openings.append(1.0)
            column.commands.append(1.0)
            return
        state, command = tick.payload(f"gripper:{arm.name}"), tick.payload(f"command:{arm.name}")
        known = tick.complete and state is not None
        opening = measured_opening(arm.gripper, state) if known else np.nan
        if known and not np.isfinite(opening):
            self._gates.fail("finite", f"gripper:{arm.name} at tick {tick.index} is not a number")
        column.openings.append(opening)
        column.commands.append(np.nan if command is None else commanded(arm.gripper, command))

    def _pose(self, key: str, tick: Tick) -> Pose | None:
        payload = tick.payload(key)
        if payload is None or isinstance(payload, Pose):
            return payload
        message = decode_pose_stamped(payload)
        frame = message.header.frame_id.lstrip("/")
        if frame != self._embodiment.base_frame:
            self._gates.fail(
                "frame",
                f"{key} is in frame {frame!r}, the embodiment's base_frame is "
                f"{self._embodiment.base_frame!r}",
            )
        try:
            return Pose(message.position_m, message.quaternion_xyzw)
        except GeometryError as error:
            self._gates.fail("finite", f"{key} at tick {tick.index}: {error}")
            raise

    def _proprio(self, tick: Tick) -> npt.NDArray[np.float32]:
        poses: dict[str, Pose] = {}
        openings: dict[str, float] = {}
        for name, column in self.arms.items():
            pose = column.poses[-1]
            if pose is not None:
                poses[name] = pose
            openings[name] = column.openings[-1]
        joints: Any = tick.payload("joints")
        positions = None if joints is None else joint_positions(decode_joint_state(joints))
        return proprio_vector(self._embodiment, poses, openings, positions)


def age_names(embodiment: Embodiment) -> tuple[str, ...]:
    """Return the streams whose age every step keeps, in column order."""
    cameras = [f"camera:{name}" for name in embodiment.cameras]
    poses = [f"pose:{arm.name}" for arm in embodiment.arms]
    grippers = [f"gripper:{arm.name}" for arm in embodiment.arms if arm.gripper is not None]
    return (*cameras, *poses, *grippers)


def measured_opening(gripper: Gripper, data: bytes) -> float:
    """Return the opening (0 closed .. 1 open) in a raw gripper state; NaN if not finite."""
    if gripper.state_type == "float64":
        value = decode_float64(data)
    else:
        value = joint_positions(decode_joint_state(data)).get(str(gripper.state_joint), np.nan)
    return gripper.opening(value) if np.isfinite(value) else float("nan")


def commanded(gripper: Gripper, data: bytes) -> float:
    """Return the opening that a raw gripper command asks for; NaN if it is not finite."""
    if gripper.command_type == "float64":
        value = decode_float64(data)
    else:
        numbers = decode_float64_array(data)
        value = float(numbers[0]) if numbers.size else float("nan")
    return gripper.opening(value) if np.isfinite(value) else float("nan")
