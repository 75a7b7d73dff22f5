"""A checkpoint on a machine that makes one part of a run: what it stores is handed on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from fresco_engine.checkpoint.folder import FolderCheckpoint, write_file
from fresco_engine.checkpoint.reader import (
    ADJUSTMENTS,
    ALL_KINDS,
    BATCHES,
    INVERSIONS,
    PLAN,
    CheckpointReader,
    batch_name,
    picture_name,
)

File = tuple[str, bytes]
"""A name within the folder of a checkpoint, and what is in the file."""

_NAME = re.compile(
    rf"{re.escape(PLAN)}|{re.escape(ADJUSTMENTS)}"
    rf"|({BATCHES}/[0-9]{{6,10}}|{INVERSIONS}/[0-9a-f]{{1,128}})\.safetensors"
    rf"|({'|'.join(ALL_KINDS)})/[0-9]{{6,10}}\.png"
)


class ScratchCheckpoint(FolderCheckpoint):
    """A checkpoint that begins with `files` and remembers what is stored in it."""

    def __init__(self, folder: Path, files: Iterable[File] = ()) -> None:
        super().__init__(folder)
        self._stored: list[File] = []
        for name, data in files:
            store_file(self, name, data)

    def taken(self) -> Iterator[File]:
        """What was stored since this was last asked."""
        stored, self._stored = self._stored, []
        return iter(stored)

    def _write(self, name: str, data: bytes) -> None:
        super()._write(name, data)
        self._stored.append((name, data))


def store_file(checkpoint: FolderCheckpoint, name: str, data: bytes) -> None:
    """Put a file that was made elsewhere into a checkpoint, as it is.

    Raises:
        ValueError: no checkpoint has a file of that name.
        DiskFull, OutputNotWritable: it cannot be stored.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r:.100} is no file of a checkpoint")
    write_file(checkpoint.own, name, data)


def files_of_batch(
    checkpoint: CheckpointReader, records: Iterable[int], keyframes: Iterable[int]
) -> Iterator[File]:
    """Records of batches by their keys, and of keyframes what is stored."""
    names = [batch_name(key) for key in records]
    names += [picture_name(kind, key) for key in keyframes for kind in ("keyframes", "regions")]
    return _files(checkpoint, names)


def files_of_span(checkpoint: CheckpointReader, keyframes: Iterable[int]) -> Iterator[File]:
    """The pictures of keyframes."""
    return _files(checkpoint, [picture_name("keyframes", key) for key in keyframes])


def _files(checkpoint: CheckpointReader, names: Iterable[str]) -> Iterator[File]:
    for name in (PLAN, ADJUSTMENTS, *names):
        data = checkpoint.content(name)
        if data is not None:
            yield name, data
