# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scoring a policy in simulation: closed-loop episodes, success with intervals, reports, videos."""
