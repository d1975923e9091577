# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scripted experts: they decide from the present state alone, so that a policy can imitate them."""
