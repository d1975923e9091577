# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The error of a dataset that is not what its name says."""

from __future__ import annotations

from evla_ros.data.rlds.errors import DatasetError


class OpenXError(DatasetError):
    """A dataset of Open X-Embodiment that lacks a column, or whose columns have other sizes."""
