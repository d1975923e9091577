# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clients that speak openpi's wire with habits of their own; see docs/serving.md for whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evla_ros.policy.remote.messages import ACTIONS
from evla_ros.serving.errors import RequestError


@dataclass(frozen=True)
class Dialect:
    """What differs from openpi.

    Attributes:
        paths: on which the server answers beside `/`.
        endpoint: a question may say `endpoint: infer` or `endpoint: reset`.
        bare: the answer is the array of actions alone.
        reset: the answer to a reset.
        errors: a refusal is a message {"type": "error", "message"}, not text.
    """

    paths: tuple[str, ...] = ()
    endpoint: bool = False
    bare: bool = False
    reset: Any = None
    errors: bool = False

    def is_reset(self, message: Mapping[str, Any]) -> bool:
        """Return whether a question begins an episode instead of asking for actions.

        Raises:
            RequestError: it names another endpoint.
        """
        if not self.endpoint or "endpoint" not in message:
            return False
        if message["endpoint"] not in ("infer", "reset"):
            raise RequestError(f"endpoint {str(message['endpoint'])[:40]!r}; infer or reset")
        return bool(message["endpoint"] == "reset")

    def reply(self, answer: Mapping[str, Any]) -> Any:
        """Return an answer as these clients read it."""
        return answer[ACTIONS] if self.bare else answer


DIALECTS = {
    "openpi": Dialect(),
    "roboarena": Dialect(endpoint=True, bare=True, reset="reset successful"),
    "vllm": Dialect(
        paths=("/v1/realtime/robot/openpi",),
        endpoint=True,
        reset={"status": "reset successful"},
        errors=True,
    ),
}
