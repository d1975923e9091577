# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why the robot moves or not: one enum, one sentence each, for node, log, bag and console.

The numbers are those of `REASON_*` in msg/PolicyStatus.msg; a test compares the two.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Reason(IntEnum):
    """A reason for moving, holding, refusing or clipping."""

    UNKNOWN = 0
    MOVING = 1
    MOVING_LIMITED = 2
    UNCONFIGURED = 10
    INACTIVE = 11
    NOT_STARTED = 12
    OPERATOR_STOP = 13
    NO_INSTRUCTION = 20
    CAMERA_MISSING = 21
    CAMERA_STALE = 22
    POSE_MISSING = 23
    POSE_STALE = 24
    GRIPPER_MISSING = 25
    GRIPPER_STALE = 26
    INPUT_INVALID = 27
    CAMERA_CONFLICT = 28
    STAMP_SKEW = 29
    WAITING_FOR_CHUNK = 30
    CHUNK_EXHAUSTED = 31
    POLICY_FAILED = 32
    ACTION_INVALID = 33
    POLICY_TIMEOUT = 34
    POLICY_RESTARTING = 35
    SERVER_LATE = 36
    SERVER_GONE = 37
    TRACKING_ERROR = 40
    OUTSIDE_WORKSPACE = 41
    ESTOP = 42
    TELEOP = 43
    CLOCK_JUMP = 44
    EMBODIMENT_MISMATCH = 45
    GOAL_GAP = 46
    CLOCK_STOPPED = 47
    SHUTDOWN = 50
    LIMIT_WORKSPACE = 60
    LIMIT_SPEED = 61
    LIMIT_ROTATION_SPEED = 62
    LIMIT_ACCELERATION = 63
    LIMIT_STEP = 64
    CONTROL_UNHEARD = 70
    ESTOP_SILENT = 71
    POSE_CONFLICT = 72
    GOAL_CONFLICT = 73
    GOAL_UNHEARD = 74
    WRONG_FRAME = 75
    WRONG_JOINT = 76
    POSE_UNCONFIRMED = 77
    LISTENING = 78
    ODOMETRY_MISSING = 79
    ODOMETRY_STALE = 80
    AXIS_MISSING = 81
    AXIS_STALE = 82
    AXIS_OUTSIDE = 83
    JOINTS_MISSING = 84
    JOINTS_STALE = 85
    RUN_ENDED = 90

    @property
    def sentence(self) -> str:
        """What an operator reads; `explain` adds the detail."""
        return SENTENCES[self]


class Finding(NamedTuple):
    """A reason with what it is about, such as the name of a camera."""

    reason: Reason
    detail: str = ""

    @property
    def text(self) -> str:
        """The sentence, with the detail in brackets behind it."""
        return f"{self.reason.sentence} ({self.detail})" if self.detail else self.reason.sentence


