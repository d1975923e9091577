# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a person asks of nodes from a terminal: their services, their lifecycle, their status."""
