"""Encrypted connections are made to the right daemon only."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.behaviours import parts, waiting_stream
from fakes.daemon import TOKEN, FakeDaemon
from fakes.waiting import PATIENCE_S
from fresco.v1 import frames_pb2, server_pb2
from fresco_client import TransportKind, errors
from fresco_client.transport import Endpoint, open_transport
from fresco_client.transport.base import method_of

GET_SERVER = method_of(server_pb2.GetServerRequest, server_pb2.GetServerResponse)
FETCH = method_of(frames_pb2.FetchResultRequest, frames_pb2.FetchResultResponse)
REQUEST = frames_pb2.FetchResultRequest()
MIB = 1024 * 1024


@pytest.fixture
def secure(tls: tuple[Path, Path]) -> Iterator[FakeDaemon]:
    """A daemon with a certificate."""
    daemon = FakeDaemon(tls=tls)
    daemon.answers["FetchResult"] = parts(10, MIB, 10)
    yield daemon
    daemon.stop()


def secured(
    daemon: FakeDaemon,
    certificate: Path | None,
    host: str = "localhost",
    server_name: str | None = None,
) -> Endpoint:
    return Endpoint(
        address=f"{host}:{daemon.port}",
        token=TOKEN,
        is_secure=True,
        certificate=certificate,
        server_name=server_name,
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_daemons_own_certificate_is_trusted(
    kind: TransportKind, secure: FakeDaemon, tls: tuple[Path, Path], host: str
) -> None:
    transport = open_transport(secured(secure, tls[0], host), kind)

    answer = transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    sizes = [len(part.data) for part in transport.stream(FETCH, REQUEST)]
    transport.close()

    assert answer.api_major == 1
    assert sizes == [10, MIB, 10]


def test_cancelling_ends_an_encrypted_stream(
    kind: TransportKind, secure: FakeDaemon, tls: tuple[Path, Path]
) -> None:
    ended = waiting_stream(secure)
    transport = open_transport(secured(secure, tls[0]), kind)
    call = transport.stream(FETCH, REQUEST)
    next(call)
    reader = threading.Thread(target=lambda: list(call), daemon=True)
    reader.start()
    time.sleep(0.1)

    call.cancel()

    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert ended.wait(PATIENCE_S)
    transport.close()


@pytest.mark.parametrize("which", ["another's", "the system's"])
def test_a_certificate_that_is_not_the_expected_one_is_refused(
    kind: TransportKind, secure: FakeDaemon, tls: tuple[Path, Path], which: str
) -> None:
    certificate = tls[0].with_name("another.pem") if which == "another's" else None
    transport = open_transport(secured(secure, certificate), kind)

    with pytest.raises(errors.DaemonUnreachable):
        transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    transport.close()


def test_the_certificate_must_carry_the_name_that_is_asked_for(
    kind: TransportKind, secure: FakeDaemon, tls: tuple[Path, Path]
) -> None:
    wrong = open_transport(secured(secure, tls[0], server_name="elsewhere.example"), kind)
    right = open_transport(secured(secure, tls[0], "127.0.0.1", server_name="localhost"), kind)

    with pytest.raises(errors.DaemonUnreachable):
        wrong.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    assert right.unary(GET_SERVER, server_pb2.GetServerRequest(), 5).api_major == 1
    wrong.close()
    right.close()


def test_a_file_without_a_certificate_is_named_and_grpc_is_not_asked(
    kind: TransportKind,
    secure: FakeDaemon,
    tls: tuple[Path, Path],
    capfd: pytest.CaptureFixture[str],
) -> None:
    endpoint = secured(secure, tls[1])

    with pytest.raises(errors.FileFailed, match=r"daemon\.key: it holds no certificate"):
        open_transport(endpoint, kind).unary(GET_SERVER, server_pb2.GetServerRequest(), 5)

    assert capfd.readouterr().err == ""


def test_a_daemon_without_tls_is_not_said_to_have_a_wrong_certificate(
    kind: TransportKind, daemon: FakeDaemon, tls: tuple[Path, Path]
) -> None:
    transport = open_transport(secured(daemon, tls[0], "127.0.0.1"), kind)

    with pytest.raises(errors.DaemonUnreachable, match="it does not speak TLS"):
        transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    transport.close()


def test_a_certificate_that_cannot_be_read_is_named(
    kind: TransportKind, secure: FakeDaemon, tmp_path: Path
) -> None:
    endpoint = secured(secure, tmp_path / "missing.pem")

    with pytest.raises(errors.FileFailed, match=r"missing\.pem"):
        open_transport(endpoint, kind).unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
