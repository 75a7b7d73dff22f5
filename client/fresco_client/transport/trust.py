"""The certificates that a daemon elsewhere is known by."""

from __future__ import annotations

import ssl

from fresco_client.errors import FileFailed
from fresco_client.transport.base import Endpoint

_MOST_BYTES = 1 << 20


def certificates_of(endpoint: Endpoint) -> bytes | None:
    """The certificates in the endpoint's file, in PEM; None for those that the system trusts.

    They are looked at here: gRPC writes what is wrong with them to the terminal and calls the
    daemon unreachable.

    Raises:
        FileFailed: the file cannot be read, or holds none.
    """
    path = endpoint.certificate
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
    except OSError as error:
        raise FileFailed.from_os(path, error) from error
    try:
        text = content.decode("utf-8", "replace")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise FileFailed(
            path,
            "it holds no certificate in PEM format. Give the daemon's own, or its authority's.",
        ) from error
    return content
