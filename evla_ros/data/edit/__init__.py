# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Merge, split and edit datasets; always into a new version or a new name, never in place."""
