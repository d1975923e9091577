# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: one file per subject, each yielding rows with a floor and a goal beside the value."""
