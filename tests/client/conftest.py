"""A daemon on a real socket, and both transports to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.daemon import TOKEN, FakeDaemon
from fakes.relay import Relay
from fresco_client import Session, TransportKind
from fresco_client.transport import Endpoint, Transport, open_transport


@pytest.fixture(params=["grpcio", "pure"])
def kind(request: pytest.FixtureRequest) -> TransportKind:
    """Each transport."""
    return request.param


@pytest.fixture
def daemon() -> Iterator[FakeDaemon]:
    """A daemon without jobs."""
    daemon = FakeDaemon()
    yield daemon
    daemon.stop()


@pytest.fixture
def relay(daemon: FakeDaemon) -> Iterator[Relay]:
    """A way to the daemon that can be broken."""
    relay = Relay(daemon.port)
    yield relay
    relay.close()


@pytest.fixture
def transport(daemon: FakeDaemon, kind: TransportKind) -> Iterator[Transport]:
    """A transport to the daemon."""
    transport = open_transport(Endpoint(address=daemon.address, token=TOKEN), kind)
    yield transport
    transport.close()


@pytest.fixture
def session(daemon: FakeDaemon, kind: TransportKind) -> Iterator[Session]:
    """A session with the daemon that gives up soon."""
    with Session.connect(daemon.address, token=TOKEN, transport=kind, patience_s=5.0) as session:
        yield session


@pytest.fixture
def connect(kind: TransportKind) -> Iterator[Callable[[str], Session]]:
    """Makes sessions with an address; closes them."""
    sessions: list[Session] = []

    def make(address: str) -> Session:
        session = Session.connect(address, token=TOKEN, transport=kind, patience_s=8.0)
        sessions.append(session)
        return session

    yield make
    for session in sessions:
        session.close()


@pytest.fixture
def tls() -> tuple[Path, Path]:
    """A certificate for localhost that is its own authority, and its key."""
    folder = Path(__file__).parent / "data"
    return folder / "daemon.pem", folder / "daemon.key"
