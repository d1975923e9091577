# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Align streams on a fixed-rate time grid and derive actions from poses.

The same code serves recorded bags and the live robot. It is causal: a tick only uses samples that
are not newer than itself.
"""
