# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint positions from sensor_msgs/JointState, which several publishers may share."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

from evla_ros.data.cdr import CdrError
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.messages import decode_joint_state


class JointsMessage(NamedTuple):
    """The newest position of every joint.

    Attributes:
        stamp_ns: Header stamp of the oldest position among them [ns]; 0 where headers have none.
        positions: Position by joint name [rad or m].
        behind_ns: How much older the oldest is than the newest [ns].
    """

    stamp_ns: int
    positions: Mapping[str, float]
    behind_ns: int = 0


class JointPositions:
    """Keeps the newest position of each joint, whichever message it came in."""

    def __init__(self, names: Collection[str]) -> None:
        """Look for the joints of these names."""
        self._names = frozenset(names)
        self._positions: dict[str, float] = {}
        self._stamps: dict[str, int] = {}

    @property
    def missing(self) -> list[str]:
        """The joints without a position so far."""
        return sorted(self._names - self._positions.keys())

    def push(self, data: bytes, received_ns: int = 0) -> JointsMessage | None:
        """Take a raw JointState.

        Args:
            data: The message as CDR bytes.
            received_ns: Its arrival [ns], which dates a message without a stamp.

        Returns:
            The positions of all joints; None where the message is about others, or one is still
            missing.

        Raises:
            BadSampleError: It is cut off, or holds a position of ours that is not finite. The
                finite ones are kept.
        """
        try:
            state = decode_joint_state(data)
        except CdrError as error:
            raise BadSampleError("message", str(error)) from error
        pairs = dict(zip(state.names, state.position.tolist(), strict=False))
        ours = {name: value for name, value in pairs.items() if name in self._names}
        bad = sorted(name for name, value in ours.items() if not math.isfinite(value))
        for name in ours.keys() - set(bad):
            self._positions[name] = ours[name]
            self._stamps[name] = state.header.stamp_ns or received_ns
        if bad:
            raise BadSampleError("finite", f"joint {bad[0]!r} is at {ours[bad[0]]}")
        if not ours or self.missing:
            return None
        oldest_ns, newest_ns = min(self._stamps.values()), max(self._stamps.values())
        return JointsMessage(oldest_ns, dict(self._positions), newest_ns - oldest_ns)
