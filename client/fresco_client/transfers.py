"""Clips to the daemon and results from it, going on where a transfer was broken off."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from fresco.v1 import clips_pb2, frames_pb2

from fresco_client.connection import Connection, RetryBackoff
from fresco_client.errors import (
    Cancelled,
    DaemonUnreachable,
    DataLost,
    FileFailed,
    LimitReached,
    OutOfRange,
    TimedOut,
)
from fresco_client.files import check_free, name_result, part_name
from fresco_client.messages import value_of
from fresco_client.values import ClipSource, ResultInfo

_CHUNK_BYTES = 1024 * 1024
_CHUNK_S = 120.0
_VERIFY_S = 600.0


@dataclass(frozen=True, kw_only=True)
class TransferProgress:
    """How far a transfer is."""

    stage: Literal["reading", "sending", "receiving"]
    """A clip is read once to learn whether the daemon has it, before it is sent."""
    done_bytes: int
    total_bytes: int


OnProgress = Callable[[TransferProgress], None]
"""What it raises breaks the transfer off; it can be taken up again."""


def upload(connection: Connection, path: Path, on_progress: OnProgress | None) -> ClipSource:
    """See `Session.upload`."""
    tell = on_progress or _tell_nobody
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            size = before.st_size
            if size == 0:
                raise FileFailed(path, "The file is empty. Choose another.")
            sha256 = _digest(file, size, tell)
            start = clips_pb2.StartUploadRequest(
                sha256=sha256, size_bytes=size, file_name=_told_name(path)
            )
            _send_unchanged(_Upload(connection, file, start, tell), file, before)
    except OSError as error:
        raise FileFailed.from_os(path, error) from error
    return ClipSource(upload_sha256=sha256)


def _send_unchanged(upload: _Upload, file: BinaryIO, before: os.stat_result) -> None:
    """Send what was announced of a file that was as `before` says.

    Raises:
        DataLost: with a sentence about the file, if it is that which made the bytes others.
    """
    try:
        upload.send()
    except DataLost as error:
        if os.fstat(file.fileno()).st_mtime_ns == before.st_mtime_ns:
            raise
        raise _changed() from error


def _changed() -> DataLost:
    return DataLost(
        "The file changed while it was sent. Wait until nothing writes to it any more, then try "
        "again."
    )


def _told_name(path: Path) -> str:
    """The file's name as the contract carries it: valid UTF-8, and nothing like a folder."""
    name = path.name.encode("utf-8", "replace").decode().replace("\\", "_")
    return name if name.strip(". ") else f"clip{path.suffix}"


class _Upload:
    """One file on its way to the daemon."""

    def __init__(
        self,
        connection: Connection,
        file: BinaryIO,
        start: clips_pb2.StartUploadRequest,
        tell: OnProgress,
    ) -> None:
        self._connection = connection
        self._file = file
        self._start = start
        self._tell = tell
        self._patience = RetryBackoff(connection.patience_s)

    def send(self) -> None:
        while True:
            try:
                return self._send()
            except (DaemonUnreachable, OutOfRange, TimedOut) as error:
                self._patience.pause(error)
                self._connection.renew(may_start=True)

    def _send(self) -> None:
        stand = self._connection.call(self._start, clips_pb2.StartUploadResponse)
        offset = self._start.size_bytes if stand.is_finished else stand.received_bytes
        self._tell_sent(offset)
        if stand.is_finished:
            return
        while offset < self._start.size_bytes:
            offset = self._send_chunk(offset)
            self._patience.reset()
            self._tell_sent(offset)
        finish = clips_pb2.FinishUploadRequest(sha256=self._start.sha256)
        self._connection.call(finish, clips_pb2.FinishUploadResponse, _VERIFY_S)

    def _send_chunk(self, offset: int) -> int:
        # A recording that goes on, or a copy: the rest would be sent in vain, or be part of a clip.
        if os.fstat(self._file.fileno()).st_size != self._start.size_bytes:
            raise _changed()
        self._file.seek(offset)
        data = self._file.read(min(_CHUNK_BYTES, self._start.size_bytes - offset))
        if not data:
            raise _changed()
        chunk = clips_pb2.UploadChunkRequest(sha256=self._start.sha256, offset=offset, data=data)
        answer = self._connection.call(chunk, clips_pb2.UploadChunkResponse, _CHUNK_S)
        return answer.received_bytes

    def _tell_sent(self, done: int) -> None:
        total = self._start.size_bytes
        self._tell(TransferProgress(stage="sending", done_bytes=done, total_bytes=total))


