# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The console's web server: who may do what, the sockets and the page. Knows no ROS."""
