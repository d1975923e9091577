# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One message that is of no use; the live node ignores it, the converter drops and counts it."""

from __future__ import annotations

from typing import Literal

from evla_ros.errors import EvlaError

Fault = Literal["finite", "frame", "message", "size"]


class BadSampleError(EvlaError):
    """Why one message is of no use.

    Attributes:
        fault: `finite` (a number is NaN or infinite), `frame` (it comes in another frame),
            `size` (it holds another number of numbers) or `message` (it does not hold what its
            stream needs).
    """

    def __init__(self, fault: Fault, problem: str) -> None:
        super().__init__(problem)
        self.fault: Fault = fault
