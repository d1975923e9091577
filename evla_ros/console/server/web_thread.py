# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The web server in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

from evla_ros.console.errors import ConsoleError
from evla_ros.console.options import Listening
from evla_ros.console.server.app import Site
from evla_ros.console.server.desk import Desk
from evla_ros.console.server.door import Door
from evla_ros.console.server.sockets import Video
from evla_ros.serving.access import tls_context
from evla_ros.serving.errors import ServingError

_MOST_MESSAGE = 16384
_END_S = 3.0


class WebThread:
    """Listens from the moment it is made."""

    def __init__(self, options: Listening, door: Door, desk: Desk) -> None:
        """Listen.

        Raises:
            ConsoleError: A library is missing, the certificate or the address cannot be used.
        """
        try:
            import uvicorn
        except ImportError as error:
            raise ConsoleError(
                f"the console needs {error.name}, which is not installed: "
                "pip install 'evla_ros[console]'"
            ) from error
        self.video = Video(desk.robot)
        try:
            context = tls_context(options)
        except ServingError as error:
            raise ConsoleError(str(error)) from error
        self._socket = _listen(options)
        self.port = int(self._socket.getsockname()[1])
        cookie = f"evla_console_{self.port}"
        site = Site(desk, door, self.video, cookie, secure=context is not None)
        config = uvicorn.Config(
            site.app(),
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            ws_max_size=_MOST_MESSAGE,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
        config.load()
        config.ssl = context
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)
        self._thread.start()

    def new_picture(self) -> None:
        """Tell the viewers, from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.video.new_picture)

    def end(self) -> None:
        """Let the pages go."""
        self._server.should_exit = True
        self._thread.join(_END_S)
        self._socket.close()

    def _serve(self) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve(sockets=[self._socket])

        asyncio.run(main())


def _listen(options: Listening) -> Any:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host, options.port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConsoleError(
            f"cannot listen on {options.host}:{options.port}: {reason}; choose another --host or "
            "--port"
        ) from error
