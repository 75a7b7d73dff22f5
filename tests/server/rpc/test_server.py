"""The server's address, its TLS, its threads, and its end."""

from __future__ import annotations

import inspect
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from fakes.caller import TOKEN, Caller, refused
from fakes.jobs import FakeJobs
from fakes.waiting import PATIENCE_S
from fresco.v1 import clips_pb2, jobs_pb2, media_pb2, models_pb2, server_pb2
from fresco_server.errors import CannotStart
from fresco_server.jobs.service import Jobs
from fresco_server.rpc.limits import HEALTH_WATCHES, UNARY_THREADS
from fresco_server.rpc.server import SERVICES, RpcServer, make_server
from fresco_server.settings import ServerSettings
from grpc import StatusCode
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

DATA = Path(__file__).parent / "data"
CERTIFICATE, KEY = DATA / "certificate.pem", DATA / "key.pem"


def _make(jobs: FakeJobs, settings: ServerSettings, token: str = TOKEN) -> RpcServer:
    return make_server(cast(Jobs, jobs), settings, token)


def test_the_fake_offers_what_jobs_offer() -> None:
    for name, method in inspect.getmembers(Jobs, inspect.isfunction):
        if name.startswith("_") or name in ("start", "close"):
            continue
        fake = getattr(FakeJobs, name)
        assert (
            inspect.signature(fake).parameters.keys() == inspect.signature(method).parameters.keys()
        ), name


def test_importing_the_server_loads_neither_networks_nor_codecs() -> None:
    program = (
        "import sys, fresco_server.rpc.server\n"
        "names = ('torch', 'av', 'diffusers', 'transformers')\n"
        "print([name for name in names if name in sys.modules])"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stdout.strip() == "[]"


def test_health_and_reflection_know_all_services(caller: Caller) -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(caller.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")

    answer = next(stub.ServerReflectionInfo(iter([request])))

    names = {service.name for service in answer.list_services_response.service}
    assert set(SERVICES) < names
    assert "grpc.health.v1.Health" in names
    for service in ("", *SERVICES):
        health = caller.health.Check(health_pb2.HealthCheckRequest(service=service))
        assert health.status == health_pb2.HealthCheckResponse.SERVING


def test_a_draining_server_says_so_and_still_answers(caller: Caller, server: RpcServer) -> None:
    server.drain()

    for service in ("", *SERVICES):
        health = caller.health.Check(health_pb2.HealthCheckRequest(service=service))
        assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert caller.server.GetServer(server_pb2.GetServerRequest()).version


def test_who_watches_health_learns_of_the_drain(caller: Caller, server: RpcServer) -> None:
    watched = caller.health.Watch(health_pb2.HealthCheckRequest(service=""))
    first = next(watched)

    server.drain()

    assert first.status == health_pb2.HealthCheckResponse.SERVING
    assert next(watched).status == health_pb2.HealthCheckResponse.NOT_SERVING
    watched.cancel()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_server_tells_its_address(jobs: FakeJobs, settings: ServerSettings, host: str) -> None:
    if host == "::1" and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    server = _make(jobs, replace(settings, host=host))
    server.start()
    caller = Caller(server.address)

    assert server.port > 0
    assert caller.server.GetServer(server_pb2.GetServerRequest()).version

    caller.close()
    server.stop(0)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_port_in_use_is_told(jobs: FakeJobs, settings: ServerSettings) -> None:
    first = _make(jobs, settings)
    first.start()

    with pytest.raises(CannotStart, match=r"another program may use the port.*--port"):
        _make(jobs, replace(settings, port=first.port))

    first.stop(0)


@pytest.mark.parametrize("host", ["999.0.0.1", "no.such.host.invalid"])
def test_an_address_that_is_none_is_told(
    jobs: FakeJobs, settings: ServerSettings, host: str
) -> None:
    open_settings = replace(
        settings, host=host, tls_certificate=CERTIFICATE, tls_key=KEY, token_file=KEY
    )

    with pytest.raises(CannotStart, match="--host"):
        _make(jobs, open_settings)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"token_file": KEY},
        {"tls_certificate": CERTIFICATE, "tls_key": KEY},
        {"tls_certificate": CERTIFICATE, "token_file": KEY},
    ],
    ids=["nothing", "token", "TLS", "half of TLS"],
)
def test_others_reach_a_daemon_only_over_tls_and_with_a_token_of_its_own(
    jobs: FakeJobs, settings: ServerSettings, given: dict[str, Any]
) -> None:
    with pytest.raises(CannotStart, match=r"--tls-cert, --tls-key and --token-file") as caught:
        _make(jobs, replace(settings, host="0.0.0.0", **given))

    assert caught.value.exit_code == 2


