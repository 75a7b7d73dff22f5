"""Clips that are sent to the daemon: addressed by what they hold, resumable, verified."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fresco_engine.errors import DiskFull
from fresco_media.files.disk import free_bytes, is_partial_name, storing
from fresco_media.files.own import OwnFolder, is_real_file
from fresco_media.files.text import sized

from fresco_server.errors import (
    BadRequest,
    DaemonLimitReached,
    PositionOutOfRange,
    UploadDamaged,
    UploadIncomplete,
)
from fresco_server.jobs.folders import ensure_own
from fresco_server.jobs.upload_files import (
    NOTE,
    UNWRITTEN,
    OpenUpload,
    age_s,
    announced,
    check_digest,
    check_name,
    is_finished,
    is_ours,
    is_partial,
    not_found,
    size_of,
    suffix_of,
)
from fresco_server.settings import CHUNK_BYTES, LimitSettings

_LOGGER = logging.getLogger(__name__)
_MOST_OPEN = 256
_RECENT_S = 3600.0
"""So long a finished upload is kept for the job it was sent for, though none needs it yet."""
_STALE_S = 7 * 24 * 3600.0
_SWEEP_EVERY_S = 3600.0
_MOST_UNFINISHED = 1000


@dataclass(frozen=True)
class UploadStatus:
    """How far an upload is."""

    received_bytes: int
    is_finished: bool


class Uploads:
    """The uploads in `folder`, three files at most for each:

        DIGEST.json      the announced size and name
        DIGEST.partial   the bytes so far
        DIGEST.mp4       all bytes, verified, with the ending of the announced name

    Any number of clients may send the same upload; each byte is written once. An upload has all
    the room it announces from its start on: `make_room` is asked for it before anything is
    written, and raises what it has against it. Other files in the folder are left alone.
    Everything that the disk refuses is `DiskFull` or `OutputNotWritable`.
    """

    def __init__(
        self,
        folder: Path,
        limits: LimitSettings,
        make_room: Callable[[int], None] | None = None,
    ) -> None:
        self.folder = folder
        self._own = OwnFolder(folder)
        self._limits = limits
        self._make_room = make_room
        self._reserving = threading.Lock()
        self._promised: list[tuple[str, int]] = []
        self._swept = time.monotonic()
        self._open: OrderedDict[str, OpenUpload] = OrderedDict()
        self._lock = threading.Lock()
        ensure_own(folder)
        with storing(folder):
            self._tidy_up()
        self.sweep()

    def start(self, sha256: str, size_bytes: int, file_name: str) -> UploadStatus:
        """Begin an upload of `size_bytes`, or say how far it is.

        Raises:
            BadRequest: the digest, size or name cannot be one.
            LimitReached: it is larger than is taken.
            DiskFull: the disk has no room for it.
        """
        check_digest(sha256)
        check_name(file_name)
        if size_bytes < 1:
            raise BadRequest("size_bytes", f"{size_bytes} is not the size of a clip")
        if size_bytes > self._limits.upload_bytes:
            raise DaemonLimitReached(
                # As a difference: two sizes that are close read alike.
                f"{sized(size_bytes)} are {sized(size_bytes - self._limits.upload_bytes)} more "
                "than this daemon takes; send a part",
                reason="UPLOAD_TOO_LARGE",
            )
        ensure_own(self.folder)
        with self._reserved(sha256, size_bytes), self._turn(sha256):
            if self._finished(sha256) is not None:
                return UploadStatus(size_bytes, True)
            return self._begin(sha256, size_bytes, file_name)

    @contextmanager
    def _reserved(self, sha256: str, size_bytes: int) -> Iterator[None]:
        """Hold the room that an upload still lacks until it is noted on disk."""
        promise = sha256, size_bytes
        with self._reserving:
            wanted = 0
            if self._finished(sha256) is None:
                known = max(self._announced(sha256), size_of(self._partial(sha256)))
                wanted = max(0, size_bytes - known)
            if wanted:
                self._check_number()
                if self._make_room is not None:
                    self._make_room(wanted)
                self._promised.append(promise)
        try:
            yield
        finally:
            if wanted:
                with self._reserving:
                    self._promised.remove(promise)

    def _announced(self, sha256: str) -> int:
        """The size an upload was announced with, be it noted yet or not."""
        facts = self._facts(sha256)
        noted = 0 if facts is None else facts["size_bytes"]
        return max([noted, *(size for other, size in list(self._promised) if other == sha256)])

    def _check_number(self) -> None:
        if self._unfinished() < _MOST_UNFINISHED:
            return
        self.remove_abandoned()
        if self._unfinished() >= _MOST_UNFINISHED:
            raise DaemonLimitReached(
                f"{_MOST_UNFINISHED} uploads are under way already; try again when some of them "
                "have ended, or in an hour, when those that nobody goes on with are removed",
                reason="TOO_MANY_UPLOADS",
            )

    def _unfinished(self) -> int:
        return sum(1 for _ in self._all_partial())

    def _begin(self, sha256: str, size_bytes: int, file_name: str) -> UploadStatus:
        partial = self._partial(sha256)
        known = self._facts(sha256)
        with storing(partial):
            is_other = known is None or known["size_bytes"] != size_bytes
            if is_other or not self._own.has(partial.name, is_alone=True):
                self._own.remove(partial.name)
        received = size_of(partial)
        missing = size_bytes - received + self._limits.keep_free_bytes
        if missing > free_bytes(self.folder):
            raise DiskFull(self.folder, free_bytes(self.folder))
        facts = {"size_bytes": size_bytes, "file_name": file_name}
        with storing(partial):
            self._own.write(f"{sha256}.json", json.dumps(facts).encode(), is_private=True)
            if not self._own.has(partial.name):
                self._own.write(partial.name, b"", is_private=True)
        return UploadStatus(received, False)

    def chunk(self, sha256: str, offset: int, data: bytes) -> int:
        """Add `data` at `offset`, which is where the upload stands; how far it is then.

        Raises:
            UploadNotFound: it was not started.
            OutOfRange: the upload stands elsewhere.
            BadRequest: `data` is empty, too long, or goes past the announced size.
            DiskFull: the disk is full; nothing of `data` was kept.
        """
        check_digest(sha256)
        if not 1 <= len(data) <= CHUNK_BYTES:
            raise BadRequest("data", f"{len(data)} bytes are not 1 to {CHUNK_BYTES}")
        with self._turn(sha256) as upload:
            finished = self._finished(sha256)
            facts = self._facts(sha256)
            partial = self._partial(sha256)
            received = size_of(finished or partial)
            if finished is None and (facts is None or not self._own.has(partial.name)):
                raise not_found(sha256)
            if offset != received:
                raise PositionOutOfRange(
                    f"the upload stands at {received}, not at {offset}; go on from there"
                )
            if facts is None or received + len(data) > facts["size_bytes"]:
                raise BadRequest("data", "it goes past the announced size; start again with it")
            self._append(partial, received, data)
            upload.hash_on(received, data)
            return received + len(data)

    def _append(self, partial: Path, received: int, data: bytes) -> None:
        if free_bytes(self.folder) < len(data) + self._limits.keep_free_bytes:
            raise DiskFull(partial, free_bytes(self.folder))
        with storing(partial), self._own.open(partial.name, is_written=True) as file:
            try:
                file.seek(received)
                left = memoryview(data)
                while left:
                    left = left[file.write(left) :]
            except OSError:
                # What was written of it must not count as received.
                file.truncate(received)
                raise

    def finish(self, sha256: str) -> None:
        """Verify an upload and make it usable; a finished one stays as it is.

        Raises:
            UploadNotFound: it was not started.
            UploadIncomplete: bytes are missing.
            UploadDamaged: it is something else than was announced, and was thrown away.
        """
        check_digest(sha256)
        with self._turn(sha256) as upload:
            if self._finished(sha256) is not None:
                return
            facts, partial = self._facts(sha256), self._partial(sha256)
            if facts is None or not self._own.has(partial.name):
                raise not_found(sha256)
            received = size_of(partial)
            if received < facts["size_bytes"]:
                raise UploadIncomplete(
                    f"{received} of {facts['size_bytes']} bytes are here; send the others"
                )
            with storing(partial):
                self._verify(sha256, upload)
                self._own.rename(partial.name, self._finished_path(sha256, facts).name)
        _LOGGER.info("upload %s: finished (%d bytes)", sha256, received)

    def _verify(self, sha256: str, upload: OpenUpload) -> None:
        with self._own.open(f"{sha256}.partial", is_written=True) as file:
            upload.hash_rest(file)
            # It is to have its bytes before it has its name, also when the power fails.
            os.fsync(file.fileno())
        if upload.hasher.hexdigest() != sha256:
            self._remove(sha256)
            raise UploadDamaged(
                "the bytes do not have the announced digest and were thrown away; start again"
            )

    def delete(self, sha256: str) -> None:
        """Forget an upload, finished or not.

        Raises:
            UploadNotFound: there is none.
        """
        check_digest(sha256)
        with self._turn(sha256):
            if self._finished(sha256) is None and not self._own.has(f"{sha256}.partial"):
                raise not_found(sha256)
            self._remove(sha256)

    def path_of(self, sha256: str) -> Path:
        """The file of a finished upload.

        Raises:
            BadRequest: the digest is malformed.
            UploadNotFound: no such upload was finished.
        """
        path = self._finished(check_digest(sha256))
        if path is None:
            raise not_found(sha256)
        with suppress(OSError):
            os.utime(path)  # It is needed, and so not the next to be removed.
        return path

    def name_of(self, sha256: str) -> str:
        """What the client called the file."""
        facts = self._facts(check_digest(sha256))
        return sha256 if facts is None else facts["file_name"]

    def disk_bytes(self) -> int:
        """Bytes that all uploads take on disk, finished or not."""
        return sum(map(size_of, self._paths()))

    def outstanding_bytes(self) -> int:
        """Bytes that were announced and may still come."""
        digests = {path.name[:64] for path in self._all_partial()}
        digests.update(sha256 for sha256, _ in list(self._promised))
        return sum(map(self._outstanding, digests))

    def _outstanding(self, sha256: str) -> int:
        if self._finished(sha256) is not None:
            return 0
        return max(0, self._announced(sha256) - size_of(self._partial(sha256)))

    def remove_unused(self, in_use: Collection[str], wanted_bytes: int) -> int:
        """Remove finished uploads that are not `in_use`, those first that were needed longest ago.

        Stops when `wanted_bytes` are free; returns how many bytes that were. Uploads of the last
        hour stay, as the jobs they were sent for may be about to be made.
        """
        freed = self.remove_abandoned()
        for path in self._unused(in_use):
            if freed >= wanted_bytes:
                break
            sha256 = path.name[:64]
            freed += size_of(path)
            _LOGGER.info("upload %s: removed to make room", sha256)
            with self._turn(sha256):
                self._remove(sha256)
        return freed

    def unused_bytes(self, in_use: Collection[str]) -> int:
        """How many bytes `remove_unused` could make free."""
        return sum(size_of(path) for path in self._unused(in_use))

    def _unused(self, in_use: Collection[str]) -> list[Path]:
        paths = sorted(self._all_finished(), key=age_s, reverse=True)
        return [p for p in paths if p.name[:64] not in in_use and age_s(p) >= _RECENT_S]

    def remove_abandoned(self) -> int:
        """Remove what nobody has gone on sending for an hour; how many bytes that makes free."""
        return self.sweep(_RECENT_S)

    def sweep(self, older_than_s: float = _STALE_S) -> int:
        """Remove what nobody went on sending for that long; how many bytes it had or would get."""
        freed = 0
        self._swept = time.monotonic()
        for path in list(self._all_partial()):
            # One that is being finished keeps its turn for long; it is not old.
            if age_s(path) <= older_than_s:
                continue
            sha256 = path.name[:64]
            with self._turn(sha256):
                if self._own.has(path.name) and age_s(path) > older_than_s:
                    _LOGGER.info("upload %s: removed, as nobody went on sending it", sha256)
                    freed += size_of(path) + self._outstanding(sha256)
                    self._remove(sha256)
        return freed

    def sweep_now_and_then(self) -> None:
        """Sweep, if that was an hour ago."""
        if time.monotonic() > self._swept + _SWEEP_EVERY_S:
            self.sweep()

    def _tidy_up(self) -> None:
        """Remove what a killed daemon left: notes being written, and those of no upload."""
        paths = [path for path in self._paths() if is_real_file(path)]
        known = {path.name[:64] for path in paths if is_partial(path) or is_finished(path)}
        for path in paths:
            is_lonely = NOTE.fullmatch(path.name) and path.name[:64] not in known
            if is_lonely or UNWRITTEN.fullmatch(path.name) or is_partial_name(path.name):
                self._own.remove(path.name)

    @contextmanager
    def _turn(self, sha256: str) -> Iterator[OpenUpload]:
        """The upload, for one thread at a time."""
        with self._lock:
            upload = self._open.setdefault(sha256, OpenUpload())
            self._open.move_to_end(sha256)
            upload.users += 1
        try:
            with upload.lock:
                yield upload
        finally:
            with self._lock:
                upload.users -= 1
                self._close_oldest()

    def _close_oldest(self) -> None:
        """Forget uploads nobody goes on with; their hashes can be made again from the disk."""
        for sha256, upload in list(self._open.items()):
            if len(self._open) <= _MOST_OPEN:
                return
            if not upload.users:
                del self._open[sha256]

    def _finished(self, sha256: str) -> Path | None:
        facts = self._facts(sha256)
        if facts is None:  # Looking for it takes longer the more uploads there are.
            found = (path for path in self._paths() if path.name.startswith(sha256))
            return next((path for path in found if is_finished(path)), None)
        path = self._finished_path(sha256, facts)
        return path if self._own.has(path.name) else None

    def _finished_path(self, sha256: str, facts: dict[str, Any]) -> Path:
        return self.folder / f"{sha256}{suffix_of(facts['file_name'])}"

    def _all_finished(self) -> list[Path]:
        return [path for path in self._paths() if is_finished(path)]

    def _all_partial(self) -> Iterator[Path]:
        return (path for path in self._paths() if is_partial(path))

    def _partial(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.partial"

    def _paths(self) -> list[Path]:
        """What is in the folder; nothing while it is gone or another one's."""
        try:
            return [self.folder / name for name in self._own.names()]
        except OSError:
            return []

    def _facts(self, sha256: str) -> dict[str, Any] | None:
        """What was announced."""
        return announced(self._own, sha256)

    def _remove(self, sha256: str) -> None:
        with storing(self.folder):
            for path in self._paths():
                if is_ours(path) and path.name.startswith(sha256):
                    self._own.remove(path.name)
