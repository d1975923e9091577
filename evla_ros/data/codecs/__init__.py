# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode and encode the messages of the robot's streams, one file for each kind of stream."""
