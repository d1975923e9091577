# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""openpi's wire on a WebSocket; /healthz and /metrics on the same port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from evla_ros.serving.access import Gate, Refusal
from evla_ros.serving.conversation import Conversation
from evla_ros.serving.dialects import DIALECTS
from evla_ros.serving.errors import ServingError
from evla_ros.serving.log import JsonLog
from evla_ros.serving.metrics import CONTENT_TYPE
from evla_ros.serving.options import Serving
from evla_ros.serving.seats import Seat, Seats
from evla_ros.serving.service import PolicyService

OPEN_S = 5.0  # to shake hands
PING_S = 20.0
SILENT_SOCKETS = 256  # that have not yet shaken hands

_QUIET = logging.getLogger("evla_ros.serving.websockets")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


class _Guarded(ServerConnection):
    """Of too many sockets that have not shaken hands the oldest is hung up on, not a new robot."""

    def __init__(self, *arguments: Any, silent: deque[Any], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._silent = silent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._silent.append((self, transport))
        while len(self._silent) > SILENT_SOCKETS:
            oldest, socket = self._silent.popleft()
            if oldest.request is None:
                socket.abort()


class WebSocketServer:
    """Lets clients in, and holds a conversation with each."""

    def __init__(self, options: Serving, gate: Gate, service: PolicyService, log: JsonLog) -> None:
        """Take who decides, who answers and who is told."""
        self._options, self._gate, self._service, self._log = options, gate, service, log
        self._dialect = DIALECTS[options.dialect]
        self._paths = {"/", *self._dialect.paths}
        self._seats = Seats(options.max_connections)
        self._names: WeakKeyDictionary[ServerConnection, str] = WeakKeyDictionary()
        self._leaving: set[asyncio.Task[None]] = set()
        self.closing = False

    @contextlib.asynccontextmanager
    async def running(self, context: ssl.SSLContext | None) -> AsyncIterator[Server]:
        """Serve until the block ends; connections are then closed as "going away".

        Raises:
            ServingError: the address cannot be listened on.
        """
        options = self._options
        try:
            server = await serve(
                self._converse,
                options.host,
                options.port,
                process_request=self._let_in,
                compression=None,
                max_size=options.max_message_mb << 20,
                max_queue=1,
                open_timeout=OPEN_S,
                close_timeout=1.0,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                server_header=None,
                logger=_QUIET,
                ssl=context,
                create_connection=partial(_Guarded, silent=deque()),
                **({"ssl_handshake_timeout": OPEN_S} if context else {}),
            )
        except OSError as error:
            raise ServingError(
                f"cannot listen on {options.host}:{options.port}: {error.strerror or error}; "
                "choose another --host or --port"
            ) from error
        try:
            yield server
        finally:
            server.close()
            await server.wait_closed()

    async def finish(self, within_s: float) -> None:
        """Let nobody in any more, and wait until every answer that was promised has gone out."""
        self.closing = True
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._seats.quiet.wait(), within_s)

    def _let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        path = request.path.partition("?")[0]
        if path == "/healthz":
            ready = not self.closing and not self._service.broken.is_set()
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            return connection.respond(status, "OK\n" if ready else "ending\n")
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        admitted = self._gate.admit(headers, _peer(connection))
        if isinstance(admitted, Refusal):
            return self._refuse(connection, admitted)
        if path == "/metrics":
            response = connection.respond(HTTPStatus.OK, self._service.metrics.text().decode())
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = CONTENT_TYPE
            return response
        if path not in self._paths:
            known = " or ".join(sorted(self._paths))
            sentence = f"nothing is served on {path[:100]}; ask on {known}"
            return self._refuse(connection, Refusal(HTTPStatus.NOT_FOUND, "path", sentence))
        if self.closing or not self._seats.has_room():
            why = "closing" if self.closing else "full"
            sentence = "the server is ending" if self.closing else "all connections are in use"
            refusal = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, why, f"{sentence}; try again later")
            return self._refuse(connection, refusal)
        self._names[connection] = admitted
        return None

    def _refuse(self, connection: ServerConnection, refusal: Refusal) -> Response:
        self._service.metrics.refused.labels(refusal.kind).inc()
        response = connection.respond(refusal.status, refusal.sentence + "\n")
        if refusal.status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Api-Key"
        return response

    def _seat(self, connection: ServerConnection) -> Seat | None:
        """Return a seat for a client that was let in; the one that gives way for it is closed."""
        seat, leaves = self._seats.take(self._names[connection], connection)
        if leaves is not None:
            task = asyncio.create_task(leaves.connection.close(1008, "idle, and others wait"))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
        return seat

    async def _converse(self, connection: ServerConnection) -> None:
        seat = self._seat(connection)
        if seat is None:
            await connection.close(1013, "all connections are in use; try again later")
            return
        self._service.metrics.connections.inc()
        try:
            await Conversation(connection, seat, self._seats, self._service, self._dialect).run()
        except Exception as error:  # noqa: BLE001 - one client's, told in the log
            self._log.write("error", client=seat.client, error=f"{type(error).__name__}: {error}")
            await connection.close(1011, "see the server's log")
        finally:
            self._seats.leave(seat)
            self._service.metrics.connections.dec()
            self._log.write(
                "connection",
                client=seat.client,
                peer=_peer(connection),
                seconds=round(time.monotonic() - seat.opened_s, 3),
                requests=seat.requests,
                late=seat.late,
                refused=seat.refused,
                code=connection.close_code,
                reason=connection.close_reason,
            )


def _peer(connection: ServerConnection) -> str:
    address = connection.remote_address
    return str(address[0]) if address else "?"
