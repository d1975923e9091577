# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How good a policy is on held-out episodes, and whether the robot sees what training saw."""