SENTENCES: dict[Reason, str] = {
    Reason.UNKNOWN: "No reason is known yet.",
    Reason.MOVING: "Goals follow the policy.",
    Reason.MOVING_LIMITED: "Goals follow the policy, clipped by a limit.",
    Reason.UNCONFIGURED: "No model is loaded; configure the node.",
    Reason.INACTIVE: "The node is configured but not active; activate it.",
    Reason.NOT_STARTED: "Ready and not started; call ~/start to let the robot move.",
    Reason.RUN_ENDED: "The run that was asked for is over; send the next one or call ~/start.",
    Reason.OPERATOR_STOP: "Stopped by the operator; call ~/start to go on.",
    Reason.NO_INSTRUCTION: "There is no instruction; publish one or call ~/set_instruction.",
    Reason.CAMERA_MISSING: "A camera has not sent an image yet; check its driver and topic.",
    Reason.CAMERA_STALE: "The newest image of a camera is too old; check its driver and cable.",
    Reason.POSE_MISSING: "An arm has not sent its pose yet; check the robot driver and topic.",
    Reason.POSE_STALE: "The newest pose of an arm is too old; check the robot driver.",
    Reason.GRIPPER_MISSING: "A gripper has not sent its state yet; check its driver and topic.",
    Reason.GRIPPER_STALE: "The newest state of a gripper is too old; check its driver.",
    Reason.INPUT_INVALID: "An input cannot be decoded, is not finite or jumps; check its source.",
    Reason.CAMERA_CONFLICT: "Two publishers send images on one camera topic; stop one of them.",
    Reason.STAMP_SKEW: "An input's stamps are not on the node's clock; synchronise the clocks.",
    Reason.WAITING_FOR_CHUNK: "Waiting for the policy's next actions.",
    Reason.CHUNK_EXHAUSTED: "The policy is too slow: its last actions are used up.",
    Reason.POLICY_FAILED: "The policy raised an error; see the log.",
    Reason.ACTION_INVALID: "The policy returned actions of a wrong shape or not finite.",
    Reason.POLICY_TIMEOUT: "The policy did not answer in time.",
    Reason.POLICY_RESTARTING: "The policy's process died and is being restarted.",
    Reason.SERVER_LATE: "The policy server did not answer in time; check the network and its load.",
    Reason.SERVER_GONE: "The policy server cannot be reached; check the server and the network.",
    Reason.TRACKING_ERROR: "The robot does not follow its goals; they went back to where it is.",
    Reason.OUTSIDE_WORKSPACE: "An arm is outside its workspace box; move it back inside.",
    Reason.ESTOP: "The emergency stop is latched; release it and call ~/reset_estop.",
    Reason.TELEOP: "A person holds the dead-man: teleoperation has the authority.",
    Reason.CLOCK_JUMP: "The clock jumped; check time synchronisation, then call ~/start.",
    Reason.EMBODIMENT_MISMATCH: "The checkpoint was made for another robot.",
    Reason.GOAL_GAP: "The node was suspended or starved and sent no goals; call ~/start.",
    Reason.CLOCK_STOPPED: "Simulated time stands still; let the simulator or the bag run.",
    Reason.CONTROL_UNHEARD: "A control topic's publisher cannot be heard; change its type or QoS.",
    Reason.ESTOP_SILENT: "The emergency stop's heartbeat is not heard; check its node.",
    Reason.POSE_CONFLICT: "Several nodes publish one measured pose or odometry; stop all but one.",
    Reason.GOAL_CONFLICT: "Another node sends commands to the same arm, base or axis; stop one.",
    Reason.GOAL_UNHEARD: (
        "Nobody listens to a command; start the robot driver, or set allow_unheard_goals."
    ),
    Reason.WRONG_FRAME: "An input comes in another frame than the embodiment file names.",
    Reason.WRONG_JOINT: "A joint of the embodiment file is not among those that are published.",
    Reason.POSE_UNCONFIRMED: "A measured pose is new; wait until more of them confirm it.",
    Reason.LISTENING: "Looking for stop buttons and teleoperation before a start; wait a moment.",
    Reason.ODOMETRY_MISSING: "The base has not sent odometry yet; check its driver and topic.",
    Reason.ODOMETRY_STALE: "The newest odometry of the base is too old; check its driver.",
    Reason.AXIS_MISSING: "An axis has not sent its position yet; check its driver and topic.",
    Reason.AXIS_STALE: "The newest position of an axis is too old; check its driver.",
    Reason.JOINTS_MISSING: "Not every joint has sent its position yet; check driver and topic.",
    Reason.JOINTS_STALE: "The newest position of a joint is too old; check its driver.",
    Reason.AXIS_OUTSIDE: "An axis is outside its range; move it back inside.",
    Reason.SHUTDOWN: "The node is shutting down.",
    Reason.LIMIT_WORKSPACE: "Clipped at the workspace box.",
    Reason.LIMIT_SPEED: "Clipped at the speed limit.",
    Reason.LIMIT_ROTATION_SPEED: "Clipped at the rotation speed limit.",
    Reason.LIMIT_ACCELERATION: "Clipped at the acceleration limit.",
    Reason.LIMIT_STEP: "Clipped at the largest step of one action.",
}

# The first of these that holds is the one shown; what is not listed never competes.
PRECEDENCE: tuple[Reason, ...] = (
    Reason.SHUTDOWN,
    Reason.UNCONFIGURED,
    Reason.INACTIVE,
    Reason.ESTOP,
    Reason.ESTOP_SILENT,
    Reason.CONTROL_UNHEARD,
    Reason.TELEOP,
    Reason.CLOCK_JUMP,
    Reason.CLOCK_STOPPED,
    Reason.GOAL_CONFLICT,
    Reason.POSE_CONFLICT,
    Reason.WRONG_FRAME,
    Reason.WRONG_JOINT,
    Reason.INPUT_INVALID,
    Reason.STAMP_SKEW,
    Reason.POSE_UNCONFIRMED,
    Reason.POSE_MISSING,
    Reason.POSE_STALE,
    Reason.ODOMETRY_MISSING,
    Reason.ODOMETRY_STALE,
    Reason.AXIS_MISSING,
    Reason.AXIS_STALE,
    Reason.OUTSIDE_WORKSPACE,
    Reason.AXIS_OUTSIDE,
    Reason.CAMERA_MISSING,
    Reason.CAMERA_STALE,
    Reason.CAMERA_CONFLICT,
    Reason.GRIPPER_MISSING,
    Reason.GRIPPER_STALE,
    Reason.JOINTS_MISSING,
    Reason.JOINTS_STALE,
    Reason.GOAL_UNHEARD,
    Reason.NO_INSTRUCTION,
    Reason.POLICY_RESTARTING,
    Reason.POLICY_TIMEOUT,
    Reason.SERVER_GONE,
    Reason.SERVER_LATE,
    Reason.POLICY_FAILED,
    Reason.ACTION_INVALID,
    Reason.TRACKING_ERROR,
    Reason.LISTENING,
    Reason.OPERATOR_STOP,
    Reason.RUN_ENDED,
    Reason.GOAL_GAP,
    Reason.NOT_STARTED,
    Reason.CHUNK_EXHAUSTED,
    Reason.WAITING_FOR_CHUNK,
    Reason.MOVING_LIMITED,
    Reason.MOVING,
)
_RANK = {reason: rank for rank, reason in enumerate(PRECEDENCE)}


def foremost(findings: list[Finding]) -> Finding | None:
    """Return the finding of highest precedence; None when there is none."""
    return min(findings, key=lambda found: _RANK.get(found.reason, len(_RANK)), default=None)
