"""The first call of every session: who is there, and do we understand each other?"""

from __future__ import annotations

from fresco.v1 import server_pb2

from fresco_client.errors import NotPossibleNow, VersionMismatch
from fresco_client.messages import value_of
from fresco_client.server_info import ServerInfo
from fresco_client.transport.base import API_VERSION, Transport, method_of

GET_SERVER = method_of(server_pb2.GetServerRequest, server_pb2.GetServerResponse)


def greet(transport: Transport, timeout_s: float) -> ServerInfo:
    """What the daemon at the other end is.

    Raises:
        VersionMismatch: it speaks another version of the contract.
        ClientError: it cannot be reached or does not let us in.
    """
    try:
        response = transport.unary(GET_SERVER, server_pb2.GetServerRequest(), timeout_s)
    except NotPossibleNow as error:
        raise VersionMismatch(error.message) from error
    check_version(response.version, response.api_major, response.api_minor)
    return value_of(response, ServerInfo)


def check_version(program: str, major: int, minor: int) -> None:
    """Whether a daemon with this version of the contract fits this client.

    Raises:
        VersionMismatch: it does not; says which side to update.
    """
    ours_major, ours_minor = API_VERSION
    if major == ours_major and minor >= ours_minor:
        return
    is_older = (major, minor) < API_VERSION
    remedy = "Update Fresco and start its daemon again" if is_older else "Update this program"
    raise VersionMismatch(
        f"The Fresco daemon (version {program}) speaks version {major}.{minor} of the contract, "
        f"this program version {ours_major}.{ours_minor}. {remedy}."
    )
