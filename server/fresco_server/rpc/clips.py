"""ClipService."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import grpc
from fresco.v1 import clips_pb2, clips_pb2_grpc

from fresco_server.errors import NotPossible
from fresco_server.rpc.messages.basics import message_of
from fresco_server.rpc.order_builder import OrderBuilder

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs

_LOGGER = logging.getLogger(__name__)


class ClipServicer(clips_pb2_grpc.ClipServiceServicer):
    """Clips that the daemon can read, and clips that are sent to it."""

    def __init__(self, jobs: Jobs, order_builder: OrderBuilder) -> None:
        self._jobs = jobs
        self._uploads = jobs.uploads
        self._order_builder = order_builder

    def DescribeClip(  # noqa: N802
        self, request: clips_pb2.DescribeClipRequest, context: grpc.ServicerContext
    ) -> clips_pb2.DescribeClipResponse:
        """What is known of a clip."""
        _, found = self._order_builder.described(request.clip, context.is_active)
        return message_of({"info": found.info}, clips_pb2.DescribeClipResponse)

    def StartUpload(  # noqa: N802
        self, request: clips_pb2.StartUploadRequest, context: grpc.ServicerContext
    ) -> clips_pb2.StartUploadResponse:
        """Begins an upload, or says how far it is."""
        stand = self._uploads.start(request.sha256, request.size_bytes, request.file_name)
        return clips_pb2.StartUploadResponse(
            received_bytes=stand.received_bytes, is_finished=stand.is_finished
        )

    def UploadChunk(  # noqa: N802
        self, request: clips_pb2.UploadChunkRequest, context: grpc.ServicerContext
    ) -> clips_pb2.UploadChunkResponse:
        """Adds the next bytes of an upload."""
        received = self._uploads.chunk(request.sha256, request.offset, request.data)
        return clips_pb2.UploadChunkResponse(received_bytes=received)

    def FinishUpload(  # noqa: N802
        self, request: clips_pb2.FinishUploadRequest, context: grpc.ServicerContext
    ) -> clips_pb2.FinishUploadResponse:
        """Verifies an upload and makes it usable."""
        self._uploads.finish(request.sha256)
        return clips_pb2.FinishUploadResponse()

    def DeleteUpload(  # noqa: N802
        self, request: clips_pb2.DeleteUploadRequest, context: grpc.ServicerContext
    ) -> clips_pb2.DeleteUploadResponse:
        """Forgets an upload, finished or not."""
        if request.sha256 in self._jobs.uploads_in_use():
            raise NotPossible("a job that may still run needs this upload; delete the job first")
        self._uploads.delete(request.sha256)
        _LOGGER.info("upload %s: deleted", request.sha256)
        return clips_pb2.DeleteUploadResponse()
