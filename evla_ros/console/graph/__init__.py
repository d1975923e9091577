# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The console's side of the ROS 2 graph: what it hears, asks and commands."""
