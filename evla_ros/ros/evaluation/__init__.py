# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Playing episodes and dataset frames through the real nodes, each in a process of its own."""
