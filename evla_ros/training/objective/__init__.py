# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run minimises: action losses, grounding, and on which steps of a chunk."""
