# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From RLDS datasets to batches: sources, standardisation, the shuffled stream, augmentation."""
