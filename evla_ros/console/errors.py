# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why the console does not do what was asked; each message is one sentence for the operator."""

from __future__ import annotations

from evla_ros.errors import EvlaError


class ConsoleError(EvlaError):
    """The console cannot start as it was asked to."""


class RefusedError(EvlaError):
    """A command that is not carried out; the sentence says why."""
