# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Errors that a user of the trainer can cause; each names the value and what fixes it."""

from __future__ import annotations

from evla_ros.errors import EvlaError


class TrainingError(EvlaError):
    """A configuration or a run folder that cannot be trained from."""


class TrainingDataError(TrainingError):
    """A dataset that lacks features, is empty, or holds numbers that are not finite."""
