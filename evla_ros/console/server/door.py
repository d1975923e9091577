# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who is let in: tokens, the cookie that stands for one, and which page may ask."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from evla_ros.console.errors import ConsoleError
from evla_ros.console.options import Listening
from evla_ros.serving.access import (
    Refusal,
    check_encryption,
    host_of,
    is_loopback,
    known_tokens,
    owner_of,
)
from evla_ros.serving.errors import ServingError

MOST_VISITORS = 1000


class Visitor(NamedTuple):
    """Who asks: a name, and whether it may do more than watch and stop."""

    name: str
    may_control: bool


class Door:
    """Looks at a request's headers; a visitor comes out, or a refusal."""

    def __init__(self, options: Listening) -> None:
        """Read the tokens; where none is given and others can connect, draw one for this run.

        Raises:
            ConsoleError: The token files cannot be used, or others could read what is sent.
        """
        try:
            check_encryption(options)
            self._tokens = known_tokens(options.token_path)
            self._viewers = known_tokens(options.view_token_path)
        except ServingError as error:
            raise ConsoleError(str(error)) from error
        self._local = is_loopback(options.host)
        if self._viewers and not self._tokens and self._local:
            raise ConsoleError(
                "--view-token-file has no effect without --token-file: on this machine everybody "
                "may operate without a token"
            )
        twice = {token for _, token in self._tokens} & {token for _, token in self._viewers}
        if twice:
            raise ConsoleError("a token stands in --token-file and in --view-token-file")
        if not self._local and not self._tokens:
            self._tokens = [("operator", secrets.token_urlsafe(24).encode())]
            if not self._viewers:
                self._viewers = [("viewer", secrets.token_urlsafe(24).encode())]
        self._origins = frozenset(options.origins)
        self._scheme = options.scheme
        self._visitors: OrderedDict[str, Visitor] = OrderedDict()

    @property
    def open(self) -> bool:
        """Whether everybody who reaches the console may operate: on this machine, no token."""
        return not self._tokens

    def links(self, address: str) -> dict[str, str]:
        """Return what is typed or scanned to get in, by role; the token is behind the # sign."""
        if self.open:
            return {"operate": address}
        found = {"operate": f"{address}#{self._tokens[0][1].decode()}"}
        if self._viewers:
            found["watch"] = f"{address}#{self._viewers[0][1].decode()}"
        return found

    def enter(self, token: str) -> str | None:
        """Return the cookie for a token; None for one that nobody has."""
        visitor = self._visitor_of(token.encode())
        if visitor is None:
            return None
        cookie = secrets.token_urlsafe(24)
        self._visitors[cookie] = visitor
        while len(self._visitors) > MOST_VISITORS:
            self._visitors.popitem(last=False)
        return cookie

    def admit(self, headers: Mapping[str, str], cookie: str, peer: str) -> Visitor | Refusal:
        """Return who asks, or why not.

        Args:
            headers: Of the request, their names in lower case.
            cookie: What `enter` gave; empty: none.
            peer: Its IP address, the name where there are no tokens.
        """
        refusal = self.origin_refusal(headers)
        if refusal is not None:
            return refusal
        if self.open:
            return Visitor(peer, may_control=True)
        kind, _, given = headers.get("authorization", "").strip().partition(" ")
        if kind.lower() in ("bearer", "api-key"):
            visitor = self._visitor_of(given.strip().encode())
        else:
            visitor = self._visitors.get(cookie)
        if visitor is None:
            sentence = "no valid token: open the link that the console printed where it was started"
            return Refusal(HTTPStatus.UNAUTHORIZED, "token", sentence)
        return visitor

    def origin_refusal(self, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a page of this origin may not ask, or a name that was made to point here."""
        host = headers.get("host", "")
        if self.open and not is_loopback(host_of(host)):
            sentence = f"the host {host[:100]!r} is not this machine"
            return Refusal(HTTPStatus.FORBIDDEN, "host", sentence)
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return None
        parts = urlsplit(origin)
        if (parts.scheme, parts.netloc) == (self._scheme, host):
            return None
        sentence = f"the web page {origin[:100]!r} may not ask; allow it with --origins"
        return Refusal(HTTPStatus.FORBIDDEN, "origin", sentence)

    def _visitor_of(self, token: bytes) -> Visitor | None:
        operator = owner_of(token, self._tokens)
        viewer = owner_of(token, self._viewers)
        if operator:
            return Visitor(operator, may_control=True)
        return Visitor(viewer, may_control=False) if viewer else None
