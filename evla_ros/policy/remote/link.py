# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One WebSocket connection to a policy server, in the thread that asks, with a deadline each time.

Nothing waits longer than it was told to: connecting, the handshakes, sending and receiving share
the deadline. Pings of the server are answered whenever a question or answer is under way.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import Any

from evla_ros.policy.errors import PolicyError
from evla_ros.policy.remote.address import ServerAddress

_PIECE_BYTES = 1 << 18


class LinkClosedError(PolicyError):
    """The connection is closed, refused or out of reach; the message says which."""


class LinkTimeoutError(PolicyError):
    """The deadline passed."""


class ServerLink:
    """An open connection; `close` may be called from any thread."""

    def __init__(self, address: ServerAddress, within_s: float, max_answer_bytes: int) -> None:
        """Connect and shake hands.

        Args:
            address: of the server.
            within_s: for all of it.
            max_answer_bytes: a longer message closes the connection.

        Raises:
            LinkClosedError: refused, or no such server.
            LinkTimeoutError: it took longer.
            PolicyError: the address, token or certificate file cannot be used, or `websockets` is
                not installed.
        """
        try:
            from websockets.client import ClientProtocol
            from websockets.uri import parse_uri
        except ImportError as error:
            raise PolicyError(
                f"a policy server needs {error.name}, which is not installed: "
                "pip install 'evla_ros[serve]'"
            ) from error
        self._url = address.url
        host, port, path = address.split()
        token, context = address.token(), address.tls()
        until_s = time.monotonic() + within_s
        self._socket = self._connected(host, port, context, until_s)
        scheme = "wss" if address.secure else "ws"
        shown = f"[{host}]" if ":" in host else host
        uri = parse_uri(f"{scheme}://{shown}:{port}{path}")
        self._protocol: Any = ClientProtocol(uri, max_size=max_answer_bytes)
        request = self._protocol.connect()
        if token:
            request.headers["Authorization"] = f"Api-Key {token}"
        self._protocol.send_request(request)
        self._events: list[Any] = []
        try:
            self._flush(until_s)
            self._shake_hands(until_s)
        except PolicyError:
            self.close()
            raise

    def ask(self, message: bytes | None, until_s: float) -> bytes | str:
        """Send a message and return the next one that comes.

        Args:
            message: in a binary frame; None sends nothing and only waits.
            until_s: the deadline, on the clock of `time.monotonic`.

        Raises:
            LinkClosedError: the connection ended.
            LinkTimeoutError: the deadline passed. The connection must not be used any more: its
                next message would answer this question.
        """
        if message is not None:
            if not self._stands():
                raise LinkClosedError(f"{self._url} closed the connection{self._why()}")
            self._protocol.send_binary(message)
            self._flush(until_s)
        return self._message(until_s)

    def is_open(self) -> bool:
        """Return whether the next question can be asked here, after a look at what came meanwhile.

        A message that nobody asked for would be taken for the next answer.
        """
        try:
            self._read(0.0)
        except LinkTimeoutError:
            return self._stands()
        except PolicyError:
            return False
        return self._stands()

    def close(self) -> None:
        """End the connection at once, without a word; who waits for an answer is told."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _stands(self) -> bool:
        from websockets.protocol import State

        return bool(self._protocol.state is State.OPEN and not self._events)

    # -- bytes --

    def _connected(
        self, host: str, port: int, context: ssl.SSLContext | None, until_s: float
    ) -> socket.socket:
        plain = None
        try:
            plain = socket.create_connection((host, port), _left(until_s))
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.settimeout(_left(until_s))
            return context.wrap_socket(plain, server_hostname=host) if context else plain
        except (OSError, UnicodeError) as error:
            if plain is not None:
                plain.close()
            if isinstance(error, TimeoutError):
                raise LinkTimeoutError(f"{self._url} cannot be reached in time") from error
            what = "TLS failed" if isinstance(error, ssl.SSLError) else "cannot be reached"
            raise LinkClosedError(f"{self._url}: {what}: {_reason(error)}") from error

    def _flush(self, until_s: float) -> None:
        for data in self._protocol.data_to_send():
            if not data:
                continue
            try:
                self._socket.settimeout(_left(until_s))
                self._socket.sendall(data)
            except TimeoutError as error:
                raise LinkTimeoutError(f"{self._url} does not take the message") from error
            except OSError as error:
                raise LinkClosedError(f"{self._url} is gone: {_reason(error)}") from error

    def _read(self, until_s: float) -> None:
        """Take what has come, wait for something until then; answers pings."""
        try:
            self._socket.settimeout(_left(until_s) if until_s else 1e-6)
            data = self._socket.recv(_PIECE_BYTES)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError) as error:
            raise LinkTimeoutError(f"{self._url} did not answer in time") from error
        except OSError as error:
            raise LinkClosedError(f"{self._url} is gone: {_reason(error)}") from error
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        self._events += [event for event in self._protocol.events_received() if _carries(event)]
        self._flush(until_s or time.monotonic() + 0.1)
        if not data:
            raise LinkClosedError(f"{self._url} closed the connection{self._why()}")

    # -- messages --

    def _shake_hands(self, until_s: float) -> None:
        while not self._events and self._protocol.handshake_exc is None:
            try:
                self._read(until_s)
            except LinkClosedError:
                if not self._events and self._protocol.handshake_exc is None:
                    raise
        response = self._events.pop(0) if self._events else None
        if self._protocol.handshake_exc is not None:
            said = bytes(getattr(response, "body", None) or b"").decode(errors="replace").strip()
            detail = said.splitlines()[0][:300] if said else str(self._protocol.handshake_exc)
            raise LinkClosedError(f"{self._url} refuses: {detail}")

    def _message(self, until_s: float) -> bytes | str:
        from websockets.frames import Opcode

        parts: list[bytes] = []
        text = False
        while True:
            while self._events:
                frame = self._events.pop(0)
                if frame.opcode is not Opcode.CONT:
                    text = frame.opcode is Opcode.TEXT
                parts.append(bytes(frame.data))
                if frame.fin:
                    whole = b"".join(parts)
                    return whole.decode(errors="replace") if text else whole
            self._read(until_s)

    def _why(self) -> str:
        received = self._protocol.close_rcvd
        return f": {received.reason}" if received is not None and received.reason else ""


def _carries(event: Any) -> bool:
    """Return whether an event is the handshake's response or a part of a message."""
    opcode = getattr(event, "opcode", None)
    return opcode is None or opcode.name in ("TEXT", "BINARY", "CONT")


def _left(until_s: float) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("the deadline has passed")
    return left_s


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
