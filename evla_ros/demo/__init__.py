# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The main job end to end: simulated robot, policy node, several instructions, a table, a video."""
