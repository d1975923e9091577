# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The routes: the page, its sockets, the episodes; every answer with a strict content policy."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from evla_ros.console.errors import RefusedError
from evla_ros.console.server.desk import Desk
from evla_ros.console.server.door import Door, Visitor
from evla_ros.console.server.sockets import Video, converse
from evla_ros.reading.text_files import parse_json
from evla_ros.serving.access import Refusal

PAGE = Path(__file__).resolve().parents[1] / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), gamepad=(self)",
        "Cache-Control": "no-store",
    }
)
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
MOST_BODY = 4096
_WRONG_TOKEN_S = 0.5
Handler = Callable[[Request, Visitor], Awaitable[Response]]


class Site:
    """What answers a browser."""

    def __init__(self, desk: Desk, door: Door, video: Video, cookie: str, *, secure: bool) -> None:
        """`cookie`: its name, with the port, for cookies are shared by the ports of a host."""
        self._desk, self._door, self._video = desk, door, video
        self._cookie, self._secure = cookie, secure
        self._files = {
            path.relative_to(PAGE).as_posix(): path.read_bytes()
            for path in PAGE.rglob("*")
            if path.suffix in _KINDS
        }

    def app(self) -> Starlette:
        """Return the application."""
        guarded = self._guarded
        routes = [
            Route("/", self._page),
            Route("/page/{name:path}", self._file),
            Route("/enter", self._enter, methods=["POST"]),
            Route("/healthz", self._health),
            Route("/stop", guarded(self._stop), methods=["POST"]),
            Route("/episodes", guarded(self._list)),
            Route("/episodes/{name}/thumbnail", guarded(self._thumbnail)),
            Route("/episodes/{name}/clip", guarded(self._clip)),
            Route("/episodes/{name}/clip/{camera}/{number:int}", guarded(self._clip_picture)),
            WebSocketRoute("/control", self._control_socket),
            WebSocketRoute("/video", self._video_socket),
        ]
        return Starlette(routes=routes, lifespan=self._life)

    @contextlib.asynccontextmanager
    async def _life(self, _app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self._desk.run())
        try:
            yield
        finally:
            task.cancel()

    # -- who --

    def _visitor(self, connection: HTTPConnection) -> Visitor | Refusal:
        peer = connection.client.host if connection.client else "?"
        cookie = connection.cookies.get(self._cookie, "")
        return self._door.admit(dict(connection.headers), cookie, peer)

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            visitor = self._visitor(request)
            if isinstance(visitor, Refusal):
                return self._text(visitor.sentence, visitor.status)
            try:
                return await handler(request, visitor)
            except RefusedError as error:
                return self._text(str(error), 404)

        return answer

    # -- the page --

    async def _page(self, request: Request) -> Response:
        visitor = self._visitor(request)
        if isinstance(visitor, Refusal):
            if visitor.kind != "token":
                return self._text(visitor.sentence, visitor.status)
            return self._sent("enter.html", visitor.status)
        return self._sent("index.html")

    async def _file(self, request: Request) -> Response:
        refusal = self._door.origin_refusal(dict(request.headers))
        if refusal is not None:
            return self._text(refusal.sentence, refusal.status)
        name = request.path_params["name"]
        return self._sent(name) if name in self._files else self._text("there is no such file", 404)

    async def _enter(self, request: Request) -> Response:
        refusal = self._door.origin_refusal(dict(request.headers))
        if refusal is not None:
            return self._text(refusal.sentence, refusal.status)
        token = await _token_in(request)
        cookie = self._door.enter(token) if token else None
        if cookie is None:
            await asyncio.sleep(_WRONG_TOKEN_S)
            return self._text("nobody has this token", 401)
        response = self._text("welcome")
        response.set_cookie(
            self._cookie, cookie, httponly=True, samesite="strict", secure=self._secure, path="/"
        )
        return response

    async def _health(self, _request: Request) -> Response:
        return self._text("OK\n")

    async def _stop(self, _request: Request, visitor: Visitor) -> Response:
        self._desk.stop(visitor.name)
        return self._text("stop was sent")

    # -- episodes --

    async def _list(self, _request: Request, _visitor: Visitor) -> Response:
        recorded = (self._desk.robot.state().get("recorder") or {}).get("episode_id", "")
        rows = await asyncio.to_thread(self._desk.episodes.rows, recorded)
        folder = str(self._desk.episodes.folder)
        return JSONResponse({"folder": folder, "episodes": rows}, headers=HEADERS)

    async def _thumbnail(self, request: Request, _visitor: Visitor) -> Response:
        name = request.path_params["name"]
        return self._jpeg(await asyncio.to_thread(self._desk.episodes.thumbnail, name))

    async def _clip(self, request: Request, _visitor: Visitor) -> Response:
        name = request.path_params["name"]
        found: dict[str, Any] = await asyncio.to_thread(self._desk.episodes.clip_times, name)
        return JSONResponse(found, headers=HEADERS)

    async def _clip_picture(self, request: Request, _visitor: Visitor) -> Response:
        name, camera, number = (request.path_params[k] for k in ("name", "camera", "number"))
        picture = await asyncio.to_thread(self._desk.episodes.clip_picture, name, camera, number)
        return self._jpeg(picture)

    # -- sockets --

    async def _control_socket(self, socket: WebSocket) -> None:
        visitor = self._visitor(socket)
        if isinstance(visitor, Refusal):
            await socket.close(1008, visitor.sentence[:120])
            return
        await converse(self._desk, socket, visitor)

    async def _video_socket(self, socket: WebSocket) -> None:
        if isinstance(self._visitor(socket), Refusal):
            await socket.close(1008, "not let in")
            return
        await self._video.show(socket)

    # -- answers --

    def _sent(self, name: str, status: int = 200) -> Response:
        kind = _KINDS[Path(name).suffix]
        return Response(self._files[name], status, dict(HEADERS), media_type=kind)

    def _text(self, text: str, status: int = 200) -> Response:
        return PlainTextResponse(text, status, dict(HEADERS))

    def _jpeg(self, data: bytes) -> Response:
        headers = {**HEADERS, "Cache-Control": "private, max-age=3600"}
        return Response(data, 200, headers, media_type="image/jpeg")


async def _token_in(request: Request) -> str:
    """Return the token of an `/enter` request; empty when there is none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY:
            return ""
    try:
        found = parse_json(body.decode(errors="replace"), "token", RefusedError)
    except RefusedError:
        return ""
    token = found.get("token") if isinstance(found, dict) else None
    return token if isinstance(token, str) else ""
