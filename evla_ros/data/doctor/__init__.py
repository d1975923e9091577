# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that find faults in a dataset before it is trained on, one file for each kind."""
