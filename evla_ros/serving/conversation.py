# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One client's connection: metadata first, then one reply to each request, until it leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from evla_ros.policy.remote.messages import LATE
from evla_ros.policy.remote.wire import WireError, pack, unpack
from evla_ros.serving.dialects import Dialect
from evla_ros.serving.errors import ClosingError, InferenceError, LateError, RequestError
from evla_ros.serving.seats import Seat, Seats
from evla_ros.serving.service import PolicyService

MESSAGE_S = 10.0  # from the first part of a request to its last


class Conversation:
    """Runs until the connection ends; whatever it holds goes with it."""

    def __init__(
        self,
        connection: ServerConnection,
        seat: Seat,
        seats: Seats,
        service: PolicyService,
        dialect: Dialect,
    ) -> None:
        """Take the connection and who answers."""
        self._connection, self._seat, self._seats = connection, seat, seats
        self._service, self._dialect = service, dialect

    async def run(self) -> None:
        """Answer until the client leaves, or breaks the rules."""
        gone = asyncio.create_task(self._connection.wait_closed())
        try:
            await self._connection.send(pack(self._service.metadata()))
            while True:
                message = await self._receive()
                arrived_s = time.monotonic()
                self._seats.asked(self._seat)
                reply = await self._unless(gone, self._reply(message, arrived_s))
                if reply is None:
                    return
                await self._connection.send(reply)
                self._seats.answered(self._seat)
        except ConnectionClosed:
            return
        except (WireError, ClosingError) as error:
            code = CloseCode.POLICY_VIOLATION
            code = CloseCode.GOING_AWAY if isinstance(error, ClosingError) else code
            self._seat.refused += 1
            await self._end(str(error), code)
        finally:
            gone.cancel()

    async def _end(self, sentence: str, code: CloseCode) -> None:
        try:
            await self._connection.send(sentence)
            await self._connection.close(code, sentence.encode()[:120].decode(errors="ignore"))
        except ConnectionClosed:
            return

    async def _receive(self) -> bytes:
        """Return the next request; one that comes in drops ends the connection."""
        stream = self._connection.recv_streaming()
        parts = [await anext(stream)]

        async def rest() -> None:
            parts.extend([part async for part in stream])

        try:
            await asyncio.wait_for(rest(), MESSAGE_S)
        except asyncio.TimeoutError:
            raise WireError(f"a request took longer than {MESSAGE_S:g} s to arrive") from None
        if isinstance(parts[0], str):
            raise WireError("a request is a binary frame of msgpack, not text")
        return b"".join(parts)  # type: ignore[arg-type]

    @staticmethod
    async def _unless(gone: asyncio.Task[None], reply: Any) -> bytes | str | None:
        """Return the reply; None when the client leaves first, and nothing is computed for it."""
        task = asyncio.create_task(reply)
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            return None
        return task.result()  # type: ignore[no-any-return]

    async def _reply(self, data: bytes, arrived_s: float) -> bytes | str:
        message = unpack(data, len(data))
        if not isinstance(message, Mapping):
            raise WireError("a request is a map of names and values")
        seat, dialect = self._seat, self._dialect
        seat.requests += 1
        try:
            if dialect.is_reset(message):
                return dialect.reset if isinstance(dialect.reset, str) else pack(dialect.reset)
            answer = await self._service.answer(seat.client, message, arrived_s)
            return pack(dialect.reply(answer))
        except LateError as error:
            seat.late += 1
            return self._error(f"{LATE}{error}")
        except (RequestError, InferenceError) as error:
            seat.refused += 1
            return self._error(str(error))

    def _error(self, sentence: str) -> bytes | str:
        return pack({"type": "error", "message": sentence}) if self._dialect.errors else sentence
