"""How calls are answered: a message is read, a servicer asked, and each error made a status."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from fresco_server.errors import BadRequest
from fresco_server.rpc.limits import HEALTH_WATCHES, LONG_UNARY, StreamSlots, is_health
from fresco_server.rpc.pending_calls import PendingCalls
from fresco_server.rpc.status import CallStatus, short, status_of

_LOGGER = logging.getLogger(__name__)
_OWN_SERVICES = "/fresco."

Handler = Any  # grpc.RpcMethodHandler, whose attributes are not declared
Continuation = Callable[[grpc.HandlerCallDetails], Handler]


class AnsweringInterceptor(grpc.ServerInterceptor):
    """Makes a documented status of every error, and one logged sentence of every other.

    It also reads the messages, as gRPC itself answers bytes that are none with INTERNAL, and lets
    long calls take a place among the streams. `touched` is called for every call of our services;
    `health` answers nothing but health checks.
    """

    def __init__(
        self,
        slots: StreamSlots,
        touched: Callable[[], None],
        pending_calls: PendingCalls,
        health: tuple[ThreadPoolExecutor, PendingCalls],
    ) -> None:
        self._slots = slots
        self._touched = touched
        self._pending_calls = pending_calls
        self._health_threads, self._pending_health_calls = health
        self._health_slots = StreamSlots(HEALTH_WATCHES)

    def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler:
        """The method's handler with errors turned into statuses; None for an unknown method."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        call = self._call(str(handler_call_details.method), handler)
        # As handlers of streamed requests these are called before there is a message, so that
        # waiting for it is ours, and can be given up.
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                call.stream, response_serializer=handler.response_serializer
            )
        answer = partial(call.answer)
        if is_health(call.method):
            # Where grpc does not know this attribute, health shares the other threads.
            answer.experimental_thread_pool = self._health_threads  # type: ignore[attr-defined]
        return grpc.stream_unary_rpc_method_handler(
            answer, response_serializer=handler.response_serializer
        )

    def _call(self, method: str, handler: Handler) -> _Call:
        is_own = method.startswith(_OWN_SERVICES)
        is_long = handler.response_streaming or method in LONG_UNARY
        slots = self._health_slots if is_health(method) else self._slots
        return _Call(
            method=method,
            handler=handler,
            begun=self._touched if is_own else _uncounted,
            slot=slots.taken if is_long else nullcontext,
            pending_calls=self._pending_health_calls if is_health(method) else self._pending_calls,
        )


def _uncounted() -> None:
    """Health checks and reflection do not keep an idle daemon alive."""


@dataclass(frozen=True, kw_only=True)
class _Call:
    """A method as gRPC calls it here: with requests that are bytes still."""

    method: str
    handler: Handler
    begun: Callable[[], None]
    slot: Callable[[], AbstractContextManager[None]]
    pending_calls: PendingCalls

    def answer(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Any:
        """The one answer."""
        note = _Note(self.method)
        try:
            request = self._request(requests, note, context)
            with self.slot():
                return self._behaviour()(request, context)
        except grpc.RpcError:  # The client has gone.
            raise
        except Exception as error:  # noqa: BLE001 - it is logged and becomes a status
            _fail(error, note, context)

    def stream(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
        """The answers; what making them holds open is let go of when the client has gone."""
        note = _Note(self.method)
        try:
            request = self._request(requests, note, context)
            with self.slot():
                yield from self._behaviour()(request, context)
        except grpc.RpcError:
            raise
        except Exception as error:  # noqa: BLE001
            _fail(error, note, context)

    def _behaviour(self) -> Callable[[Any, grpc.ServicerContext], Any]:
        handler = self.handler
        return (
            handler.unary_unary
            or handler.unary_stream
            or handler.stream_unary
            or handler.stream_stream
        )

    def _request(
        self, requests: Iterator[bytes], note: _Note, context: grpc.ServicerContext
    ) -> Any:
        """The message, or the messages where the method takes several.

        Raises:
            BadRequest: there is none, none in time, or its bytes are not such a message.
        """
        self.begun()
        messages = self._awaited(requests, context)
        if self.handler.request_streaming:
            return map(self._parsed, messages)
        data = next(messages, None)
        if data is None:
            raise BadRequest("request", "the call ended without a message; send one")
        request = self._parsed(data)
        note.of(request)
        return request

    def _awaited(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """The messages, each of which must come in time."""
        while True:
            with self.pending_calls.waiting(context):
                data = next(requests, None)
            if data is None:
                return
            yield data

    def _parsed(self, data: bytes) -> Any:
        try:
            return self.handler.request_deserializer(data)
        except (DecodeError, ValueError) as error:
            raise BadRequest(
                "request", "its bytes are not this call's message; update the client"
            ) from error


class _Note:
    """A call as log lines name it: the method and, once it is known, the job."""

    def __init__(self, method: str) -> None:
        self._text = method

    def of(self, request: Any) -> None:
        """Learn what the call concerns."""
        job_id = getattr(request, "job_id", "")
        if job_id:
            self._text += f" job {job_id[:64]!r}"
        _LOGGER.debug("%s", self)

    def __str__(self) -> str:
        return self._text


def _fail(error: Exception, note: _Note, context: grpc.ServicerContext) -> None:
    """End the call with the status of `error`."""
    code: Any = getattr(context, "code", None)  # Not among the context's declared methods.
    if code is not None and code() is not None:  # The servicer has set a status itself.
        raise error
    status = status_of(error)
    if status is None:
        status = _unexpected(error, note)
    else:
        _LOGGER.info("%s refused: %s: %s", note, status.reason, status.message)
    context.set_trailing_metadata(status.metadata)
    context.abort(status.code, status.message)


def _unexpected(error: Exception, note: _Note) -> CallStatus:
    error_id = secrets.token_hex(4)
    _LOGGER.error("%s failed, error %s", note, error_id, exc_info=error)
    return CallStatus(
        grpc.StatusCode.INTERNAL,
        "INTERNAL",
        short(
            f"something went wrong in the daemon; its log says more under error {error_id}, "
            "please send it with a report"
        ),
    )
