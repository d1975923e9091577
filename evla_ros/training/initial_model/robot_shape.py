# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the data and the robot decide about the shape of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evla_ros.embodiment import Embodiment, proprio_columns_of_arms
from evla_ros.training.config import TrainConfig
from evla_ros.training.samples.source import Source


@dataclass(frozen=True)
class RobotShape:
    """The sizes that the network has to have.

    Attributes:
        dim: Numbers of an action, D.
        proprio_dim: Numbers of the proprioception, P; 0 for a network that reads none.
        chunk: Actions of a chunk, K; None keeps that of the preset or the checkpoint.
        cameras: The cameras that the settings name, in the order in which their patches follow each
            other; empty when they name none.
        arm_columns: For a robot of several like arms, the columns of the proprioception that belong
            to each; empty for one arm.
        robot: The robot that the network is for, or None when nothing says which.
        center_crop: Whether pictures are cropped at random in training, so that the network is
            served the centre of each picture.
    """

    dim: int
    proprio_dim: int
    chunk: int | None
    cameras: tuple[str, ...]
    arm_columns: tuple[tuple[int, ...], ...]
    robot: Embodiment | None = None
    center_crop: bool = False

    @property
    def robot_cameras(self) -> tuple[str, ...]:
        """All cameras of the robot; empty when it is not known."""
        return tuple(self.robot.cameras) if self.robot else ()


def robot_shape(
    config: TrainConfig, train: Sequence[Source], robot: Embodiment | None
) -> RobotShape:
    """Return the shape that the first dataset, the robot and the settings ask for."""
    first = train[0].episode(0)
    proprio = first.proprio if config.model.proprio else None
    width = 0 if proprio is None else proprio.shape[1]
    return RobotShape(
        dim=first.action.shape[1],
        proprio_dim=width,
        chunk=config.model.chunk or (robot.action.chunk if robot else None),
        cameras=config.model.cameras,
        arm_columns=_arm_columns(robot, width),
        robot=robot,
        center_crop=config.data.augment,
    )


def _arm_columns(robot: Embodiment | None, proprio_dim: int) -> tuple[tuple[int, ...], ...]:
    """Return which numbers of the proprio vector belong to which of several like arms."""
    if robot is None or len(robot.arms) == 1:
        return ()
    columns = proprio_columns_of_arms(robot)
    if proprio_dim == 0:
        return tuple(() for _ in columns)
    alike = len({len(part) for part in columns}) == 1
    return columns if alike and sum(map(len, columns)) == proprio_dim else ()
