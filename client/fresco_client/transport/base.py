"""What every transport is: calls of the contract's methods over one address.

Errors are those of `fresco_client.errors`, whichever transport met them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from google.protobuf.message import Message

ResponseT = TypeVar("ResponseT", bound=Message)
ItemT_co = TypeVar("ItemT_co", covariant=True)

API_VERSION = (1, 0)
"""Version of the contract this client is made for: major, minor."""

MESSAGE_BYTES = 4 * 1024 * 1024
"""Larger messages are refused in both directions."""

CONNECT_S = 10.0
"""Seconds a connection may take to be made."""

IDLE_S = 10.0
"""Seconds after which a connection without a call is not used again: daemons close such ones after
20, and a call that is just being sent then would be lost."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a daemon is and how to speak to it."""

    address: str
    """HOST:PORT; an IPv6 host in brackets."""
    token: str = ""
    is_secure: bool = False
    certificate: Path | None = None
    """The daemon's own, or its authority's, in PEM; those the system trusts if None."""
    server_name: str | None = None
    """The name the certificate must carry; the address's host if None."""
    keepalive_s: float = 20.0
    """Seconds of silence on a stream after which the daemon is asked whether it is there."""
    keepalive_timeout_s: float = 10.0
    """Seconds it has for the answer."""

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The address's parts.

        Raises:
            ValueError: it is not HOST:PORT.
        """
        host, colon, port = self.address.rpartition(":")
        if not colon or not host or not port.isdigit():
            raise ValueError(f"{self.address!r} is not HOST:PORT")
        return host.removeprefix("[").removesuffix("]"), int(port)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        version = ("fresco-api", "{}.{}".format(*API_VERSION))
        return (version, ("authorization", f"Bearer {self.token}")) if self.token else (version,)


@dataclass(frozen=True)
class Method(Generic[ResponseT]):
    """A method of the contract."""

    path: str
    """As it stands in the HTTP request: /package.Service/Method."""
    response: type[ResponseT]


def method_of(request: type[Message], response: type[ResponseT]) -> Method[ResponseT]:
    """The method with this request, of which every method of the contract has its own.

    Raises:
        LookupError: no method takes the one and gives the other.
    """
    path, answer = _methods_of(request)
    if answer != response.DESCRIPTOR.full_name:
        raise LookupError(f"{path} answers with {answer}")
    return Method(path, response)


@cache
def _methods_of(request: type[Message]) -> tuple[str, str]:
    for service in request.DESCRIPTOR.file.services_by_name.values():
        for method in service.methods:
            if method.input_type.full_name == request.DESCRIPTOR.full_name:
                return f"/{service.full_name}/{method.name}", method.output_type.full_name
    raise LookupError(f"no method takes {request.DESCRIPTOR.full_name}")


class StreamCall(Protocol[ItemT_co]):
    """The answers of one call, as they arrive. One thread iterates; any thread may cancel."""

    def __iter__(self) -> Iterator[ItemT_co]: ...

    def __next__(self) -> ItemT_co:
        """The next answer; ends when the daemon or `cancel` ended the call.

        Raises:
            ClientError: the call failed.
        """
        ...

    def cancel(self) -> None:
        """End the call; iteration, also one that waits in another thread, ends promptly."""
        ...


class Transport(Protocol):
    """Calls of a daemon's methods. Safe to use from several threads."""

    def unary(self, method: Method[ResponseT], request: Message, timeout_s: float) -> ResponseT:
        """The answer to one request.

        Raises:
            ClientError: it could not be sent, was refused or not answered in time.
        """
        ...

    def stream(self, method: Method[ResponseT], request: Message) -> StreamCall[ResponseT]:
        """Start a call that answers many times; without a deadline."""
        ...

    def close(self) -> None:
        """End all calls and connections. Waiting calls raise SessionClosed, streams end."""
        ...
