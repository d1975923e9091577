# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LIBERO, scored over the wire as openpi's client scores it."""
