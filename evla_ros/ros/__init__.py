# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes: they convert messages and call the core. Only this folder imports rclpy."""
