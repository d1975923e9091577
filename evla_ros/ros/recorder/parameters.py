# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the recorder node, and its settings from their values."""

from __future__ import annotations

import os
from typing import Any

from evla_ros.data.recording.preflight import GIB, PreflightLimits
from evla_ros.data.recording.settings import MIB, RecorderSettings
from evla_ros.ros.parameters import Parameter

TABLE: tuple[Parameter, ...] = (
    Parameter("embodiment", "tabletop_arm", "embodiment file or name"),
    Parameter("output", "recordings", "folder of the bags, one folder per episode"),
    Parameter("operator", "", "who records; goes into every bag"),
    Parameter("all_topics", False, "record every topic, not only the embodiment's"),
    Parameter("extra_topics", "", "further topics, separated by commas"),
    Parameter("preroll_s", 1.0, "kept from before the start", "s", 0.0, 60.0),
    Parameter("preroll_mib", 256, "of memory for it at most", "MiB", 1, 65536),
    Parameter("queue_mib", 512, "waiting for the disk at most", "MiB", 1, 65536),
    Parameter("countdown_s", 0.0, "between ~/start and the start", "s", 0.0, 60.0),
    Parameter("preflight", True, "refuse to start while something is missing, slow or skewed"),
    Parameter("max_skew_s", 0.5, "between a sender's clock and ours", "s", 0.001, 3600.0),
    Parameter("min_free_gib", 1.0, "of disk; recording ends at half of it", "GiB", 0.0, 1e6),
    Parameter("min_minutes", 2.0, "of recording that must fit on the disk", "min", 0.0, 1e6),
    Parameter("check_episodes", True, "say in the report what the converter would make of one"),
    Parameter("depth", 250, "messages the transport holds per topic", "", 1, 10000),
    Parameter("intervention_topic", "teleop/active", "std_msgs/Bool that flags interventions"),
    Parameter(
        "command_topic",
        "console/command",
        "EpisodeEvent of a console, goes into the bag",
    ),
    Parameter("status_rate_hz", 2.0, "of ~/status", "Hz", 0.1, 50.0),
    Parameter("autostart", True, "configure and activate by itself"),
)


def settings_of(values: dict[str, Any]) -> RecorderSettings:
    """Return the recorder's settings for a node's parameter values."""
    limits = PreflightLimits(
        max_skew_s=values["max_skew_s"],
        min_free_bytes=round(values["min_free_gib"] * GIB),
        min_minutes=values["min_minutes"],
    )
    return RecorderSettings(
        preroll_s=values["preroll_s"],
        preroll_bytes=values["preroll_mib"] * MIB,
        queue_bytes=values["queue_mib"] * MIB,
        require_preflight=values["preflight"],
        operator=values["operator"],
        distro=os.environ.get("ROS_DISTRO", ""),
        limits=limits,
        check_episodes=values["check_episodes"],
    )
