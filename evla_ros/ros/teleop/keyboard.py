# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keys of a terminal as a teleoperation device: hold a key to move, let go to stop.

A terminal tells of presses and repeats, never of a release: a key counts as held until its repeats
stop. The reader needs no window system and no root.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Iterator

import numpy as np

from evla_ros.ros.teleop.command import TeleopCommand

FIRST_REPEAT_S = 0.6  # terminals wait this long before they repeat a key
HELP = """hold a key to move, let go to stop
  w s  forward back      i k  pitch      g    open or close the gripper
  a d  left right        j l  yaw        tab  next arm
  q e  up down           u o  roll       [ ]  slower faster
  arrows  drive and turn the base, < > sideways     + -  single joint up down     .  next joint
  r  start or keep an episode    x  discard it    y n  mark success, failure    ^C  quit"""
MOVES = {  # key: number of the axis, and which way
    "w": (0, 1.0), "s": (0, -1.0), "a": (1, 1.0), "d": (1, -1.0), "q": (2, 1.0), "e": (2, -1.0),
    "u": (3, 1.0), "o": (3, -1.0), "i": (4, 1.0), "k": (4, -1.0), "j": (5, 1.0), "l": (5, -1.0),
}  # fmt: skip
# The arrow keys as terminals send them; each stands for one character of its own.
ARROWS = {"\x1b[A": "\u2191", "\x1b[B": "\u2193", "\x1b[D": "\u2190", "\x1b[C": "\u2192"}
DRIVES = {  # key: number of the velocity of vx vy wz, and which way
    "\u2191": (0, 1.0), "\u2193": (0, -1.0), "\u2190": (2, 1.0), "\u2192": (2, -1.0),
    "<": (1, 1.0), ">": (1, -1.0),
}  # fmt: skip
JOINTS = {"+": 1.0, "-": -1.0}
RECORDER_KEYS = {"r": "toggle", "x": "discard", "y": "mark_success", "n": "mark_failure"}


@contextlib.contextmanager
def raw_terminal(descriptor: int) -> Iterator[None]:
    """Give keys at once and unechoed, and put the terminal back afterwards, whatever happens."""
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def read_keys(descriptor: int, timeout_s: float) -> str:
    """Return the keys that were pressed, `''` when none was within the time."""
    ready, _, _ = select.select([descriptor], [], [], timeout_s)
    keys = os.read(descriptor, 64).decode("utf-8", "ignore") if ready else ""
    for sequence, key in ARROWS.items():
        keys = keys.replace(sequence, key).replace(sequence.replace("[", "O"), key)
    return keys


def has_terminal() -> bool:
    """Return whether keys can be read at all."""
    return sys.stdin.isatty()


class Keyboard:
    """Turns keys into commands."""

    def __init__(self, arms: int, joints: int = 0) -> None:
        """arms, joints: how many arms and single joints (`axes` of the embodiment) there are."""
        self._arms, self._joints = arms, joints
        self._arm = self._joint = 0
        self._speed = 0.5
        self._open = [True] * arms
        self._held: dict[str, float] = {}

    def press(self, keys: str, now_s: float) -> list[str]:
        """Note keys; returns recorder services to call."""
        services = []
        for key in keys:
            if key in MOVES or key in DRIVES or key in JOINTS:
                self._held = {k: t for k, t in self._held.items() if now_s - t < FIRST_REPEAT_S}
                self._held[key] = now_s
            elif key == "g":
                self._open[self._arm] = not self._open[self._arm]
                self._held["g"] = now_s
            elif key == "\t":
                self._arm = (self._arm + 1) % self._arms
            elif key == "." and self._joints:
                self._joint = (self._joint + 1) % self._joints
            elif key in "[]":
                self._speed = min(1.0, max(0.1, self._speed * (0.8 if key == "[" else 1.25)))
            elif key == " ":
                self._held.clear()
            elif key in RECORDER_KEYS:
                services.append(RECORDER_KEYS[key])
        return services

    def command(self, now_s: float) -> TeleopCommand:
        """Return what the held keys ask for."""
        held = [key for key, pressed in self._held.items() if now_s - pressed < FIRST_REPEAT_S]
        axes, base, rate = np.zeros(6), np.zeros(3), 0.0
        for key in held:
            if key in MOVES:
                axis, sign = MOVES[key]
                axes[axis] += sign * self._speed
            elif key in DRIVES:
                axis, sign = DRIVES[key]
                base[axis] += sign * self._speed
            rate += JOINTS.get(key, 0.0) * self._speed
        opening = float(self._open[self._arm]) if "g" in held else None
        return TeleopCommand(
            bool(held), self._arm, axes[:3], axes[3:], None, opening, base, self._joint, rate
        )
