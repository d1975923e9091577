# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the simulator node, and their values."""

from __future__ import annotations

from types import SimpleNamespace

from rclpy.node import Node

from evla_ros.errors import EvlaError
from evla_ros.ros.parameters import Parameter, declare, read
from evla_ros.sim.description import WORLDS
from evla_ros.sim.render import QUALITIES

TABLE: tuple[Parameter, ...] = (
    Parameter("world", "tabletop_arm", "the simulated world", choices=tuple(WORLDS)),
    Parameter("embodiment", "", "embodiment file or name; empty: the one shipped for the world"),
    Parameter("task", "", "task family or instruction of the first episode; empty: drawn by seed"),
    Parameter("seed", 0, "of the first episode; negative: drawn", low=-1, high=1_000_000_000),
    Parameter("randomize", True, "draw colours, light and camera poses too, by the seed"),
    Parameter("image_size", 224, "side of the images", "px", 16, 2048),
    Parameter("quality", "fast", "of the rendering", choices=tuple(QUALITIES)),
    Parameter("camera_rate_hz", 10.0, "images per simulated second", "Hz", 0.5, 50.0),
    Parameter("compressed", True, "publish JPEG images too, beside the raw ones"),
    Parameter("jpeg_quality", 90, "of the JPEG images", low=10, high=100),
    Parameter("publish_instruction", True, "state the task on the embodiment's instruction topic"),
    Parameter("own_clock", False, "publish /clock, and stamp with simulated time"),
    Parameter("lockstep", False, "a tick begins when every arm has a goal for it; needs own_clock"),
    Parameter(
        "lockstep_wait_s",
        0.5,
        "after silence of this wall time it is real time, until the next goal",
        "s",
        0.02,
        60.0,
    ),
    Parameter(
        "positions", "", "file (NPZ) for where everything was, written at the end; empty: none"
    ),
    Parameter("speed", 1.0, "simulated seconds per second, where the machine can", "", 0.05, 100.0),
)


def sim_parameters(node: Node) -> SimpleNamespace:
    """Declare the parameters on the node and return their values as attributes of the same names.

    Raises:
        EvlaError: a value that the table does not allow, or `lockstep` without a clock of its own.
    """
    declare(node, TABLE)
    values = SimpleNamespace(**read(node, TABLE))
    if values.lockstep and not values.own_clock:
        raise EvlaError("parameter lockstep needs own_clock: true, for everybody waits for /clock")
    return values
