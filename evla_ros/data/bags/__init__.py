# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read rosbag2 folders of any recorder without ROS, salvage damaged ones, and write new ones."""
