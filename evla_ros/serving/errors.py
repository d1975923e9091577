# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why a question gets no answer; each message is one sentence that a stranger may read."""

from __future__ import annotations

from evla_ros.errors import EvlaError


class ServingError(EvlaError):
    """The server cannot start as it was asked to."""


class RequestError(EvlaError):
    """A question that cannot be answered; the next one may be."""


class LateError(EvlaError):
    """A question whose deadline passed before it was computed."""


class ClosingError(EvlaError):
    """The server is ending and takes no more questions."""


class InferenceError(EvlaError):
    """The policy failed; what it said is in the server's log only."""
