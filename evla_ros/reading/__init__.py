# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read files of others safely: the caps, and the one place that parses JSON and YAML."""
