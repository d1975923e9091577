# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The knobs of the control core and their defaults; docs/safety.md says what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ControlSettings:
    """Times in seconds, distances in metres and radians.

    blend_s: window over which a new chunk takes over from the old one.
    replan_time_left_s: inference starts when the chunk in use lasts no longer than this.
    anchor: the deltas of a chunk start at the `measured` pose at image time, or at the `goal` that
        was
        in force then (for arms that sag under their goal: a measured anchor would sink with them).
    executor_lag_s: how far the robot trails its goals; goals are taken that much further along the
        chunk.
    settle_s: after the last action its goal stays this long before the measured pose is held.
    resume_within_s: a fault that heals within this time resumes by itself; a longer one needs
        ~/start.
    hold_publish_s: after a stop the hold is sent this long, then the node is silent (0: for ever).
    resume_after_teleop: go on by itself when the dead-man is released, instead of waiting for
        ~/start.
    retry_s: pause before asking a policy again that raised an error.
    inference_timeout_s: an inference that takes longer is given up.
    max_stamp_skew_s: largest difference between an image's stamp and its arrival.
    """

    blend_s: float = 0.2
    replan_time_left_s: float = 0.4
    anchor: Literal["measured", "goal"] = "measured"
    executor_lag_s: float = 0.0
    settle_s: float = 0.3
    resume_within_s: float = 2.0
    hold_publish_s: float = 1.0
    resume_after_teleop: bool = False
    retry_s: float = 0.5
    inference_timeout_s: float = 5.0
    max_tracking_error_m: float = 0.10
    max_tracking_error_rad: float = 0.6
    workspace_tolerance_m: float = 0.03
    gripper_open_above: float = 0.6
    gripper_close_below: float = 0.4
    max_stamp_skew_s: float = 1.0
