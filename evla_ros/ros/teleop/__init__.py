# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The teleoperation node: input devices in, pose goals out while a dead-man is held."""
