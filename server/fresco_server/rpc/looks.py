"""LookService."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import grpc
from fresco.v1 import looks_pb2, looks_pb2_grpc

from fresco_server.errors import ShuttingDown
from fresco_server.jobs.looks import LookStepDone
from fresco_server.rpc.order_builder import OrderBuilder
from fresco_server.rpc.pictures import Pictures, picture_format_of

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs


class LookServicer(looks_pb2_grpc.LookServiceServicer):
    """Trying a look on one frame."""

    def __init__(self, jobs: Jobs, order_builder: OrderBuilder, pictures: Pictures) -> None:
        self._jobs = jobs
        self._order_builder = order_builder
        self._pictures = pictures

    def Look(  # noqa: N802
        self, request: looks_pb2.LookRequest, context: grpc.ServicerContext
    ) -> Iterator[looks_pb2.LookResponse]:
        """Restyles one frame of a clip now."""
        if self._jobs.is_closing:
            raise ShuttingDown
        picture_format = picture_format_of(request.options)
        order = self._order_builder.look(request, context.is_active)
        with closing(self._jobs.look(order)) as look:
            # Its parts are waited for; a client that goes away is what ends the wait.
            if not context.add_callback(look.cancel):
                return
            for part in look.parts():
                if isinstance(part, LookStepDone):
                    progress = looks_pb2.LookProgress(done=part.done, total=part.total)
                    yield looks_pb2.LookResponse(progress=progress)
                else:
                    picture, region = self._pictures.in_file(part.path, picture_format)
                    for chunk in picture.chunks():
                        yield looks_pb2.LookResponse(chunk=chunk)
                    for chunk in region.chunks() if region else ():
                        yield looks_pb2.LookResponse(region_chunk=chunk)
