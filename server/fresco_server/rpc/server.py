"""The server: all services on one address, over TLS where others than this machine reach it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
from fresco.v1 import (
    clips_pb2,
    clips_pb2_grpc,
    frames_pb2,
    frames_pb2_grpc,
    jobs_pb2,
    jobs_pb2_grpc,
    looks_pb2,
    looks_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    server_pb2,
    server_pb2_grpc,
)
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from fresco_server.errors import CannotStart
from fresco_server.jobs.path_policy import PathPolicy
from fresco_server.rpc.about import ServerServicer
from fresco_server.rpc.access import AccessInterceptor
from fresco_server.rpc.answers import AnsweringInterceptor
from fresco_server.rpc.clips import ClipServicer
from fresco_server.rpc.connections import most_connections
from fresco_server.rpc.frames import FrameServicer
from fresco_server.rpc.jobs import JobServicer
from fresco_server.rpc.limits import (
    HEALTH_SILENCE_S,
    HEALTH_THREADS,
    HEALTH_WATCHES,
    IDLE_CONNECTION_MS,
    SILENCE_S,
    SILENT_CALLS,
    SILENT_HEALTH_CALLS,
    UNARY_THREADS,
    WAITING_CALLS,
    StreamSlots,
)
from fresco_server.rpc.looks import LookServicer
from fresco_server.rpc.models import ModelServicer
from fresco_server.rpc.order_builder import OrderBuilder
from fresco_server.rpc.pending_calls import PendingCalls
from fresco_server.rpc.pictures import Pictures
from fresco_server.rpc.tls import credentials_of
from fresco_server.settings import MESSAGE_BYTES, ServerSettings

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs

_LOGGER = logging.getLogger(__name__)

SERVICES = tuple(
    file.DESCRIPTOR.services_by_name[name].full_name
    for file, name in (
        (clips_pb2, "ClipService"),
        (frames_pb2, "FrameService"),
        (jobs_pb2, "JobService"),
        (looks_pb2, "LookService"),
        (models_pb2, "ModelService"),
        (server_pb2, "ServerService"),
    )
)

OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    # A second daemon on the same port would take half of the calls.
    ("grpc.so_reuseport", 0),
    # A peer that vanished without a word, such as a laptop that sleeps, gives its streams back.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.ping_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Clients may look after their connections too.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    # Who connects and says nothing that HTTP/2 or TLS knows gives its descriptor back soon.
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.http2.settings_timeout", 10_000),
    # Who has no call under way, and may never have shown a token, takes a place from others. A
    # client that has nothing to ask for a while connects again when it has, by itself.
    ("grpc.max_connection_idle_ms", IDLE_CONNECTION_MS),
    ("grpc.max_concurrent_streams", 512),
    # Headers are a token and a version; this is four times what clients send with their own.
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.absolute_max_metadata_size", 32 << 10),
)


class RpcServer:
    """All services on one address; made by `make_server`."""

    def __init__(
        self,
        server: grpc.Server,
        host: str,
        port: int,
        pools: tuple[ThreadPoolExecutor, ...],
        pending_calls: tuple[PendingCalls, ...],
    ) -> None:
        self._server = server
        self._pools = pools
        self._pending_calls = pending_calls
        self._health = health.HealthServicer(experimental_non_blocking=False)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        self.host = host
        self.port = port

    @property
    def address(self) -> str:
        """What clients connect to, such as 127.0.0.1:50051."""
        return _joined(self.host, self.port)

    def start(self) -> None:
        """Begin to answer."""
        for service in SERVICES:
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        self._server.start()
        _LOGGER.info("listening on %s", self.address)

    def drain(self) -> None:
        """Tell who asks for health that nothing new should be begun; everything still answers."""
        self._health.enter_graceful_shutdown()

    def stop(self, grace_s: float) -> None:
        """Take no new calls, let those under way end within `grace_s` seconds, and wait for it."""
        self.drain()
        self._server.stop(grace_s).wait()
        for pending_calls in self._pending_calls:
            pending_calls.close()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)


def make_server(jobs: Jobs, settings: ServerSettings, token: str) -> RpcServer:
    """A server that holds its address and answers once it is started.

    Raises:
        CannotStart: the address is taken or none, TLS files cannot be used, or others could reach
            the daemon without TLS and a token of its own.
    """
    _check_exposure(settings, token)
    credentials = credentials_of(settings)
    streams = settings.limits.streams
    threads = streams + HEALTH_WATCHES + UNARY_THREADS + SILENT_CALLS
    pool = ThreadPoolExecutor(threads, thread_name_prefix="rpc")
    health_pool = ThreadPoolExecutor(HEALTH_THREADS, thread_name_prefix="rpc-health")
    pending_calls = PendingCalls(SILENT_CALLS, SILENCE_S)
    pending_health_calls = PendingCalls(SILENT_HEALTH_CALLS, HEALTH_SILENCE_S)
    server = grpc.server(
        pool,
        interceptors=[
            AccessInterceptor(token),
            AnsweringInterceptor(
                StreamSlots(streams),
                jobs.touched,
                pending_calls,
                (health_pool, pending_health_calls),
            ),
        ],
        options=(*OPTIONS, ("grpc.max_allowed_incoming_connections", most_connections())),
        maximum_concurrent_rpcs=threads + WAITING_CALLS,
    )
    _add_services(server, jobs, settings)
    port = _bound_port(server, settings, credentials)
    held = (pool, health_pool), (pending_calls, pending_health_calls)
    return RpcServer(server, settings.host, port, *held)


def _add_services(server: grpc.Server, jobs: Jobs, settings: ServerSettings) -> None:
    limits, path_policy, pictures = settings.limits, PathPolicy.of(settings), Pictures()
    orders = OrderBuilder(jobs, path_policy, limits.clip_frames)
    clips_pb2_grpc.add_ClipServiceServicer_to_server(ClipServicer(jobs, orders), server)
    frames_pb2_grpc.add_FrameServiceServicer_to_server(FrameServicer(jobs, pictures), server)
    jobs_pb2_grpc.add_JobServiceServicer_to_server(JobServicer(jobs, orders, pictures), server)
    looks_pb2_grpc.add_LookServiceServicer_to_server(LookServicer(jobs, orders, pictures), server)
    models_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(jobs, path_policy), server)
    server_pb2_grpc.add_ServerServiceServicer_to_server(
        ServerServicer(jobs, path_policy, limits), server
    )
    names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)


def _check_exposure(settings: ServerSettings, token: str) -> None:
    if not token:
        raise CannotStart("the token is empty; give --token-file a file with a token in it")
    has_all = settings.tls_certificate and settings.tls_key and settings.token_file
    if not settings.is_local and not has_all:
        raise CannotStart(
            f"{settings.host} can be reached from other machines; give --tls-cert, --tls-key and "
            "--token-file as well, or listen on 127.0.0.1",
            exit_code=2,
        )


def _bound_port(
    server: grpc.Server, settings: ServerSettings, credentials: grpc.ServerCredentials | None
) -> int:
    address = _joined(settings.host, settings.port)
    try:
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except (RuntimeError, ValueError) as error:
        _LOGGER.debug("cannot listen: %s", error)
        port = 0
    if port == 0:
        raise CannotStart(
            f"cannot listen on {address}; another program may use the port, or the machine has no "
            "such address; choose another --port or --host"
        )
    return port


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
