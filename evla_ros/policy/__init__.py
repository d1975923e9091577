# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Policies: an observation in, a chunk of actions out; also policies that wrap other policies."""