def test_an_empty_token_is_refused(jobs: FakeJobs, settings: ServerSettings) -> None:
    with pytest.raises(CannotStart, match="--token-file"):
        _make(jobs, settings, "")


@pytest.fixture
def guarded(jobs: FakeJobs, settings: ServerSettings) -> Iterator[RpcServer]:
    """A server with TLS that other machines may reach."""
    running = _make(
        jobs,
        replace(settings, host="0.0.0.0", tls_certificate=CERTIFICATE, tls_key=KEY, token_file=KEY),
    )
    running.start()
    yield running
    running.stop(0)


def test_calls_go_over_tls(guarded: RpcServer) -> None:
    caller = Caller(f"127.0.0.1:{guarded.port}", certificate=CERTIFICATE.read_bytes())

    assert caller.server.GetServer(server_pb2.GetServerRequest()).version

    caller.close()


def test_the_token_is_needed_over_tls_too(guarded: RpcServer) -> None:
    address = f"127.0.0.1:{guarded.port}"
    caller = Caller(address, None, certificate=CERTIFICATE.read_bytes())

    with refused(StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"):
        list(caller.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id="x")))

    caller.close()


def test_a_client_without_tls_is_not_served(guarded: RpcServer) -> None:
    caller = Caller(f"127.0.0.1:{guarded.port}")

    with refused(StatusCode.UNAVAILABLE):
        caller.server.GetServer(server_pb2.GetServerRequest())

    caller.close()


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        (CERTIFICATE, DATA / "other-key.pem"),
        (CERTIFICATE, DATA / "locked-key.pem"),
        (CERTIFICATE, DATA / "nothing.pem"),
        (DATA / "nothing.pem", KEY),
        (DATA / "README.md", KEY),
        (KEY, KEY),
    ],
    ids=["other key", "locked", "no key", "no certificate", "no PEM", "swapped"],
)
def test_tls_files_that_cannot_be_used_are_told(
    jobs: FakeJobs, settings: ServerSettings, certificate: Path, key: Path
) -> None:
    with pytest.raises(CannotStart, match="cannot be used with the key"):
        _make(jobs, replace(settings, tls_certificate=certificate, tls_key=key))


@pytest.mark.parametrize(
    ("name", "why"),
    [("expired", "certificate has expired"), ("future", "certificate is not yet valid")],
)
def test_a_certificate_that_no_client_would_take_is_told(
    jobs: FakeJobs, settings: ServerSettings, name: str, why: str
) -> None:
    certificate = DATA / f"{name}.pem"

    with pytest.raises(CannotStart, match=rf"{name}\.pem \({why}\)") as caught:
        _make(jobs, replace(settings, tls_certificate=certificate, tls_key=KEY))

    assert caught.value.exit_code == 2


def test_half_of_tls_is_told(jobs: FakeJobs, settings: ServerSettings) -> None:
    with pytest.raises(CannotStart, match="belong together"):
        _make(jobs, replace(settings, tls_certificate=CERTIFICATE))


def _full_of_streams(caller: Caller, jobs: FakeJobs) -> list[Any]:
    jobs.put("x")
    limit = jobs.settings.limits.streams
    calls: list[Any] = [
        caller.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id="x")) for _ in range(limit)
    ]
    for call in calls:
        next(call)
    return calls


def test_short_calls_answer_while_all_streams_are_taken(
    caller: Caller, jobs: FakeJobs, roots: Path
) -> None:
    calls = _full_of_streams(caller, jobs)

    with refused(StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"):
        next(caller.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id="x")))
    with refused(StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"):
        caller.models.LoadModel(models_pb2.LoadModelRequest())
    with refused(StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"):
        clip = media_pb2.ClipSource(path=str(roots / "clip.mp4"))
        caller.clips.DescribeClip(clips_pb2.DescribeClipRequest(clip=clip))
    assert caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="x")).job.id == "x"
    assert caller.health.Check(health_pb2.HealthCheckRequest()).status
    for call in calls:
        call.cancel()


