# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The knobs of the control core and their defaults; docs/safety.md says what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ControlSettings:
    """Times in seconds, distances in metres and radians.

    Attributes:
        blend_s: Window over which a new chunk takes over from the old one.
        replan_time_left_s: Inference starts when the chunk in use lasts no longer than this.
        anchor: The deltas of a chunk start at the `measured` pose at image time, or at the `goal`
            that was in force then (for arms that sag under their goal: a measured anchor would sink
            with them).
        executor_lag_s: How far the robot trails its goals; goals are taken that much further along
            the chunk.
        settle_s: After the last action its goal stays this long before the measured pose is held.
        resume_within_s: A fault, or a gap in the ticks, that ends within this time resumes by
            itself; a longer one needs ~/start.
        hold_publish_s: After a stop the hold is sent this long, then the node is silent; 0: until
            the next start.
        resume_after_teleop: Go on by itself when the dead-man is released, instead of waiting for
            ~/start.
        retry_s: Pause before asking a policy again that raised an error.
        inference_timeout_s: An inference that takes longer is given up.
        max_tracking_error_m: A goal further ahead of the arm than this goes back to it.
        max_tracking_error_rad: The same for its rotation.
        workspace_tolerance_m: An arm further outside its box than this is not moved.
        gripper_open_above: The gripper opens above this number of an action.
        gripper_close_below: And closes below this one.
        max_stamp_skew_s: Largest difference between a sample's stamp and its arrival.
        pose_jump_margin_m: A measured pose is refused that lies further away than the arm's speed
            limit allows since the last one, plus this.
        pose_jump_margin_rad: The same for its rotation.
        pose_confirm_s: Refused poses that agree with each other for this long are believed, and
            motion then needs ~/start; a first pose must be confirmed as long before ~/start.
        allow_unheard_goals: Move although nobody subscribes to a goal topic or gripper command.
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
    pose_jump_margin_m: float = 0.10
    pose_jump_margin_rad: float = 0.6
    pose_confirm_s: float = 0.5
    allow_unheard_goals: bool = False
