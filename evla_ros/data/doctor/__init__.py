# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Looks at a dataset the way a suspicious colleague would, one check per file."""
