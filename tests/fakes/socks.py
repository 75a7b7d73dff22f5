"""A SOCKS5 proxy on this machine, as RFC 1928 and 1929 have it, that notes what it is asked for."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

_PATIENCE_S = 10.0
_NO_LOGIN, _LOGIN, _NOTHING = 0, 2, 255
_IPV4, _NAME = 1, 3


@dataclass
class SocksProxy:
    """Where it is and what it has seen."""

    address: str = ""
    asked_for: list[str] = field(default_factory=list[str])
    logins: list[str] = field(default_factory=list[str])


@contextmanager
def proxying(login: str = "") -> Iterator[SocksProxy]:
    """A proxy that wants `USER:PASSWORD`, if a login is given. Every name is this machine."""
    seen = SocksProxy()

    class Handler(_Handler):
        proxy = seen
        wanted = login

    class Server(ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    seen.address = f"127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


class _Handler(BaseRequestHandler):
    proxy: SocksProxy
    wanted: str

    def handle(self) -> None:
        self.request.settimeout(_PATIENCE_S)
        with suppress(OSError):  # whoever asked has gone
            if self._is_let_in():
                self._connect()

    def _is_let_in(self) -> bool:
        _, count = self._read(2)
        offered = self._read(count)
        chosen = _LOGIN if self.wanted else _NO_LOGIN
        if chosen not in offered:
            self.request.sendall(bytes((5, _NOTHING)))
            return False
        self.request.sendall(bytes((5, chosen)))
        return not self.wanted or self._is_login_right()

    def _is_login_right(self) -> bool:
        user = self._read(self._read(2)[1]).decode()
        password = self._read(self._read(1)[0]).decode()
        self.proxy.logins.append(f"{user}:{password}")
        is_right = f"{user}:{password}" == self.wanted
        self.request.sendall(bytes((1, 0 if is_right else 1)))
        return is_right

    def _connect(self) -> None:
        _, _, _, kind = self._read(4)
        host = (
            socket.inet_ntoa(self._read(4))
            if kind == _IPV4
            else self._read(self._read(1)[0]).decode()
        )
        (port,) = struct.unpack(">H", self._read(2))
        self.proxy.asked_for.append(host)
        with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as there:
            self.request.sendall(bytes((5, 0, 0, 1)) + bytes(6))
            back = Thread(target=_pass_on, args=(there, self.request), daemon=True)
            back.start()
            _pass_on(self.request, there)
            back.join(_PATIENCE_S)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.request.recv(count - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
