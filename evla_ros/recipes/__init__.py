# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several trainings and evaluations in a row: evla-nano, a comparison, adaptation to a robot."""
