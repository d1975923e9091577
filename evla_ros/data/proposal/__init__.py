# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Propose an embodiment file from what a bag or a graph shows; nothing here asks or writes."""
