# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is printed where the console was started: its address, and a QR code for a phone."""

from __future__ import annotations

import io
import socket
from collections.abc import Mapping

from evla_ros.console.options import Listening
from evla_ros.serving.access import is_loopback

_ANY = ("0.0.0.0", "::")  # noqa: S104 - to recognise it, not to listen on it
_NOWHERE = ("192.0.2.1", 9)  # reserved for documentation (RFC 5737)


def address_of(options: Listening, port: int) -> str:
    """Return the page's address as it is typed into a browser."""
    host = _own_address() if options.host in _ANY else options.host
    host = f"[{host}]" if ":" in host else host
    return f"{options.scheme}://{host}:{port}/"


def greeting(address: str, links: Mapping[str, str]) -> str:
    """Return the lines that say how to get in; a token is in them."""
    lines = [f"console: {links['operate']}"]
    if "watch" in links:
        lines.append(f"to watch and stop only: {links['watch']}")
    host = address.partition("://")[2].rpartition(":")[0].strip("[]")
    if not is_loopback(host):
        lines += _qr_code(links["operate"])
        if address.startswith("http:"):
            lines.append("Browsers give no gamepad to a page without TLS; see docs/console.md.")
    return "\n".join(lines)


def _qr_code(link: str) -> list[str]:
    try:
        import segno
    except ImportError:
        return ["no QR code: pip install 'evla_ros[console]' brings segno"]
    text = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(out=text, compact=True, border=2)
    return text.getvalue().splitlines()


def _own_address() -> str:
    """Return the address that other machines see; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
