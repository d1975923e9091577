# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What ties an MJCF world to an embodiment: arms, cameras, home posture. No physics here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from evla_ros.embodiment import Embodiment
from evla_ros.errors import nearest
from evla_ros.sim.errors import SimError

METAWORLD = (
    "metaworld"  # not one of `WORLDS`: Meta-World brings its own, and is driven step by step
)
ARM_JOINTS = 7
FINGER_TRAVEL_M = 0.040


@dataclass(frozen=True)
class ArmBinding:
    """One copy of `arm.xml` in a world.

    Attributes:
        name: the arm in the embodiment file.
        prefix: stands before all names of the copy.
        mount: the MJCF site that it is attached to.
        home_rad: posture [7] at reset, to which the null space also tends.
        collision_bit: its bit in MuJoCo's contype; arms of different bits collide.
    """

    name: str
    prefix: str
    mount: str
    home_rad: tuple[float, ...]
    collision_bit: int = 4


@dataclass(frozen=True)
class BaseBinding:
    """A base that drives in the plane.

    Attributes:
        body: its MJCF body; odometry is its pose in the world.
        joints: along x, along y and about z, each with a position actuator of the same name.
    """

    body: str
    joints: tuple[str, str, str]


@dataclass(frozen=True)
class AxisBinding:
    """A single joint.

    Attributes:
        name: the axis in the embodiment file.
        joint: its MJCF joint, with a position actuator of the same name.
    """

    name: str
    joint: str


@dataclass(frozen=True)
class WorldDescription:
    """What a world is made of.

    Attributes:
        name: name of the world.
        mjcf: file in `assets/`.
        embodiment: name of the shipped embodiment file of its robot.
        arms: its arms, in the order of that file.
        cameras: embodiment camera name -> MJCF camera name.
        video_camera: MJCF camera of videos.
        base: what drives; None: the robot stands.
        axes: single joints, in the order of the embodiment file.
        frame: MJCF body whose frame is the embodiment's `base_frame`; empty: the world's.
    """

    name: str
    mjcf: str
    embodiment: str
    arms: tuple[ArmBinding, ...]
    cameras: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    video_camera: str = "overview"
    base: BaseBinding | None = None
    axes: tuple[AxisBinding, ...] = ()
    frame: str = ""


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

MOBILE_MANIPULATOR = WorldDescription(
    name="mobile_manipulator",
    mjcf="mobile_manipulator.xml",
    embodiment="mobile_manipulator",
    arms=(ArmBinding("arm", "arm_", "mount", (0.0, 0.4119, 0.0, 1.9630, 0.0, 0.7666, 0.0)),),
    cameras=MappingProxyType({"primary": "mast", "wrist": "arm_wrist_camera"}),
    base=BaseBinding("base_link", ("base_x", "base_y", "base_yaw")),
    axes=(AxisBinding("lift", "lift_joint"),),
    frame="arm_mount",
)

WORLDS: Mapping[str, WorldDescription] = MappingProxyType(
    {d.name: d for d in (TABLETOP_ARM, HUMANOID_UPPER_BODY, MOBILE_MANIPULATOR)}
)


def describe(name: str) -> WorldDescription:
    """Return a world's description; raises SimError naming the nearest one."""
    if name == METAWORLD:
        raise SimError(
            "Meta-World is scored by `evla eval metaworld` and collected by `evla train collect "
            f"--world metaworld`; worlds for everything else: {', '.join(WORLDS)}"
        )
    if name not in WORLDS:
        raise SimError(f"no simulated world {name!r}; {nearest(name, WORLDS)}")
    return WORLDS[name]


def check_embodiment(description: WorldDescription, embodiment: Embodiment) -> None:
    """Refuse an embodiment whose arms, cameras, base or axes are not the world's.

    Raises:
        SimError: the sentence names what differs, and the embodiment that fits.
    """
    pairs: Mapping[str, tuple[list[str], list[str]]] = {
        "arms": ([a.name for a in embodiment.arms], [a.name for a in description.arms]),
        "cameras": (sorted(embodiment.cameras), sorted(description.cameras)),
        "base": (
            ["base"] * (embodiment.base is not None),
            ["base"] * (description.base is not None),
        ),
        "axes": ([a.name for a in embodiment.axes], [a.name for a in description.axes]),
    }
    for what, (asked, has) in pairs.items():
        if asked != has:
            raise SimError(
                f"embodiment {embodiment.name!r} has {what} {asked}, "
                f"world {description.name!r} has {has}; "
                f"use the embodiment {description.embodiment!r}"
            )
