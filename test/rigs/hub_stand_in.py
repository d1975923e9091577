# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the hub's endpoint: repositories in memory, over HTTP on this machine.

It answers what huggingface_hub asks when it makes a repository, commits files and fetches a
snapshot. Source: huggingface_hub, hf_api.py, _commit_api.py and file_download.py.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_of_nobody"
_PLACE = {"dataset": "datasets/", "model": ""}
_WRITING = re.compile(r"/api/(dataset|model)s/([^/]+/[^/]+)/(preupload|commit)/(\w+)")
_READING = re.compile(r"/api/(dataset|model)s/([^/]+/[^/]+)/(?:revision/(\w+)|tree/\w+.*)")
_FILE = re.compile(r"/(datasets/)?([^/]+/[^/]+)/resolve/(\w+)/(.+)")


class HubStandIn:
    """`repositories` holds files by (kind, name); `private` which were made private."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], dict[str, bytes]] = {}
        self.private: dict[tuple[str, str], bool] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self})
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host}:{port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _sha(files: dict[str, bytes]) -> str:
    digest = hashlib.sha1(usedforsecurity=False)
    for name, data in sorted(files.items()):
        digest.update(name.encode() + data)
    return digest.hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: HubStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self._body()
        self.hub.asked.append(self.path)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer({"error": "who are you?"}, 401)
        elif self.path == "/api/repos/create":
            self._make(json.loads(body))
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif found := _WRITING.fullmatch(self.path):
            kind, name, what, _ = found.groups()
            act = self._preupload if what == "preupload" else self._commit
            act((kind, name), body)
        else:
            self._answer({"error": f"not here: {self.path}"}, 404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.hub.asked.append(path)
        if found := _READING.fullmatch(path):
            kind, name, revision = found.groups()
            self._described((kind, name), revision)
        elif found := _FILE.fullmatch(path):
            self._file(("dataset" if found[1] else "model", found[2]), found[4])
        else:
            self._answer({}, 404, X_Error_Code="EntryNotFound")

    def _make(self, told: dict) -> None:
        kind, name, owner = told.get("type") or "model", told["name"], told.get("organization")
        key = (kind, f"{owner}/{name}" if owner else name)
        url = {"url": f"{self.hub.endpoint}/{_PLACE[kind]}{key[1]}"}
        if key in self.hub.repositories:
            self._answer(url, 409)
            return
        self.hub.repositories[key] = {}
        self.hub.private[key] = bool(told.get("private")) or told.get("visibility") == "private"
        self._answer(url)

    def _preupload(self, key: tuple[str, str], body: bytes) -> None:
        del key
        files = [
            {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
            for file in json.loads(body)["files"]
        ]
        self._answer({"files": files})

    def _commit(self, key: tuple[str, str], body: bytes) -> None:
        files = self.hub.repositories[key]
        for line in body.splitlines():
            told = json.loads(line)
            if told["key"] == "file":
                files[told["value"]["path"]] = base64.b64decode(told["value"]["content"])
        commit = f"{self.hub.endpoint}/{_PLACE[key[0]]}{key[1]}/commit/{_sha(files)}"
        self._answer({"success": True, "commitOid": _sha(files), "commitUrl": commit})

    def _described(self, key: tuple[str, str], revision: str | None) -> None:
        files = self.hub.repositories.get(key)
        if files is None:
            self._answer({}, 404, X_Error_Code="RepoNotFound")
        elif revision is None:
            self._answer(
                [
                    {"type": "file", "path": name, "size": len(data), "oid": _sha({name: data})}
                    for name, data in files.items()
                ]
            )
        elif revision in ("main", _sha(files)):
            siblings = [{"rfilename": name, "size": len(data)} for name, data in files.items()]
            told = {"id": key[1], "sha": _sha(files), "siblings": siblings}
            self._answer({**told, "private": False, "tags": [], "downloads": 0})
        else:
            self._answer({}, 404, X_Error_Code="RevisionNotFound")

    def _file(self, key: tuple[str, str], name: str) -> None:
        files = self.hub.repositories.get(key, {})
        if name not in files:
            self._answer({}, 404, X_Error_Code="EntryNotFound")
            return
        tag = hashlib.sha1(files[name], usedforsecurity=False).hexdigest()
        self._answer(files[name], X_Repo_Commit=_sha(files), ETag=f'"{tag}"')

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _answer(self, content: object, code: int = 200, **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
