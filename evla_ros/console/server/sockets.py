# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two sockets of a page: control, small and first; video, newest pictures only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Iterable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from evla_ros.console.errors import RefusedError
from evla_ros.console.server.desk import Desk
from evla_ros.console.server.door import Visitor
from evla_ros.console.server.robot import Robot
from evla_ros.reading.text_files import parse_json

MOST_PAGES = 64
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


async def converse(desk: Desk, socket: WebSocket, visitor: Visitor) -> None:
    """Serve a control socket until it ends."""
    key = socket.query_params.get("page", "")
    if not _KEY.fullmatch(key):
        await socket.close(1008, "the page gives no key")
        return
    if len(desk.control.pages) >= MOST_PAGES and key not in desk.control.pages:
        await socket.close(1013, "too many pages are open")
        return
    await socket.accept()
    page, box = desk.arrive(key, visitor)

    async def send() -> None:
        while (text := await box.next()) is not None:
            await socket.send_text(text)
        await socket.close(*(box.ended or (1011, "")))

    sending = asyncio.create_task(send())
    try:
        while not sending.done():
            desk.take(page, _object(await socket.receive_text()))
    except (WebSocketDisconnect, RefusedError):
        pass
    finally:
        desk.leave(key, box)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await sending


def _object(text: str) -> dict[str, Any]:
    """Return a message; RefusedError for what is none, which ends the connection."""
    message = parse_json(text, "message of a page", RefusedError)
    if not isinstance(message, dict):
        raise RefusedError("a message of a page is an object")
    return message


class Video:
    """Sends pictures: of each camera one in flight per page, and always the newest."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._viewers: dict[_Viewer, frozenset[str]] = {}

    def new_picture(self) -> None:
        """Wake the viewers; called in the event loop."""
        for viewer in self._viewers:
            viewer.wake.set()

    async def show(self, socket: WebSocket) -> None:
        """Serve a video socket until it ends."""
        await socket.accept()
        viewer = _Viewer(socket)
        self._viewers[viewer] = frozenset()
        sending = asyncio.create_task(viewer.send(self._robot))
        try:
            while True:
                self._take(viewer, _object(await socket.receive_text()))
        except (WebSocketDisconnect, RefusedError):
            pass
        finally:
            del self._viewers[viewer]
            self._tell_robot()
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await sending

    def _take(self, viewer: _Viewer, message: dict[str, Any]) -> None:
        if "show" in message:
            shown = message["show"]
            known = frozenset(name for name in shown if isinstance(name, str))
            viewer.cameras = self._viewers[viewer] = known
            self._tell_robot()
        if message.get("got") in viewer.flying:
            viewer.flying.discard(message["got"])
        viewer.wake.set()

    def _tell_robot(self) -> None:
        names: Iterable[str] = {name for names in self._viewers.values() for name in names}
        self._robot.watch(sorted(names))


class _Viewer:
    """One video socket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.cameras: frozenset[str] = frozenset()
        self.flying: set[str] = set()
        self._sent: dict[str, int] = {}
        self.wake = asyncio.Event()

    async def send(self, robot: Robot) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            for name in sorted(self.cameras - self.flying):
                picture = robot.picture(name)
                if picture is None or picture.number == self._sent.get(name):
                    continue
                self.flying.add(name)
                self._sent[name] = picture.number
                waited_s = time.monotonic() - picture.seen_s
                age_s = picture.age_s + waited_s if picture.age_s >= 0.0 else -1.0
                head = json.dumps({"camera": name, "n": picture.number, "age_s": round(age_s, 4)})
                packed = head.encode()
                await self._socket.send_bytes(
                    len(packed).to_bytes(4, "little") + packed + picture.jpeg
                )
