# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder without ROS: episodes, pre-roll, message rates, checks before a start, reports."""
