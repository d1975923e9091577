# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chunks of actions in, pose goals out: schedule, limits, watchdog, stop; no ROS, no clock."""
