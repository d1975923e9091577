# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags to an RLDS dataset: one bag, one episode; resumable, in processes or on a Ray cluster."""
