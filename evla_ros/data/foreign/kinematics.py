# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tool poses from joint positions: forward kinematics of a URDF, through pytransform3d."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.data.foreign.map_file import Kinematics, numbers_of
from evla_ros.data.foreign.poses import quaternion_of_matrix
from evla_ros.data.foreign.source import ForeignEpisode, ForeignError
from evla_ros.errors import nearest, shorten
from evla_ros.geometry.pose import Pose
from evla_ros.reading.limits import JSON_BYTES
from evla_ros.reading.text_files import read_text

NEEDED = (
    "poses from joints need pytransform3d, which is not installed: pip install 'evla_ros[urdf]'"
)


class UrdfPoses:
    """The pose of one frame of a URDF in another, from joint positions.

    Raises:
        ForeignError: The file, a joint or a frame cannot be used; it is named.
    """

    def __init__(self, settings: Kinematics, folder: Path) -> None:
        self._settings = settings
        path = folder / settings.urdf
        self._robot, joints = _load(path)
        for name in settings.names:
            if name not in joints:
                raise ForeignError(f"{path} has no moving joint {name!r}; {nearest(name, joints)}")
        for frame in settings.frames:
            if not self._robot.has_frame(frame):
                hint = nearest(frame, sorted(map(str, self._robot.nodes)))
                raise ForeignError(f"{path} has no frame {frame!r}; {hint}")
        self._limits = {name: self._robot.get_joint_limits(name) for name in settings.names}

    def of(self, episode: ForeignEpisode, what: str) -> list[Pose]:
        """Return the pose in each frame of an episode."""
        names = self._settings.names
        values = numbers_of(episode, self._settings.joints, len(names), what)
        values = np.deg2rad(values) if self._settings.degrees else values
        self._check(values, what)
        base, tool = self._settings.frames
        poses = []
        for row in values:
            for name, position in zip(names, row, strict=True):
                self._robot.set_joint(name, float(position))
            matrix = self._robot.get_transform(tool, base)
            poses.append(Pose(matrix[:3, 3], quaternion_of_matrix(matrix[:3, :3])))
        return poses

    def _check(self, values: Any, what: str) -> None:
        """Refuse positions beyond the URDF's limits: pytransform3d would clip them in silence."""
        for index, (name, (low, high)) in enumerate(self._limits.items()):
            least, most = float(values[:, index].min()), float(values[:, index].max())
            if least < low - 0.05 or most > high + 0.05:
                raise ForeignError(
                    f"{what}: joint {name!r} goes from {least:.3g} to {most:.3g}, the URDF allows "
                    f"{low:.3g} to {high:.3g}: another unit (`degrees`), order or robot?"
                )


def _load(path: Path) -> tuple[Any, list[str]]:
    """Return the robot, and the names of its joints that move."""
    try:
        from pytransform3d.urdf import (
            UrdfTransformManager,
            initialize_urdf_transform_manager,
            parse_urdf,
        )
    except ImportError as error:
        raise ForeignError(NEEDED) from error
    text = read_text(path, JSON_BYTES, ForeignError)
    robot = UrdfTransformManager(check=False)
    try:
        name, links, joints = parse_urdf(text)
        initialize_urdf_transform_manager(robot, name, links, joints)
    except Exception as error:  # it raises of any kind for what is no URDF
        raise ForeignError(f"{path} is no URDF: {shorten(str(error))}") from error
    return robot, [str(joint.joint_name) for joint in joints if joint.joint_type != "fixed"]
