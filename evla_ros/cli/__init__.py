# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `evla` command: one verb per file, heavy imports only inside a verb's `run`."""
