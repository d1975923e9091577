# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Causal alignment on a fixed-rate grid, and actions from poses; one path for bags and live."""
