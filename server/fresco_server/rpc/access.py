"""Who may call: every call carries the token, and a version of the contract that fits."""

from __future__ import annotations

import hmac
import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

import grpc

from fresco_server.rpc.status import CallStatus
from fresco_server.rpc.version import API_MAJOR, API_MINOR

_LOGGER = logging.getLogger(__name__)
TOKEN_KEY = "authorization"
API_KEY = "fresco-api"
_SCHEME = "bearer "
_LOG_S = 1.0
_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})", re.ASCII)


class AccessInterceptor(grpc.ServerInterceptor):
    """Answers calls without the token with UNAUTHENTICATED before anything of them is read."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._refusals = _Refusals()

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Any],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The method's handler, or one that refuses."""
        refusal = self._refusal(handler_call_details)
        if refusal is None:
            return continuation(handler_call_details)
        self._refusals.note(str(handler_call_details.method), refusal.reason)
        return _refusing(refusal)

    def _refusal(self, details: grpc.HandlerCallDetails) -> CallStatus | None:
        metadata = [(key, _as_text(value)) for key, value in details.invocation_metadata or ()]
        tokens = [value for key, value in metadata if key == TOKEN_KEY]
        if not tokens:
            return _unauthenticated("the call carries no token")
        if len(tokens) > 1 or not self._is_right(tokens[0]):
            return _unauthenticated("the call's token is not the daemon's")
        return version_refusal([value for key, value in metadata if key == API_KEY])

    def _is_right(self, value: str) -> bool:
        has_scheme = value[: len(_SCHEME)].lower() == _SCHEME
        given = value[len(_SCHEME) :].strip().encode("utf-8", "replace")
        return hmac.compare_digest(given, self._token) and has_scheme


class _Refusals:
    """Log lines about refused calls: one a second, lest somebody washes away the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = -_LOG_S
        self._unsaid = 0

    def note(self, method: str, reason: str) -> None:
        """Log it, or count it for the next line."""
        with self._lock:
            if time.monotonic() - self._last < _LOG_S:
                self._unsaid += 1
                return
            more = f", and {self._unsaid} more since the last line" if self._unsaid else ""
            self._last, self._unsaid = time.monotonic(), 0
        _LOGGER.info("%s refused: %s%s", method[:200], reason, more)


def _as_text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _unauthenticated(what: str) -> CallStatus:
    return CallStatus(
        grpc.StatusCode.UNAUTHENTICATED,
        "UNAUTHENTICATED",
        f"{what}; send the metadata 'authorization: Bearer TOKEN' with the token from the "
        "daemon's data folder or token file",
    )


def version_refusal(values: list[str]) -> CallStatus | None:
    """Why a client made for these versions of the contract cannot be served; None if it can."""
    ours = f"{API_MAJOR}.{API_MINOR}"
    for value in values:
        match = _VERSION.fullmatch(value.strip())
        if match is None:
            return _unfit(f"{API_KEY} is not MAJOR.MINOR, such as {ours}; update the client")
        major, minor = int(match[1]), int(match[2])
        if (major, minor) > (API_MAJOR, API_MINOR):
            return _unfit(
                f"the client needs version {major}.{minor} of the contract and the daemon has "
                f"{ours}; update the daemon"
            )
        if major < API_MAJOR:
            return _unfit(
                f"the client was made for version {major}.{minor} of the contract and the daemon "
                f"has {ours}; update the client"
            )
    return None


def _unfit(sentence: str) -> CallStatus:
    return CallStatus(grpc.StatusCode.FAILED_PRECONDITION, "VERSION_MISMATCH", sentence)


def _refusing(status: CallStatus) -> Any:
    def refuse(_: Any, context: grpc.ServicerContext) -> NoReturn:
        context.set_trailing_metadata(status.metadata)
        context.abort(status.code, status.message)

    # As a handler of streamed requests it waits for no message. Clients cannot tell.
    return grpc.stream_unary_rpc_method_handler(refuse)
