# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each of our nodes may do on the graph, and the SROS2 policy file that says so."""
