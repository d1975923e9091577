# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy that runs in another machine: its wire, its contract, and the robot's side of it."""
