# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the named things of a simulated scene are: in metres, and in the picture of a camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from evla_ros.geometry.pose import Array
from evla_ros.sim.projection import project
from evla_ros.sim.world import World
from evla_ros.training.samples.sample import pixels_column

ABSENT = -1.0


def object_names(world: World) -> tuple[str, ...]:
    """Return the phrases for the scene's things and the robot's hands, in the columns' order."""
    return (*world.scene.names, *_hand_names(world))


def object_positions(world: World) -> dict[str, Array]:
    """Return name -> position [3] in metres in base_frame of every thing that is in the scene."""
    return {**world.scene.positions(world.data), **_hands(world)}


def place_in_picture(world: World, camera: str, point_m: Array) -> Array | None:
    """Return where a point appears in a camera's picture, even if something hides it.

    Args:
        world: the simulated world.
        camera: name of the camera in the embodiment file.
        point_m: [3] in metres in base_frame.

    Returns:
        [2] right and down in 0..1; None outside the picture.
    """
    seen = project(world.model, world.data, world.description.cameras[camera], point_m)
    if seen is None:
        return None
    right_down = world.cut(camera).place(seen)
    inside = bool((right_down >= 0.0).all() and (right_down < 1.0).all())
    return right_down if inside else None


def object_columns(
    world: World, cameras: Sequence[str] = ("primary",)
) -> Mapping[str, npt.NDArray[np.float32]]:
    """Return where things are now; ABSENT where not seen.

    Returns:
        For each camera the column `pixels_column` names, [N, 2]; and `object_positions` [N, 3] of
        what any of them shows.
    """
    names = object_names(world)
    columns = {pixels_column(c): np.full((len(names), 2), ABSENT, np.float32) for c in cameras}
    positions = np.full((len(names), 3), ABSENT, dtype=np.float32)
    for name, position in object_positions(world).items():
        for camera in cameras:
            seen = place_in_picture(world, camera, position)
            if seen is not None:
                columns[pixels_column(camera)][names.index(name)] = seen
                positions[names.index(name)] = position
    return {**columns, "object_positions": positions}


def _hand_names(world: World) -> tuple[str, ...]:
    """Return what the arms are called: `gripper`, or `left hand` and so on with several."""
    several = len(world.arms) > 1
    return tuple(f"{arm.name} hand" if several else "gripper" for arm in world.arms)


def _hands(world: World) -> dict[str, Array]:
    """Return name -> tool position [3] of each arm."""
    places = [arm.pose(world.data).position_m for arm in world.arms]
    return dict(zip(_hand_names(world), places, strict=True))
