# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The operator's console: one web page that runs a robot and a day of recording."""
