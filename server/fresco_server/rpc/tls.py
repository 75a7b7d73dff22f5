"""The certificate of the daemon: looked at before gRPC, which would tell each client and not us."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc

from fresco_server.errors import CannotStart
from fresco_server.settings import ServerSettings

_UNFIT = 2
"""Exit code of a daemon whose options do not fit."""


def credentials_of(settings: ServerSettings) -> grpc.ServerCredentials | None:
    """What the server proves itself by; None for one without TLS.

    Raises:
        CannotStart: half of it is given, or clients could not use it.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise CannotStart("--tls-cert and --tls-key belong together; give both", exit_code=_UNFIT)
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, lambda: "")
        _shake_hands(context, certificate)
        pair = (key.read_bytes(), certificate.read_bytes())
    except ssl.SSLCertVerificationError as error:
        raise CannotStart(
            f"every client would refuse the certificate {certificate} ({error.verify_message}); "
            "give one that is valid today, and check this machine's clock",
            exit_code=_UNFIT,
        ) from error
    except (OSError, ValueError) as error:
        raise CannotStart(
            f"the certificate {certificate} cannot be used with the key {key} ({error}); give a "
            "certificate in PEM format and its key, without a password",
            exit_code=_UNFIT,
        ) from error
    return grpc.ssl_server_credentials([pair])


def _shake_hands(server: ssl.SSLContext, certificate: Path) -> None:
    """Let a client that trusts this very certificate look at it.

    Raises:
        ssl.SSLCertVerificationError: it is refused: expired, not valid yet, not for servers.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for end in (*ends, ends[0]):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
