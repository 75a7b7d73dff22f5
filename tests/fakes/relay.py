"""A network between client and daemon that can fail."""

from __future__ import annotations

import contextlib
import socket
import threading


class Relay:
    """Passes bytes on between a port of its own and the daemon's.

    `cuts` are numbers of bytes from the daemon after which connections are broken, one for each
    connection in the order they are made; later connections last.
    """

    def __init__(self, port: int, cuts: tuple[int, ...] = ()) -> None:
        self.target = port
        self.is_frozen = False
        self.connections = 0
        self._cuts = list(cuts)
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._threads: list[threading.Thread] = []
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break all connections there are."""
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for one in sockets:
            _end(one)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                daemon = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                client.close()
                continue
            daemon.settimeout(None)
            self.connections += 1
            cut = self._cuts.pop(0) if self._cuts else None
            with self._lock:
                self._sockets += [client, daemon]
            for source, sink, limit in ((client, daemon, None), (daemon, client, cut)):
                thread = threading.Thread(
                    target=self._pass, args=(source, sink, limit), daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def _pass(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(1024):
                if self.is_frozen:
                    continue
                if limit is not None and passed + len(data) >= limit:
                    sink.sendall(data[: limit - passed])
                    break
                passed += len(data)
                sink.sendall(data)
        _end(source)
        _end(sink)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
