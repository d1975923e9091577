# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Episodes, bags, alignment, RLDS datasets, statistics and their doctor."""
