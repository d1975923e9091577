# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who is computed with whom, in which order, and for whom nothing is computed any more."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from evla_ros.serving.batcher import Batcher
from evla_ros.serving.errors import ClosingError, LateError


class Gated:
    """Computes when the test opens the gate, and remembers the batches."""

    def __init__(self):
        self.batches, self.gate = [], threading.Event()

    def __call__(self, items):
        self.gate.wait(10)
        self.batches.append(list(items))
        if "bad" in items:
            raise ValueError("bad")
        return [f"answer to {item}" for item in items]


async def _start(batcher, asked):
    tasks = []
    for client, item in asked:
        tasks.append(asyncio.create_task(batcher.ask(client, item)))
        await asyncio.sleep(0)
    return tasks


def test_one_alone_is_computed_at_once_and_those_that_waited_together():
    async def scene():
        infer = Gated()
        batcher = Batcher(infer, 8)
        tasks = await _start(batcher, [("a", 1), ("b", 2), ("c", 3)])
        await asyncio.sleep(0.05)
        assert batcher.waiting == 2  # the first is under way, it did not wait for company
        infer.gate.set()
        answers = await asyncio.gather(*tasks)
        assert infer.batches == [[1], [2, 3]]
        assert [one.actions for one in answers] == [f"answer to {n}" for n in (1, 2, 3)]
        assert [one.batch for one in answers] == [1, 2, 2]
        await batcher.close(1)

    asyncio.run(scene())


def test_clients_take_turns():
    async def scene():
        infer = Gated()
        batcher = Batcher(infer, 2)
        many = [("greedy", f"g{n}") for n in range(5)]
        tasks = await _start(batcher, [*many, ("modest", "m0")])
        infer.gate.set()
        await asyncio.gather(*tasks)
        assert infer.batches[0] == ["g0"]
        assert set(infer.batches[1]) == {"g1", "m0"}
        await batcher.close(1)

    asyncio.run(scene())


def test_a_late_question_is_answered_as_late_and_not_computed():
    async def scene():
        infer = Gated()
        batcher = Batcher(infer, 8)
        first = asyncio.create_task(batcher.ask("a", 1))
        await asyncio.sleep(0.01)
        late = asyncio.create_task(batcher.ask("b", 2, time.monotonic() + 0.01))
        await asyncio.sleep(0.05)
        infer.gate.set()
        await first
        with pytest.raises(LateError, match="ms ago"):
            await late
        assert infer.batches == [[1]]
        await batcher.close(1)

    asyncio.run(scene())


def test_nothing_is_computed_for_who_has_left():
    async def scene():
        infer = Gated()
        batcher = Batcher(infer, 8)
        tasks = await _start(batcher, [("a", 1), ("b", 2), ("c", 3)])
        await asyncio.sleep(0.01)
        tasks[1].cancel()
        infer.gate.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert infer.batches == [[1], [3]]
        await batcher.close(1)

    asyncio.run(scene())


def test_one_bad_question_does_not_spoil_the_others_of_its_batch():
    async def scene():
        infer = Gated()
        batcher = Batcher(infer, 8)
        tasks = await _start(batcher, [("a", 1), ("b", "bad"), ("c", 3)])
        await asyncio.sleep(0.01)
        infer.gate.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[1], ValueError)
        assert answers[2].actions == "answer to 3"
        await batcher.close(1)

    asyncio.run(scene())


def test_closing_answers_what_is_there_and_refuses_the_rest():
    async def scene():
        infer = Gated()
        batcher = Batcher(infer, 1)
        tasks = await _start(batcher, [("a", 1), ("b", 2)])
        closing = asyncio.create_task(batcher.close(5))
        await asyncio.sleep(0.01)
        with pytest.raises(ClosingError):
            await batcher.ask("c", 3)
        infer.gate.set()
        await closing
        assert [task.result().actions for task in tasks] == ["answer to 1", "answer to 2"]

    asyncio.run(scene())


def test_closing_does_not_wait_for_ever():
    async def scene():
        infer = Gated()
        batcher = Batcher(infer, 1)
        tasks = await _start(batcher, [("a", 1), ("b", 2)])
        await asyncio.sleep(0.01)
        await batcher.close(0.05)
        with pytest.raises(ClosingError):
            await tasks[1]
        infer.gate.set()
        assert (await tasks[0]).actions == "answer to 1"

    asyncio.run(scene())
