# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scripted expert of `mobile_manipulator`: tuck the arm, drive to a place, work there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evla_ros.geometry import rotation
from evla_ros.sim.errors import SimError
from evla_ros.sim.experts import skills
from evla_ros.sim.experts.body import DOWN_XYZW
from evla_ros.sim.experts.motion import Intent, act_toward, with_yaw
from evla_ros.sim.experts.skills import Hand
from evla_ros.sim.experts.style import Style
from evla_ros.sim.scenes.blocks import HALF_M
from evla_ros.sim.scenes.mobile import BIN_M, BIN_RIM_M, TABLES, MobileScene
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.task import Task

Array = npt.NDArray[np.float64]
_MOUNT_M, _MOUNT_AT_REST_M = 0.10, 0.40  # of the frame of the arm in that of the base: ahead, up
_REACH_M = 0.36  # how far ahead of the arm's frame it works
_TUCK_M = np.array([0.36, 0.0, 0.30])
_TUCKED_M, _SAFE_M = 0.06, 0.20
_THERE, _STILL_THERE = np.array([0.018, 0.025, 0.008]), np.array([0.06, 0.08, 0.02])
_SPEED_M_S, _TURN_RAD_S, _BRAKE_M_S2, _BRAKE_RAD_S2 = 0.6, 1.0, 0.5, 1.2
_SIDE_M = 0.30
_FINGERTIP_M = 0.014
_PULL_TO_M, _OPENED_M = 0.118, 0.108
_SPOTS_M = np.array([[1.44, y] for y in (0.0, -0.1, 0.1, -0.2, 0.2, -0.3, 0.3)])
_SPOT_ROOM_M = 0.095


class Dock(NamedTuple):
    """Where to stand: x y [m] and yaw [rad] in the room, height of the lift [m]."""

    x: float
    y: float
    yaw: float
    lift: float


