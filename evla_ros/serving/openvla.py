# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVLA's `POST /act`, on a port of its own, behind the same checks as everything else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator
from http import HTTPStatus

import h11

from evla_ros.serving.access import Gate, Refusal
from evla_ros.serving.errors import (
    ClosingError,
    InferenceError,
    LateError,
    RequestError,
    ServingError,
)
from evla_ros.serving.openvla_messages import answer_of, question_of
from evla_ros.serving.options import Serving
from evla_ros.serving.service import PolicyService

REQUEST_S = 10.0  # from the first byte of a request to its last
_STATUS = {
    RequestError: HTTPStatus.BAD_REQUEST,
    LateError: HTTPStatus.SERVICE_UNAVAILABLE,
    ClosingError: HTTPStatus.SERVICE_UNAVAILABLE,
    InferenceError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_PIECE_BYTES = 1 << 16


class OpenVlaServer:
    """One request a connection: it is closed after the answer."""

    def __init__(self, options: Serving, gate: Gate, service: PolicyService) -> None:
        """Take who decides and who answers.

        Raises:
            ServingError: clients of OpenVLA cannot name things as the map file does.
        """
        if options.keys:
            raise ServingError("--openvla-port and --keys exclude each other; leave one out")
        self._options, self._gate, self._service = options, gate, service
        self._most_bytes = options.max_message_mb << 20
        self._open = 0

    @contextlib.asynccontextmanager
    async def running(self, context: ssl.SSLContext | None) -> AsyncIterator[str]:
        """Serve until the block ends; yields the URL.

        Raises:
            ServingError: the address cannot be listened on.
        """
        options = self._options
        try:
            server = await asyncio.start_server(
                self._converse,
                options.host,
                options.openvla_port,
                ssl=context,
                limit=_PIECE_BYTES,
                **({"ssl_handshake_timeout": REQUEST_S} if context else {}),
            )
        except OSError as error:
            raise ServingError(
                f"cannot listen on {options.host}:{options.openvla_port}: "
                f"{error.strerror or error}; choose another --openvla-port"
            ) from error
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"{'https' if context else 'http'}://{options.host}:{port}/act"
        finally:
            server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > self._options.max_connections:
                return
            http = h11.Connection(h11.SERVER, max_incomplete_event_size=_PIECE_BYTES)
            peer = str(writer.get_extra_info("peername")[0])
            status, body = await self._answer(http, reader, peer)
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            headers.append(("Connection", "close"))
            reply = h11.Response(status_code=int(status), headers=headers)
            for event in (reply, h11.Data(data=body), h11.EndOfMessage()):
                writer.write(http.send(event) or b"")
            await asyncio.wait_for(writer.drain(), REQUEST_S)
        except (OSError, asyncio.TimeoutError, h11.ProtocolError):
            return
        finally:
            self._open -= 1
            writer.close()

    async def _answer(
        self, http: h11.Connection, reader: asyncio.StreamReader, peer: str
    ) -> tuple[HTTPStatus, bytes]:
        try:
            request = await asyncio.wait_for(self._request(http, reader, peer), REQUEST_S)
            if isinstance(request, Refusal):
                self._service.metrics.refused.labels(request.kind).inc()
                return request.status, _sentence(request.sentence)
            client, body = request
            cameras = self._service.policy.contract.cameras
            message, encoded = question_of(body, cameras)
            answer = await self._service.answer(client, message, time.monotonic())
            return HTTPStatus.OK, answer_of(answer["actions"], encoded=encoded)
        except h11.RemoteProtocolError as error:
            return HTTPStatus.BAD_REQUEST, _sentence(f"not HTTP: {error}")
        except tuple(_STATUS) as error:
            return _STATUS[type(error)], _sentence(str(error))

    async def _request(
        self, http: h11.Connection, reader: asyncio.StreamReader, peer: str
    ) -> tuple[str, bytes] | Refusal:
        """Return who asks and the body, or why it is not taken."""
        client, body = "", bytearray()
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(_PIECE_BYTES))
            elif isinstance(event, h11.Request):
                admitted = self._admitted(event, peer)
                if isinstance(admitted, Refusal):
                    return admitted
                client = admitted
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._most_bytes:
                    sentence = f"more than {self._most_bytes} bytes"
                    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "size", sentence)
            else:
                return client, bytes(body)

    def _admitted(self, request: h11.Request, peer: str) -> str | Refusal:
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in request.headers}
        path = request.target.decode("latin-1").partition("?")[0]
        if path != "/act":
            return Refusal(HTTPStatus.NOT_FOUND, "path", "nothing is served here but POST /act")
        if request.method != b"POST":
            return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method", "ask with POST")
        return self._gate.admit(headers, peer)


def _sentence(text: str) -> bytes:
    return json.dumps({"error": text}).encode()
