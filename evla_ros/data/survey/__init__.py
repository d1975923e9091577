# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bag or a running graph shows of a robot: topics, rates, frames, ranges of numbers, TF."""
