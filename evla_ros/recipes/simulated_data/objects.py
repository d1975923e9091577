# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the named things of a simulated scene are: in metres, and in the picture of a camera."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from evla_ros.geometry.pose import Array
from evla_ros.sim.world import World

ABSENT = -1.0


def object_names(world: World) -> tuple[str, ...]:
    """Return the phrases for the scene's things and the robot's hands, in the columns' order."""
    return (*world.scene.names, *_hand_names(world))


def object_positions(world: World) -> dict[str, Array]:
    """Return name -> position [3] in metres in base_frame of every thing that is in the scene."""
    return {**world.scene.positions(world.data), **_hands(world)}


def project(world: World, camera: str, point_m: Array) -> Array | None:
    """Return where a point appears in the picture of a camera, whether or not it is occluded.

    Args:
        world: the simulated world.
        camera: name of the camera in the embodiment file.
        point_m: [3] in metres in base_frame.

    Returns:
        [2] right and down in 0..1; None behind the camera or outside the picture.
    """
    camera_id = world.model.camera(world.description.cameras[camera]).id
    local = world.data.cam_xmat[camera_id].reshape(3, 3).T @ (
        point_m - world.data.cam_xpos[camera_id]
    )
    if local[2] >= -1e-6:
        return None
    focal = 0.5 / np.tan(np.radians(world.model.cam_fovy[camera_id]) / 2)
    right_down = np.array([0.5 - focal * local[0] / local[2], 0.5 + focal * local[1] / local[2]])
    inside = bool((right_down >= 0.0).all() and (right_down < 1.0).all())
    return right_down if inside else None


def object_columns(world: World, camera: str) -> Mapping[str, npt.NDArray[np.float32]]:
    """Return `object_pixels` [N, 2] and `object_positions` [N, 3] now; ABSENT where not seen."""
    names = object_names(world)
    pixels = np.full((len(names), 2), ABSENT, dtype=np.float32)
    positions = np.full((len(names), 3), ABSENT, dtype=np.float32)
    for name, position in object_positions(world).items():
        seen = project(world, camera, position)
        if seen is not None:
            pixels[names.index(name)] = seen
            positions[names.index(name)] = position
    return {"object_pixels": pixels, "object_positions": positions}


def _hand_names(world: World) -> tuple[str, ...]:
    """Return what the arms are called: `gripper`, or `left hand` and so on with several."""
    several = len(world.arms) > 1
    return tuple(f"{arm.name} hand" if several else "gripper" for arm in world.arms)


def _hands(world: World) -> dict[str, Array]:
    """Return name -> tool position [3] of each arm."""
    places = [arm.pose(world.data).position_m for arm in world.arms]
    return dict(zip(_hand_names(world), places, strict=True))
