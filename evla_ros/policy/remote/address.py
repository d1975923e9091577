# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a policy server is, and what a robot shows to be let in."""

from __future__ import annotations

import ssl
import string
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from evla_ros.policy.errors import PolicyError

_PORTS = {"ws": 8000, "wss": 8000}
_TOKEN_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)


@dataclass(frozen=True)
class ServerAddress:
    """A server as the operator names it.

    Attributes:
        url: `ws://host:port`, or `wss://host:port` through TLS; the port is 8000 when not given.
        token_file: file whose first line is the robot's token; empty: it has none.
        ca_file: certificate (PEM) that the server's must be signed by, or the server's own; empty:
            those that the system trusts.
    """

    url: str
    token_file: str = ""
    ca_file: str = ""

    def split(self) -> tuple[str, int, str]:
        """Return host, port and path.

        Raises:
            PolicyError: the URL is not one of a policy server.
        """
        parts = urlsplit(self.url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if parts.scheme not in _PORTS or not host or parts.username or parts.query:
            raise PolicyError(
                f"server {self.url!r} is no address of a policy server; write ws://HOST:PORT, or "
                "wss://HOST:PORT for one with TLS"
            )
        return host, port or _PORTS[parts.scheme], parts.path or "/"

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.startswith("wss://")

    def token(self) -> str:
        """Return the token; empty without a file. Read anew each time: it may have been renewed.

        Raises:
            PolicyError: the file cannot be read or holds no token.
        """
        return read_tokens(self.token_file)[0][1] if self.token_file else ""

    def tls(self) -> ssl.SSLContext | None:
        """Return what checks the server's certificate; None for `ws://`.

        Raises:
            PolicyError: the certificate file cannot be read, or is of no use for `ws://`.
        """
        if not self.secure:
            if self.ca_file:
                raise PolicyError(
                    f"ca_file {self.ca_file!r} has no effect with {self.url}; use wss://"
                )
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise PolicyError(
                f"{self.ca_file}: cannot be read as certificates (PEM): {error}"
            ) from error


def read_tokens(path: str | Path) -> list[tuple[str, str]]:
    """Return the (name, token) pairs of a token file.

    A line is `TOKEN` or `NAME TOKEN`; empty lines and those that begin with # do not count.

    Raises:
        PolicyError: the file cannot be read, holds no token, or one that is short or not ASCII.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise PolicyError(f"token file {path}: {reason}") from error
    found = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        token = words[-1]
        if len(words) > 2 or len(token) < 16 or not _TOKEN_CHARACTERS.issuperset(token):
            raise PolicyError(
                f"token file {path}, line {number}: a line is TOKEN or NAME TOKEN, the token at "
                "least 16 ASCII characters; make one with "
                "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`"
            )
        found.append((words[0] if len(words) == 2 else f"token{number}", token))
    if not found:
        raise PolicyError(f"token file {path} holds no token")
    return found
