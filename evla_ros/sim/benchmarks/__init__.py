# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Worlds and tasks that others wrote, behind the interface of ours."""
