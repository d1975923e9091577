# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who may ask: on which address, with which token, from which web page."""

from __future__ import annotations

import hmac
import ipaddress
import ssl
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, Protocol

from evla_ros.policy.errors import PolicyError
from evla_ros.policy.remote.address import read_tokens
from evla_ros.serving.errors import ServingError
from evla_ros.serving.options import Serving


class Exposure(Protocol):
    """What decides who reaches a server: `evla serve`'s options, and `evla console`'s."""

    @property
    def host(self) -> str:
        """The address to listen on."""

    @property
    def tls_cert(self) -> str:
        """Certificate chain (PEM); empty: no TLS."""

    @property
    def tls_key(self) -> str:
        """Its private key; empty: in the same file."""

    @property
    def plaintext(self) -> bool:
        """Whether an address of others may go without TLS."""


class Refusal(NamedTuple):
    """Why somebody is not let in: the HTTP status, a word for the counters, and the sentence."""

    status: HTTPStatus
    kind: str
    sentence: str


class Gate:
    """Looks at a request's headers; a name comes out, or a refusal."""

    def __init__(self, options: Serving) -> None:
        """Read the tokens.

        Raises:
            ServingError: the address is reachable by others and there is no token or no TLS.
        """
        self._origins = frozenset(options.origins)
        self._local = is_loopback(options.host)
        self._tokens = known_tokens(options.token_path)
        if not self._local and not self._tokens:
            raise ServingError(
                f"--host {options.host} lets other machines ask: name who may with --token-file "
                "(make one: `python3 -c 'import secrets; print(secrets.token_urlsafe(32))' > "
                "robots.token`), or listen on 127.0.0.1"
            )
        check_encryption(options)

    def admit(self, headers: Mapping[str, str], peer: str) -> str | Refusal:
        """Return the name of who asks, or why not.

        Args:
            headers: of the request; their names in lower case.
            peer: its IP address, the name where there are no tokens.
        """
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins:
            sentence = f"the web page {origin[:100]!r} may not ask; allow it with --origins"
            return Refusal(HTTPStatus.FORBIDDEN, "origin", sentence)
        if not self._tokens:
            host = host_of(headers.get("host", ""))
            if not is_loopback(host):  # a name that was made to point here
                sentence = f"the host {host[:100]!r} is not this machine"
                return Refusal(HTTPStatus.FORBIDDEN, "host", sentence)
            return peer
        kind, _, given = headers.get("authorization", "").strip().partition(" ")
        token = given.strip().encode() if kind.lower() in ("api-key", "bearer") else b""
        found = owner_of(token, self._tokens)
        if found:
            return found
        what = "an unknown token" if token else "no token"
        sentence = f"{what}; send the header Authorization: Api-Key TOKEN"
        return Refusal(HTTPStatus.UNAUTHORIZED, "token", sentence)


def known_tokens(path: Path | None) -> list[tuple[str, bytes]]:
    """Return names and tokens of a token file; none without one.

    Raises:
        ServingError: the file cannot be read as one.
    """
    try:
        return [(name, token.encode()) for name, token in read_tokens(path)] if path else []
    except PolicyError as error:
        raise ServingError(str(error)) from error


def owner_of(token: bytes, tokens: Sequence[tuple[str, bytes]]) -> str:
    """Return whose token it is, '' for nobody's; how long it takes tells nothing."""
    found = ""
    for name, known in tokens:  # all of them
        if hmac.compare_digest(token, known):
            found = name
    return found


def check_encryption(options: Exposure) -> None:
    """Refuse an address that others reach without TLS, unless that is asked for.

    Raises:
        ServingError: there is neither a certificate nor --plaintext.
    """
    if not is_loopback(options.host) and not options.tls_cert and not options.plaintext:
        raise ServingError(
            f"--host {options.host} without TLS shows tokens and images to the network: give "
            "--tls-cert and --tls-key, or say --plaintext inside a VPN"
        )


def tls_context(options: Exposure) -> ssl.SSLContext | None:
    """Return the server's side of TLS; None without a certificate.

    Raises:
        ServingError: a file cannot be used, or has no effect.
    """
    if not options.tls_cert:
        if options.tls_key:
            raise ServingError("--tls-key has no effect without --tls-cert")
        return None
    if options.plaintext:
        raise ServingError("--plaintext and --tls-cert exclude each other; leave one out")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key or None)
    except (OSError, ssl.SSLError) as error:
        raise ServingError(
            f"{options.tls_cert} {options.tls_key}: not a certificate with its key (PEM): "
            f"{error.strerror or error}"
        ) from error
    return context


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """Return the host of a Host header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]
