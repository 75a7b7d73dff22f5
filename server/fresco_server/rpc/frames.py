"""FrameService."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import grpc
from fresco.v1 import frames_pb2, frames_pb2_grpc
from fresco_client.values import JobState, ResultInfo
from fresco_engine.checkpoint import Kind
from fresco_media.files.own import OwnFolder

from fresco_server.errors import ArtefactLost, BadRequest, NotPossible, PositionOutOfRange
from fresco_server.jobs.path_policy import check_job_id
from fresco_server.rpc.messages.jobs import result_message
from fresco_server.rpc.pictures import Pictures, picture_format_of
from fresco_server.settings import CHUNK_BYTES

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs

_LOGGER = logging.getLogger(__name__)
_KINDS: dict[int, Kind] = {
    frames_pb2.FRAME_KIND_KEYFRAME: "keyframes",
    frames_pb2.FRAME_KIND_RESULT: "frames",
}


class FrameServicer(frames_pb2_grpc.FrameServiceServicer):
    """What jobs have made."""

    def __init__(self, jobs: Jobs, pictures: Pictures) -> None:
        self._jobs = jobs
        self._pictures = pictures

    def FetchFrame(  # noqa: N802
        self, request: frames_pb2.FetchFrameRequest, context: grpc.ServicerContext
    ) -> Iterator[frames_pb2.FetchFrameResponse]:
        """Streams one picture of a job in chunks."""
        job = self._jobs.get(check_job_id(request.job_id))
        if request.kind not in _KINDS:
            raise BadRequest("kind", "it is neither a keyframe nor a frame of the result")
        folder, picture_format = self._jobs.folder(job.id), picture_format_of(request.options)
        picture = self._pictures.stored(folder, _KINDS[request.kind], request.index, picture_format)
        for chunk in picture.chunks():
            yield frames_pb2.FetchFrameResponse(chunk=chunk)

    def FetchResult(  # noqa: N802
        self, request: frames_pb2.FetchResultRequest, context: grpc.ServicerContext
    ) -> Iterator[frames_pb2.FetchResultResponse]:
        """Streams a job's result file in chunks, from any byte on."""
        job = self._jobs.get(check_job_id(request.job_id))
        if job.state is not JobState.DONE or job.result is None:
            raise NotPossible(f"job {job.id!r} is {job.state.value}; its result is not there yet")
        if not job.result.file_name:
            raise NotPossible(f"job {job.id!r} has frames for a result; fetch them one by one")
        if not 0 <= request.offset <= job.result.size_bytes:
            raise PositionOutOfRange(
                f"the offset {request.offset} is outside 0 to {job.result.size_bytes}, the file's "
                "size"
            )
        path = self._jobs.folder(job.id) / job.result.file_name
        first = frames_pb2.FetchResultResponse(
            result=result_message(job.result, is_fetched=job.is_fetched), offset=request.offset
        )
        yield from _file_in_chunks(path, job.result, first)

    def ConfirmResult(  # noqa: N802
        self, request: frames_pb2.ConfirmResultRequest, context: grpc.ServicerContext
    ) -> frames_pb2.ConfirmResultResponse:
        """Tells that a client has the result safely."""
        self._jobs.confirm(check_job_id(request.job_id), request.sha256)
        _LOGGER.info("job %s: its result was fetched", request.job_id)
        return frames_pb2.ConfirmResultResponse()


def _file_in_chunks(
    path: Path, result: ResultInfo, first: frames_pb2.FetchResultResponse
) -> Iterator[frames_pb2.FetchResultResponse]:
    """`first` with the first bytes in it, then the rest of the file.

    Raises:
        ArtefactLost: the file is gone or has another size.
    """
    with _opened(path, result) as file:
        answer = first
        while True:
            answer.data = _read(file, answer.offset, path)
            position = answer.offset + len(answer.data)
            if not answer.data and position < result.size_bytes:
                raise _lost(path)
            yield answer
            if position >= result.size_bytes:
                return
            answer = frames_pb2.FetchResultResponse(offset=position)


def _opened(path: Path, result: ResultInfo) -> BinaryIO:
    """The result's own file: what was put in its place, such as a link, is not read."""
    try:
        file = OwnFolder(path.parent).open(path.name)
    except OSError as error:
        raise _lost(path) from error
    if os.fstat(file.fileno()).st_size != result.size_bytes:
        file.close()
        raise _lost(path)
    return file


def _read(file: BinaryIO, offset: int, path: Path) -> bytes:
    try:
        file.seek(offset)
        return file.read(CHUNK_BYTES)
    except OSError as error:
        raise _lost(path) from error


def _lost(path: Path) -> ArtefactLost:
    return ArtefactLost(
        f"{path.name}: the file is no longer whole on the daemon's disk; make the job again"
    )
