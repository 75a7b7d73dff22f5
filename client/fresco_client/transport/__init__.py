"""Two ways to carry calls that behave alike: grpcio, and one of Python alone for hosts."""

from __future__ import annotations

import importlib.util
from typing import Literal

from fresco_client.errors import NotAuthorised
from fresco_client.transport.base import Endpoint, Transport

TransportKind = Literal["grpcio", "pure"]


def open_transport(endpoint: Endpoint, kind: TransportKind | None = None) -> Transport:
    """A transport to this endpoint; nothing is sent yet. None: grpcio if it is installed.

    Raises:
        NotAuthorised: the token has characters that no token has.
        FileFailed: the certificate cannot be read.
        ValueError: the address is not HOST:PORT.
    """
    if not endpoint.token.isascii() or not endpoint.token.isprintable():
        raise NotAuthorised(endpoint.address, "it has characters that no token has")
    if kind is None:
        kind = "grpcio" if importlib.util.find_spec("grpc") else "pure"
    if kind == "grpcio":
        from fresco_client.transport.grpcio import GrpcioTransport

        return GrpcioTransport(endpoint)
    from fresco_client.transport.pure import PureTransport

    return PureTransport(endpoint)