def fetch_result(
    connection: Connection,
    job_id: str,
    path: Path,
    *,
    is_overwriting: bool,
    on_progress: OnProgress | None,
    before_replacing: Callable[[Path], None] | None = None,
) -> ResultInfo:
    """See `Session.fetch_result`."""
    _check_free(path, is_overwriting, before_replacing)
    part = part_name(path, job_id)
    try:
        result = _Download(connection, job_id, part, on_progress or _tell_nobody).receive()
        # Something may have got this name while the result was on its way.
        _check_free(path, is_overwriting, before_replacing)
        name_result(part, path, is_overwriting=is_overwriting)
    except OSError as error:
        raise FileFailed.from_os(path, error) from error
    finally:
        _remove_if_empty(part)
    confirm = frames_pb2.ConfirmResultRequest(job_id=job_id, sha256=result.sha256)
    with suppress(DaemonUnreachable):  # the result is here, which is what matters
        connection.call(confirm, frames_pb2.ConfirmResultResponse)
    return result


def _check_free(
    path: Path, is_overwriting: bool, before_replacing: Callable[[Path], None] | None
) -> None:
    check_free(path, is_overwriting=is_overwriting)
    if before_replacing is not None:
        before_replacing(path)


class _Download:
    """One result on its way here, into a file that keeps what has arrived."""

    def __init__(self, connection: Connection, job_id: str, part: Path, tell: OnProgress) -> None:
        self._connection = connection
        self._job_id = job_id
        self._part = part
        self._tell = tell
        self._patience = RetryBackoff(connection.patience_s)
        self._has_begun_anew = False

    def receive(self) -> ResultInfo:
        while True:
            try:
                return self._receive()
            except (DaemonUnreachable, Cancelled, LimitReached) as error:
                self._patience.pause(error)
                self._connection.renew(may_start=True)
            except (OutOfRange, _WrongBytes) as error:
                self._part.unlink(missing_ok=True)
                if self._has_begun_anew:
                    raise DataLost(
                        "The result arrived damaged, twice. Check this machine's disk and the "
                        "network, then fetch it again."
                    ) from error
                self._has_begun_anew = True

    def _receive(self) -> ResultInfo:
        with self._part.open("ab+") as file:
            file.seek(0)
            digest = hashlib.sha256()
            offset = sum(map(len, _hashed(file, digest)))
            request = frames_pb2.FetchResultRequest(job_id=self._job_id, offset=offset)
            call = self._connection.stream(request, frames_pb2.FetchResultResponse)
            result: ResultInfo | None = None
            try:
                for response in call:
                    if result is None:
                        result = value_of(response.result, ResultInfo)
                    file.write(response.data)
                    digest.update(response.data)
                    offset += len(response.data)
                    self._patience.reset()
                    self._tell_received(offset, result)
            finally:
                call.cancel()
            file.flush()
            os.fsync(file.fileno())
        if result is None or result.size_bytes != offset or result.sha256 != digest.hexdigest():
            raise _WrongBytes
        return result

    def _tell_received(self, done: int, result: ResultInfo) -> None:
        total = result.size_bytes
        self._tell(TransferProgress(stage="receiving", done_bytes=done, total_bytes=total))


class _Digest(Protocol):
    """What hashlib makes."""

    def update(self, data: bytes, /) -> None: ...


class _WrongBytes(Exception):
    """What has arrived is not what the daemon has."""


def _remove_if_empty(part: Path) -> None:
    with suppress(OSError):
        if part.stat().st_size == 0:
            part.unlink()


def _tell_nobody(progress: TransferProgress) -> None:
    """Nobody wants to know."""


def _digest(file: BinaryIO, size: int, tell: OnProgress) -> str:
    digest = hashlib.sha256()
    done = 0
    for data in _hashed(file, digest):
        done += len(data)
        if done > size:  # It may grow faster than it is read, without an end.
            raise _changed()
        tell(TransferProgress(stage="reading", done_bytes=done, total_bytes=size))
    return digest.hexdigest()


def _hashed(file: BinaryIO, digest: _Digest) -> Iterator[bytes]:
    """The rest of a file in chunks, each of which goes into the digest."""
    while data := file.read(_CHUNK_BYTES):
        digest.update(data)
        yield data