def test_streams_that_never_send_their_message_take_no_threads_of_short_calls(
    caller: Caller, jobs: FakeJobs
) -> None:
    end = threading.Event()

    def silent() -> Iterator[bytes]:
        assert end.wait(PATIENCE_S)
        yield from ()

    watch = caller.plain.stream_stream("/fresco.v1.JobService/WatchJob")
    metadata = (("authorization", f"Bearer {TOKEN}"),)
    calls = [
        watch(silent(), metadata=metadata)
        for _ in range(jobs.settings.limits.streams + UNARY_THREADS)
    ]
    jobs.put("x")

    assert caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="x")).job.id == "x"

    end.set()
    for call in calls:
        call.cancel()


def test_health_answers_while_all_other_threads_wait(caller: Caller, jobs: FakeJobs) -> None:
    end = threading.Event()

    def silent() -> Iterator[bytes]:
        assert end.wait(PATIENCE_S)
        yield from ()

    get = caller.plain.stream_unary("/fresco.v1.JobService/GetJob")
    metadata = (("authorization", f"Bearer {TOKEN}"),)
    count = jobs.settings.limits.streams + UNARY_THREADS
    calls = [get.future(silent(), metadata=metadata) for _ in range(count)]

    assert caller.health.Check(health_pb2.HealthCheckRequest()).status

    end.set()
    for call in calls:
        call.cancel()


def test_a_place_is_free_again_after_a_call_failed(caller: Caller, jobs: FakeJobs) -> None:
    for _ in range(jobs.settings.limits.streams * 3):
        with refused(StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
            list(caller.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id="nobody")))


def test_stopping_ends_streams_and_frees_the_port(jobs: FakeJobs, settings: ServerSettings) -> None:
    server = _make(jobs, settings)
    server.start()
    caller = Caller(server.address)
    jobs.put("x")
    stream = caller.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id="x"))
    next(stream)

    jobs.close()
    server.stop(grace_s=PATIENCE_S)

    with refused(StatusCode.UNAVAILABLE, "SHUTTING_DOWN"):
        next(stream)
    with refused(StatusCode.UNAVAILABLE):
        caller.server.GetServer(server_pb2.GetServerRequest())
    caller.close()
    again = _make(jobs, replace(settings, port=server.port))
    again.stop(0)


def test_a_dead_peer_is_noticed_without_anybody_sending(server: RpcServer) -> None:
    """The options are there; that gRPC pings by them is gRPC's to test."""
    from fresco_server.rpc.server import OPTIONS

    options = dict(OPTIONS)
    assert options["grpc.keepalive_time_ms"] <= 60_000
    assert options["grpc.so_reuseport"] == 0


def test_grpc_knows_every_option_that_is_set() -> None:
    """It passes over names that it does not know, as it did over one for clients' pings."""
    from fresco_server.rpc.server import OPTIONS
    from grpc._cython import cygrpc

    library = Path(cygrpc.__file__).read_bytes()

    assert [name for name, _ in OPTIONS if name.encode() + b"\0" not in library] == []


def test_threads_end_with_the_server(jobs: FakeJobs, settings: ServerSettings) -> None:
    before = set(threading.enumerate())
    server = _make(jobs, settings)
    server.start()
    caller = Caller(server.address)
    caller.server.GetServer(server_pb2.GetServerRequest())
    caller.close()

    server.stop(0)

    patience = time.monotonic() + PATIENCE_S
    while any(thread.name.startswith("rpc") for thread in set(threading.enumerate()) - before):
        assert time.monotonic() < patience, "waited in vain for the server's threads to end"
        time.sleep(0.01)


def test_who_watches_health_takes_no_place_of_jobs_and_not_every_thread(
    caller: Caller, jobs: FakeJobs, settings: ServerSettings
) -> None:
    jobs.put("x")
    request = health_pb2.HealthCheckRequest(service="")
    watches = [caller.health.Watch(request) for _ in range(HEALTH_WATCHES)]
    for watch in watches:
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING

    with refused(StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"):
        next(caller.health.Watch(request))
    events = [
        caller.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id="x"))
        for _ in range(settings.limits.streams)
    ]

    for stream in events:
        next(stream)
    assert caller.health.Check(request).status == health_pb2.HealthCheckResponse.SERVING
    for call in (*watches, *events):
        call.cancel()
