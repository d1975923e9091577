# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a reason is shown: one word per colour, for a colour alone tells some people nothing."""

from __future__ import annotations

from evla_ros.control.reasons import Reason

# Everything else is a fault.
_LEVELS: dict[str, tuple[Reason, ...]] = {
    "moving": (Reason.MOVING,),
    "limited": (Reason.MOVING_LIMITED,),
    "teleop": (Reason.TELEOP,),
    "waiting": (Reason.WAITING_FOR_CHUNK, Reason.LISTENING, Reason.POSE_UNCONFIRMED),
    "idle": (
        Reason.NOT_STARTED,
        Reason.OPERATOR_STOP,
        Reason.RUN_ENDED,
        Reason.INACTIVE,
        Reason.UNCONFIGURED,
        Reason.NO_INSTRUCTION,
        Reason.UNKNOWN,
    ),
    "stopped": (Reason.ESTOP, Reason.ESTOP_SILENT),
}
LEVELS = (*_LEVELS, "fault")
_BY_REASON = {reason: level for level, reasons in _LEVELS.items() for reason in reasons}


def level_of(reason: int) -> str:
    """Return one of `LEVELS` for a number of PolicyStatus.REASON_*."""
    try:
        return _BY_REASON.get(Reason(reason), "fault")
    except ValueError:
        return "fault"
