# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small dataset on disk, a tiny model preset, and a training configuration over both."""

from small_training import (  # noqa: F401
    one_thread,
    plain_dataset,
    relabelled_dataset,
    settings,
    tiny_preset,
)
