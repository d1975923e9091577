# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hold an embodiment file to what a graph or a bag shows, with a fix for all that is wrong."""
