# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot datasets (v3.0, v2.1): written from RLDS datasets, and read into them."""
