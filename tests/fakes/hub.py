"""A model hub on this machine: the few requests that downloading a repository makes, over HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serving(repositories: dict[str, Path]) -> Iterator[str]:
    """Serves folders as hub repositories, by id; yields the hub's address."""

    class Handler(_Hub):
        folders = repositories

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


class _Hub(BaseHTTPRequestHandler):
    folders: dict[str, Path]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not written to the test's output."""

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        for hub_id, folder in self.folders.items():
            if path.startswith(f"/api/models/{hub_id}"):
                return self._send_json(_listing(hub_id, folder, is_tree="/tree/" in path))
            if path.startswith(f"/{hub_id}/resolve/{COMMIT}/"):
                return self._send_file(folder / path.split(f"/{COMMIT}/", 1)[1])
        return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _send_json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send_file(self, path: Path) -> None:
        if not path.is_file():
            return self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        data = path.read_bytes()
        tag = f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"'
        return self._send(200, data, {"ETag": tag, "X-Repo-Commit": COMMIT})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _listing(hub_id: str, folder: Path, *, is_tree: bool) -> object:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]
    if is_tree:
        return [
            {"type": "file", "path": name, "size": path.stat().st_size, "oid": _blob_id(path)}
            for name, path in zip(names, files, strict=True)
        ]
    return {"id": hub_id, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}


def _blob_id(path: Path) -> str:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
