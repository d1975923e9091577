# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What ties an MJCF world to an embodiment: arms, cameras, home posture. No physics here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from evla_ros.errors import nearest
from evla_ros.sim.errors import SimError

ARM_JOINTS = 7
FINGER_TRAVEL_M = 0.040


@dataclass(frozen=True)
class ArmBinding:
    """One copy of `arm.xml`, attached at the site `mount` with `prefix` before all of its names.

    name: the arm in the embodiment file. home_rad: the posture at reset, also the rest posture of
    the null space. collision_bit: its bit in MuJoCo's contype; arms of different bits collide.
    """

    name: str
    prefix: str
    mount: str
    home_rad: tuple[float, ...]
    collision_bit: int = 4


@dataclass(frozen=True)
class WorldDescription:
    """A world's MJCF file (in `assets/`), its arms in embodiment order and its cameras.

    cameras: embodiment camera name -> MJCF camera name. video_camera: MJCF camera of videos.
    """

    name: str
    mjcf: str
    embodiment: str
    arms: tuple[ArmBinding, ...]
    cameras: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    video_camera: str = "overview"


TABLETOP_ARM = WorldDescription(
    name="tabletop_arm",
    mjcf="tabletop_arm.xml",
    embodiment="tabletop_arm",
    arms=(ArmBinding("arm", "arm_", "mount", (0.0, 0.4119, 0.0, 1.9630, 0.0, 0.7666, 0.0)),),
    cameras=MappingProxyType({"primary": "primary", "wrist": "arm_wrist_camera"}),
)

_LEFT_HOME_RAD = (-0.985, 0.765, -0.622, 1.989, 1.873, 1.878, -1.011)
_MIRROR = (-1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0)
_RIGHT_HOME_RAD = tuple(q * sign for q, sign in zip(_LEFT_HOME_RAD, _MIRROR, strict=True))

HUMANOID_UPPER_BODY = WorldDescription(
    name="humanoid_upper_body",
    mjcf="humanoid_upper_body.xml",
    embodiment="humanoid_upper_body",
    arms=(
        ArmBinding("left", "l_", "l_mount", _LEFT_HOME_RAD, collision_bit=4),
        ArmBinding("right", "r_", "r_mount", _RIGHT_HOME_RAD, collision_bit=8),
    ),
    cameras=MappingProxyType(
        {"primary": "head", "left_wrist": "l_wrist_camera", "right_wrist": "r_wrist_camera"}
    ),
)

WORLDS: Mapping[str, WorldDescription] = MappingProxyType(
    {d.name: d for d in (TABLETOP_ARM, HUMANOID_UPPER_BODY)}
)


def describe(name: str) -> WorldDescription:
    """Return a world's description; raises SimError naming the nearest one."""
    if name not in WORLDS:
        raise SimError(f"no simulated world {name!r}; {nearest(name, WORLDS)}")
    return WORLDS[name]
