# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated robots: MuJoCo worlds, language tasks and scripted experts (needs the extra `sim`)."""
