# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a point of the world appears in a camera's picture, and cuts out of such a picture."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array


@dataclass(frozen=True)
class Cut:
    """A square part of a square picture.

    Attributes:
        left: where it begins, in widths of the whole picture.
        top: where it begins, in heights of the whole picture.
        size: its side, in sides of the whole picture.
    """

    left: float = 0.0
    top: float = 0.0
    size: float = 1.0

    @classmethod
    def around(cls, right_down: Array, size: float) -> Cut:
        """Return the cut of a size with a place [2] in its middle, or as near as the picture goes.

        Args:
            right_down: [2] in the whole picture, 0..1.
            size: its side, in sides of the whole picture.
        """
        left, top = np.clip(np.asarray(right_down) - size / 2, 0.0, 1.0 - size)
        return cls(float(left), float(top), size)

    def place(self, right_down: Array) -> Array:
        """Return where a place [2] of the whole picture is in this part: 0..1 if it is inside."""
        return (right_down - np.array([self.left, self.top])) / self.size


WHOLE = Cut()


def project(
    model: mujoco.MjModel, data: mujoco.MjData, camera: str, point_m: Array
) -> Array | None:
    """Return where a point appears in the whole picture of a camera, even if something hides it.

    Args:
        model: the compiled model.
        data: its present state.
        camera: an MJCF camera, which has a square picture.
        point_m: [3] in metres in the world's frame.

    Returns:
        [2] right and down, 0..1 inside the picture; None behind the camera.
    """
    number = model.camera(camera).id
    local = data.cam_xmat[number].reshape(3, 3).T @ (point_m - data.cam_xpos[number])
    if local[2] >= -1e-6:
        return None
    focal = 0.5 / np.tan(np.radians(model.cam_fovy[number]) / 2)
    return np.array([0.5 - focal * local[0] / local[2], 0.5 + focal * local[1] / local[2]])