class MobileExpert:
    """Acts for one task in one simulation, from any state."""

    def __init__(self, sim: Simulation, task: Task, style: Style) -> None:
        """Take the simulation to look at; nothing of it is changed."""
        if sim.base is None:
            raise SimError("this expert drives; the world has no base")
        self._sim, self._task, self._style, self._base = sim, task, style, sim.base
        self._scene: MobileScene = sim.scene
        self._arm = sim.arms[0]
        self._frame = sim.model.body(sim.description.frame).id

    def act(self) -> Array:
        """Return the action [11] for the present state."""
        dock, (error, turn) = self._dock(), (np.zeros(2), 0.0)
        place = self._base.place(self._sim.data)
        error, turn = np.array([dock.x, dock.y]) - place[:2], _turn(dock.yaw - place[2])
        lift = dock.lift - self._sim.axes[0].position(self._sim.data)
        hand = self._hand()
        away = float(np.linalg.norm(hand.position_m - _TUCK_M))
        tucked = away < _TUCKED_M
        off = np.abs([np.hypot(*error), turn, lift])
        if (off < (_THERE if tucked else _STILL_THERE)).all():
            return self._action(self._work(hand), np.zeros(3), dock.lift)
        intent = skills.travel(hand, _TUCK_M, _SAFE_M, 0.0 if self._held() else 1.0)
        if not tucked and not (hand.position_m[2] > _SAFE_M and away < 0.16):
            stay = self._sim.axes[0].position(self._sim.data)
            return self._action(intent, np.zeros(3), stay)
        return self._action(intent, _drive(error, turn, place[2]), dock.lift)

    def _action(self, intent: Intent, velocity: Array, lift: float) -> Array:
        body, pose = self._sim.embodiment, self._arm.pose(self._sim.data)
        limits = body.arms[0].limits
        inside = np.clip(intent.position_m, limits.workspace_min_m, limits.workspace_max_m)
        bounded = Intent(inside, intent.quaternion_xyzw, intent.gripper)
        arm = act_toward(pose, bounded, self._style, 1.0 / body.rate_hz, limits.max_step_m)
        return np.concatenate([arm, velocity, [lift]])

    # -- where to stand --

    def _dock(self) -> Dock:
        if self._task.family == "open":
            return _at_table("far", float(self._scene.drawer.knob(self._sim.data)[1]), shift=-0.05)
        colour = self._task.slots[0]
        if self._held():
            return self._destination()
        block = self._scene.block(self._sim.data, colour)
        if self._delivered(block):
            return self._destination()
        table = self._scene.table_of(block) or ("far" if block[0] < 0 else "near")
        return _at_table(table, float(block[1]))

    def _destination(self) -> Dock:
        if self._task.family == "bin":
            y = float(BIN_M[1]) - _MOUNT_M - _REACH_M
            return Dock(float(BIN_M[0]), y, np.pi / 2, BIN_RIM_M + 0.10 - _MOUNT_AT_REST_M)
        return _at_table("near", float(self._spot()[1]))

    def _spot(self) -> Array:
        """Return the first free spot [2] of the near table."""
        others = [c for c in self._scene.colours if c != self._task.slots[0]]
        taken = [self._scene.block(self._sim.data, colour)[:2] for colour in others]
        for spot in _SPOTS_M:
            if all(np.hypot(*(spot - other)) > _SPOT_ROOM_M for other in taken):
                return np.asarray(spot)
        return np.asarray(_SPOTS_M[0])

    def _delivered(self, block: Array) -> bool:
        if self._task.family == "bin":
            return self._scene.in_bin(block)
        return self._scene.table_of(block) == "near"

    # -- what to do there --

    def _work(self, hand: Hand) -> Intent:
        if self._task.family == "open":
            return self._open(hand)
        colour = self._task.slots[0]
        block = self._scene.block(self._sim.data, colour)
        centre = self._in_arm(block)
        if self._held():
            return skills.carry(hand, centre, self._in_arm(self._target()), self._style, 0.02)
        if self._delivered(block):
            return skills.let_go(hand, float(_TUCK_M[2]))
        turned = self._turned(self._scene.turn_of_block(self._sim.data, colour))
        return skills.grasp(Hand(hand.position_m, hand.opening, turned), centre, self._style)

    def _target(self) -> Array:
        if self._task.family == "bin":
            return np.array([*BIN_M, BIN_RIM_M + 0.09])
        return np.array([*self._spot(), TABLES["near"].top_m + HALF_M + 0.001])

    def _open(self, hand: Hand) -> Intent:
        scene, data = self._scene, self._sim.data
        knob, opening_m = self._in_arm(scene.drawer.knob(data)), scene.drawer.opening(data)
        if opening_m > _OPENED_M:
            return skills.let_go(hand, float(knob[2]) + self._style.hover_m)
        if scene.drawer.touched(data).issuperset(self._arm.pads):
            missing_m = _PULL_TO_M - opening_m
            return hand.at(np.array([hand.position_m[0] - missing_m, knob[1], knob[2]]), 0.0)
        return skills.grasp(hand, knob, self._style)

    # -- what it sees --

    def _hand(self) -> Hand:
        data = self._sim.data
        return Hand(self._arm.pose(data).position_m, self._arm.opening(data), DOWN_XYZW)

    def _held(self) -> bool:
        if self._task.family == "open":
            return False
        touched = self._scene.touching(self._sim.data, self._task.slots[0])
        return touched.issuperset(self._arm.pads)

    def _in_arm(self, point_m: Array) -> Array:
        """Return a point [3] of the room in the frame of the arm."""
        data = self._sim.data
        return np.asarray(
            data.xmat[self._frame].reshape(3, 3).T @ (point_m - data.xpos[self._frame])
        )

    def _turned(self, yaw_rad: float) -> Array:
        """Return the orientation of a hand that is turned as something in the room."""
        turn = yaw_rad - self._base.place(self._sim.data)[2]
        quarter = (turn + np.pi / 4) % (np.pi / 2) - np.pi / 4
        return np.asarray(rotation.normalize(with_yaw(DOWN_XYZW, quarter)))


def _at_table(table: str, y: float, shift: float = 0.0) -> Dock:
    """Return where to stand to work at a height y of a table; shift: further ahead [m]."""
    far = table == "far"
    x, way = (-1.44, -1.0) if far else (1.44, 1.0)
    stand = x - way * (_MOUNT_M + _REACH_M - shift)
    lift = TABLES[table].top_m - _MOUNT_AT_REST_M
    return Dock(stand, float(np.clip(y, -_SIDE_M, _SIDE_M)), np.pi if far else 0.0, lift)


def _drive(error_m: Array, turn_rad: float, yaw_rad: float) -> Array:
    """Return vx vy wz in the base's own frame that bring it nearer and arrive without a swing."""
    far = float(np.hypot(*error_m))
    speed = min(_SPEED_M_S, np.sqrt(2.0 * _BRAKE_M_S2 * far), 2.5 * far)
    way = error_m * (speed / far) if far > 1e-9 else np.zeros(2)
    rate = min(_TURN_RAD_S, np.sqrt(2.0 * _BRAKE_RAD_S2 * abs(turn_rad)), 2.5 * abs(turn_rad))
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([c * way[0] + s * way[1], c * way[1] - s * way[0], np.sign(turn_rad) * rate])


def _turn(angle_rad: float) -> float:
    return float((angle_rad + np.pi) % (2.0 * np.pi) - np.pi)
