"""Finding a clip again that was moved or renamed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_PIECE = 1 << 18
_FILES_LIMIT = 5000


def fingerprint_of(path: Path) -> str:
    """What tells a clip from others without reading all of it; empty if it cannot be read.

    A folder of pictures has the fingerprint of its first one.
    """
    try:
        if path.is_dir():
            first = min((file for file in path.iterdir() if file.is_file()), default=None)
            return fingerprint_of(first) if first else ""
        if not path.is_file():  # A pipe would be waited at for ever.
            return ""
        size = path.stat().st_size
        digest = hashlib.sha256(str(size).encode())
        with path.open("rb") as file:
            digest.update(file.read(_PIECE))
            file.seek(max(size - _PIECE, 0))
            digest.update(file.read(_PIECE))
    except OSError:
        return ""
    return f"{size}:{digest.hexdigest()[:32]}"


def find_moved(clip: Path, fingerprint: str, folders: Iterable[Path]) -> Path | None:
    """The clip in one of these folders or one level below, by name or by what it holds."""
    wanted_size = fingerprint.partition(":")[0]
    for file in _files(folders):
        is_candidate = file.name == clip.name or _size(file) == wanted_size
        if is_candidate and fingerprint and fingerprint_of(file) == fingerprint:
            return file
    return None


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    seen = 0
    for folder in dict.fromkeys(folders):
        for pattern in ("*", "*/*"):
            try:
                for file in folder.glob(pattern):
                    seen += 1
                    if seen > _FILES_LIMIT:
                        return
                    if file.is_file():
                        yield file
            except OSError:
                continue


def _size(file: Path) -> str:
    try:
        return str(file.stat().st_size)
    except OSError:
        return ""
