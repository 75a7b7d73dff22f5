"""Whether a file still is the one that was looked at, whatever its name leads to by now."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fresco_media.errors import ClipChanged, FileChanged
from fresco_media.files.opening import open_file

_BLOCK_BYTES = 16 << 10
_BLOCKS = 64
_BLOCKS_OF_MANY = 4
"""How much is looked at of a file that is one of a sequence."""
_BLOCKS_OF_PICTURES = 4096
"""Painted pictures are looked at as a whole: a stroke may lie between any two samples."""
_HEAD_BYTES = 4 << 10
"""What recorders write anew when a recording ends; of large files it does not count."""


class KnownFile:
    """A file as it was when this was made.

    Its size and times tell at no cost that nothing has happened. Where they are others, samples of
    what it holds decide: a file may be touched, copied back, or grow as a recording does, and some
    network drives number the same file anew each time.

    `stamps` are those of `stamps_of`, `blocks` is how many samples are taken.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, blocks: int = _BLOCKS) -> None:
        with open_file(path) as file:
            self._take(path, file, blocks)

    @classmethod
    def of(cls, path: Path, file: BinaryIO) -> KnownFile:
        """One of many, `file`, which is open; where that is read from does not change."""
        known, position = cls.__new__(cls), file.tell()
        known._take(path, file, _BLOCKS_OF_MANY)
        file.seek(position)
        return known

    def _take(self, path: Path, file: BinaryIO, blocks: int) -> None:
        facts = os.fstat(file.fileno())
        self.path, self.stamps = path, stamps_of(facts)
        self.blocks = blocks
        self.size = facts.st_size
        self.sample = _sample(file, self.size, blocks)

    def check(self) -> None:
        """Insist on the file being what it was.

        Raises:
            ClipChanged: it was replaced, overwritten or cut off.
            OSError: it is gone, or may not be read any more.
        """
        stamps = stamps_of(os.stat(self.path))
        if stamps == self.stamps:
            return
        if self.sample_of(self.size) != self.sample:
            raise ClipChanged(self.path)
        self.stamps = stamps

    def sample_of(self, size: int) -> str:
        """A digest of samples of its first `size` bytes as they are now; empty if it has fewer."""
        return sample_of(self.path, size, self.blocks)


@dataclass(frozen=True, kw_only=True)
class ClipState:
    """What is kept of a clip's files, to tell later and elsewhere whether they are the same.

    `size_bytes` is that of all of them.
    """

    file_count: int
    size_bytes: int
    sample: str

    @staticmethod
    def of(files: Sequence[KnownFile]) -> ClipState:
        """The state of these files, in their order."""
        return ClipState(
            file_count=len(files),
            size_bytes=sum(file.size for file in files),
            sample=files[0].sample if len(files) == 1 else _joined(files),
        )

    def is_continued_by(self, files: Sequence[KnownFile]) -> bool:
        """Whether `files` are these still; there may be more of them, or more in the only one."""
        if len(files) < self.file_count:
            return False
        if self.file_count == 1:
            return files[0].sample_of(self.size_bytes) == self.sample
        return ClipState.of(files[: self.file_count]) == self


@dataclass(frozen=True, kw_only=True)
class FileState:
    """What is kept of any other file that work needs; `field` is the setting that names it."""

    path: str
    size_bytes: int
    sample: str
    field: str = ""

    @staticmethod
    def of(path: Path | str, field: str = "") -> FileState:
        """The state of a file now.

        Raises:
            OSError: it cannot be opened.
        """
        known = KnownFile(Path(path), _BLOCKS_OF_PICTURES)
        return FileState(path=str(path), size_bytes=known.size, sample=known.sample, field=field)

    def check(self) -> None:
        """Insist on the file being what it was.

        Raises:
            FileChanged: it was replaced, overwritten or cut off, or is gone.
        """
        try:
            is_same = FileState.of(self.path, self.field) == self
        except OSError as error:
            raise self._changed(is_gone=True) from error
        if not is_same:
            raise self._changed(is_gone=False)

    def _changed(self, *, is_gone: bool) -> FileChanged:
        error = FileChanged(self.path, is_gone=is_gone)
        error.field = self.field
        return error


def states_of(files: Iterable[tuple[str, Path]]) -> tuple[FileState, ...]:
    """The states of files, each after the setting that names it; what cannot be read has none.

    What is wrong with that is told when it is needed.
    """
    found: list[FileState] = []
    for field, path in files:
        with suppress(OSError):
            found.append(FileState.of(path, field))
    return tuple(found)


def sample_of(path: Path, size: int, blocks: int) -> str:
    """As `KnownFile.sample_of`, of a file whose `blocks` are looked at.

    Raises:
        OSError: it cannot be opened.
    """
    with open_file(path) as file:
        is_shorter = os.fstat(file.fileno()).st_size < size
        return "" if is_shorter else _sample(file, size, blocks)


def _joined(files: Sequence[KnownFile]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.size} {file.sample}\n".encode())
    return digest.hexdigest()


def stamps_of(facts: os.stat_result) -> tuple[int, int, int]:
    """What changes with every writing, also with one that puts the time of the last one back."""
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _sample(file: BinaryIO, size: int, blocks: int) -> str:
    """A digest of `blocks` blocks all over the first `size` bytes; of few bytes, of all."""
    digest = hashlib.sha256()
    first, last = _HEAD_BYTES, size - _BLOCK_BYTES
    if size <= blocks * _BLOCK_BYTES:
        first, last, blocks = 0, max(0, size - _BLOCK_BYTES), -(-size // _BLOCK_BYTES)
    for number in range(blocks):
        start = first + (last - first) * number // max(1, blocks - 1)
        file.seek(start)
        digest.update(file.read(min(_BLOCK_BYTES, size - start)))
    return digest.hexdigest()
