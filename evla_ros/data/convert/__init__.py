# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert recorded bags to an RLDS dataset: one bag gives one episode, and a killed run resumes.

Bags are converted in this process, in a pool of processes or on a Ray cluster.
"""
