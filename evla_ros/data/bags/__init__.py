# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbag2 folders without ROS: reading any recorder's, salvaging damaged ones, writing ours."""
