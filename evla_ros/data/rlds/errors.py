# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The error of everything that reads or writes RLDS folders."""

from __future__ import annotations

from evla_ros.errors import EvlaError


class DatasetError(EvlaError):
    """A dataset folder, record or episode that cannot be read or written."""


class CorruptRecordError(DatasetError):
    """Damaged bytes: a wrong checksum, a cut file, a record that is no tf.train.Example."""
