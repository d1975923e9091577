# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The units that times are counted in: nanoseconds, as ROS 2 counts them."""

from __future__ import annotations

SECOND_NS = 1_000_000_000
