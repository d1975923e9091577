# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a question to its answer, whatever it came over."""

from __future__ import annotations

import asyncio
import secrets
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, runtime_checkable

from evla_ros.errors import EvlaError
from evla_ros.policy.errors import is_sticky
from evla_ros.policy.remote.messages import ACTIONS, DEADLINE_MS, ENCODINGS, TIMING
from evla_ros.serving.batcher import Batcher, Computed
from evla_ros.serving.errors import ClosingError, InferenceError, LateError, RequestError
from evla_ros.serving.keys import (
    KeyMap,
    contract_in,
    gripper_columns,
    observation_of,
    told_in,
)
from evla_ros.serving.log import JsonLog
from evla_ros.serving.metrics import Metrics
from evla_ros.serving.served_policy import ServedPolicy

PREPARING_THREADS = 2


class Asker(Protocol):
    """What queues questions and has them computed, as `Batcher` does."""

    async def ask(self, client: str, item: Any, until_s: float | None = None) -> Computed:
        """Return the answer to a question; see `Batcher.ask`."""

    async def close(self, grace_s: float) -> None:
        """Answer what is under way while the time lasts, and take nothing more."""


@runtime_checkable
class Elsewhere(Protocol):
    """A policy that another process queues for and computes."""

    def asker(self) -> Asker:
        """Return what asks it; called in the event loop."""


class PolicyService:
    """Answers questions one at a time per caller, and many callers at once."""

    def __init__(
        self,
        policy: ServedPolicy,
        keys: KeyMap,
        metrics: Metrics,
        log: JsonLog,
        max_batch: int = 8,
        default_prompt: str = "",
        asker: Asker | None = None,
    ) -> None:
        """Take the policy, how clients name things, and where to count and tell.

        Args:
            policy: what is served.
            keys: how clients name things.
            metrics: where to count.
            log: where to tell.
            max_batch: the most questions that are computed together.
            default_prompt: the instruction where a question has none.
            asker: what queues and computes; None: a `Batcher` in this process.

        Raises:
            ServingError: the keys say how grippers are told, and the policy has none.
        """
        self.policy, self.keys, self.metrics, self._log = policy, keys, metrics, log
        self.contract = contract_in(keys, policy.contract)
        self._grippers = gripper_columns(policy.contract)
        self._default_prompt = default_prompt
        self._asker = asker or Batcher(policy.infer, max_batch, metrics.computed)
        self._threads = ThreadPoolExecutor(PREPARING_THREADS, "prepare")
        self.broken = asyncio.Event()  # the policy can never answer again in this process

    def metadata(self) -> dict[str, Any]:
        """Return the first frame of a connection."""
        contract = self.contract
        return {
            **self.keys.metadata,
            **contract.metadata(),
            "model": self.policy.model,
            "runtime": self.policy.runtime,
            "image_encodings": list(ENCODINGS),
            "keys": {
                "cameras": {name: self.keys.cameras[name].key for name in contract.cameras},
                "state": list(self.keys.state),
                "prompt": self.keys.prompt,
            },
        }

    async def answer(
        self, client: str, message: Mapping[str, Any], arrived_s: float
    ) -> dict[str, Any]:
        """Return the answer to a question.

        Args:
            client: whose turn it takes.
            message: the question, decoded.
            arrived_s: when it came, on the clock of `time.monotonic`.

        Raises:
            RequestError: it cannot be answered.
            LateError: its deadline passed first.
            ClosingError: the server is ending.
            InferenceError: the policy failed.
        """
        outcome = "failed"
        try:
            until_s = _deadline_s(message, arrived_s)
            loop = asyncio.get_running_loop()
            prepared = await loop.run_in_executor(self._threads, self._prepare, message)
            computed = await self._asker.ask(client, prepared, until_s)
            outcome = "answered"
            return self._reply(computed, arrived_s)
        except (LateError, ClosingError, RequestError) as error:
            outcome = "late" if isinstance(error, LateError) else "refused"
            raise
        except asyncio.CancelledError:
            outcome = "abandoned"
            raise
        except EvlaError as error:
            outcome = "refused"
            raise RequestError(str(error)) from error
        except Exception as error:
            raise self._failure(error) from error
        finally:
            self.metrics.requests.labels(outcome).inc()

    async def close(self, grace_s: float) -> None:
        """Answer what is under way while the time lasts, and take nothing more."""
        await self._asker.close(grace_s)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _prepare(self, message: Mapping[str, Any]) -> Any:
        contract = self.policy.contract
        size = len(contract.proprio_names)
        observation = observation_of(
            message, self.keys, contract.cameras, size, self._default_prompt
        )
        return self.policy.prepare(observation)

    def _reply(self, computed: Computed, arrived_s: float) -> dict[str, Any]:
        self.metrics.queue.observe(computed.queue_s)
        infer_ms = 1e3 * computed.infer_s
        return {
            ACTIONS: told_in(self.keys, self._grippers, computed.actions),
            "policy_timing": {"infer_ms": infer_ms},
            TIMING: {
                "infer_ms": infer_ms,
                "queue_ms": 1e3 * computed.queue_s,
                "total_ms": 1e3 * (time.monotonic() - arrived_s),
                "batch": computed.batch,
            },
        }

    def _failure(self, error: Exception) -> InferenceError:
        """Tell the log all, and the stranger where to look."""
        number = secrets.token_hex(4)
        trace = "".join(traceback.format_exception(error))
        self._log.write("failure", id=number, error=f"{type(error).__name__}: {error}", trace=trace)
        if is_sticky(error):
            self.broken.set()
        return InferenceError(f"the policy failed; the server's log has it under {number}")


def _deadline_s(message: Mapping[str, Any], arrived_s: float) -> float | None:
    value = message.get(DEADLINE_MS)
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 < value < 1e9:
        raise RequestError(f"{DEADLINE_MS} {str(value)[:40]} is no time in milliseconds above 0")
    return arrived_s + float(value) / 1e3
