# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training: loaders over RLDS datasets, one training script, and the recipe of `evla-nano`."""
