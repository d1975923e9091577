# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network that a run begins with: from a preset or from a checkpoint, shaped for the robot."""
