# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Questions wait for the policy here: fair among clients, computed together, never for nobody.

Whatever waits when the policy is free is computed at once; nothing waits for company. Clients take
turns, so that one that asks much delays the others by one batch at most.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from evla_ros.serving.errors import ClosingError, LateError


class Computed(NamedTuple):
    """An answer: the actions, how long it waited and was computed, and with how many others."""

    actions: Any
    queue_s: float
    infer_s: float
    batch: int


@dataclass
class _Waiting:
    item: Any
    until_s: float | None
    since_s: float
    answer: asyncio.Future[Computed] = field(compare=False)


class Batcher:
    """Lives in one event loop; the policy runs in a thread of its own."""

    def __init__(
        self,
        infer: Callable[[Sequence[Any]], Sequence[Any]],
        max_batch: int,
        on_batch: Callable[[int, float], None] = lambda _size, _seconds: None,
    ) -> None:
        """Take what computes.

        Args:
            infer: computes a batch; called by one thread, one call at a time.
            max_batch: the most questions of one call.
            on_batch: told the size and the seconds of every call.
        """
        self._infer, self._max_batch, self._on_batch = infer, max_batch, on_batch
        self._queues: OrderedDict[str, deque[_Waiting]] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "inference")
        self._running: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def waiting(self) -> int:
        """How many questions wait, those being computed not counted."""
        return sum(map(len, self._queues.values()))

    async def ask(self, client: str, item: Any, until_s: float | None = None) -> Computed:
        """Return the answer to a question; a caller that is cancelled is not computed for.

        Args:
            client: whose turn it takes.
            item: what `infer` gets.
            until_s: its deadline on the clock of `time.monotonic`; None: it has none.

        Raises:
            LateError: the deadline passed before it was its turn.
            ClosingError: the server is ending.
            Exception: whatever the policy raised.
        """
        if self._closing:
            raise ClosingError("the server is ending; ask again when it is back")
        answer: asyncio.Future[Computed] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(item, until_s, time.monotonic(), answer)
        self._queues.setdefault(client, deque()).append(waiting)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await answer

    async def close(self, grace_s: float) -> None:
        """Take no more questions, and answer those that are there while the time lasts."""
        self._closing = True
        if self._running is not None:
            await asyncio.wait({self._running}, timeout=grace_s)
        for queue in self._queues.values():
            for waiting in queue:
                _fail(waiting.answer, ClosingError("the server is ending"))
        self._queues.clear()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        try:
            while batch := self._take():
                await self._compute(batch)
        finally:
            self._running = None

    async def _compute(self, batch: list[_Waiting]) -> None:
        loop, start_s = asyncio.get_running_loop(), time.monotonic()
        try:
            answers = await loop.run_in_executor(
                self._thread, self._infer, [waiting.item for waiting in batch]
            )
        except Exception as error:  # noqa: BLE001 - who asked is told
            if len(batch) == 1:
                _fail(batch[0].answer, error)
            else:  # one of them may be to blame; the others are answered
                for waiting in batch:
                    await self._compute([waiting])
            return
        took_s = time.monotonic() - start_s
        self._on_batch(len(batch), took_s)
        for waiting, actions in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waited_s = start_s - waiting.since_s
                waiting.answer.set_result(Computed(actions, waited_s, took_s, len(batch)))

    def _take(self) -> list[_Waiting]:
        """Return whose turn it is: one question per client and round."""
        batch: list[_Waiting] = []
        now_s = time.monotonic()
        while self._queues and len(batch) < self._max_batch:
            client, queue = self._queues.popitem(last=False)
            waiting = queue.popleft()
            if queue:
                self._queues[client] = queue
            if waiting.answer.done():
                continue
            if waiting.until_s is not None and now_s > waiting.until_s:
                late_ms = 1e3 * (now_s - waiting.until_s)
                _fail(waiting.answer, LateError(f"its deadline passed {late_ms:.0f} ms ago"))
                continue
            batch.append(waiting)
        return batch


def _fail(answer: asyncio.Future[Computed], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
