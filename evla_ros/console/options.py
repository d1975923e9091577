# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the console listens and whom it lets in: the options of `evla console`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.options import Option


@dataclass(frozen=True)
class Listening:
    """An address, and who may use the console there."""

    host: Annotated[str, Option("address to listen on; any but this machine's needs a token")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Option("port; 0 takes a free one", least=0, most=65535)] = 8080
    token_file: Annotated[
        str,
        Option(
            "who may operate: lines TOKEN or NAME TOKEN",
            "FILE",
            unset="everybody here; elsewhere a new token is drawn and printed",
        ),
    ] = ""
    view_token_file: Annotated[
        str, Option("who may watch and stop, in the same form", "FILE", unset="nobody else")
    ] = ""
    tls_cert: Annotated[str, Option("certificate chain (PEM)", "FILE", unset="no TLS")] = ""
    tls_key: Annotated[str, Option("its private key (PEM)", "FILE", unset="in the same file")] = ""
    plaintext: Annotated[
        bool, Option("no TLS on an address of others: inside a VPN, or on a cable of your own")
    ] = False
    origins: Annotated[
        tuple[str, ...],
        Option("addresses of the page behind a proxy, such as https://robot.lab", "ORIGIN",
               unset="the console's own"),
    ] = ()  # fmt: skip

    @property
    def token_path(self) -> Path | None:
        """The file of those who may operate; None without one."""
        return Path(self.token_file) if self.token_file else None

    @property
    def view_token_path(self) -> Path | None:
        """The file of those who may watch; None without one."""
        return Path(self.view_token_file) if self.view_token_file else None

    @property
    def scheme(self) -> str:
        """The scheme of the page's address."""
        return "https" if self.tls_cert else "http"
