"""The files of uploads: their names, what the disk says of them, and those under way."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from fresco_media.files.own import OwnFolder, is_real_file

from fresco_server.errors import BadRequest, UploadNotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,12}")
_OURS = re.compile(rf"{_DIGEST.pattern}{_SUFFIX.pattern}")
NOTE = re.compile(rf"{_DIGEST.pattern}\.json")
UNWRITTEN = re.compile(rf"\.{_DIGEST.pattern}\.json\.partial")
_LONGEST_NAME = 255
_CLOCK_ERROR_S = 60.0
_READ_BYTES = 4 << 20


@dataclass
class OpenUpload:
    """An upload under way: its lock, who uses it, and the hash of its first `hashed_bytes`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    hasher: Any = field(default_factory=hashlib.sha256)
    hashed_bytes: int = 0

    def hash_on(self, offset: int, data: bytes) -> None:
        """Hash the bytes at `offset`, if they are the next ones."""
        if not offset:
            self.hasher, self.hashed_bytes = hashlib.sha256(), 0
        if self.hashed_bytes == offset:
            self.hasher.update(data)
            self.hashed_bytes += len(data)

    def hash_rest(self, file: BinaryIO) -> None:
        """Hash what was not yet: all of it where an earlier daemon received the beginning."""
        file.seek(self.hashed_bytes)
        while data := file.read(_READ_BYTES):
            self.hash_on(self.hashed_bytes, data)


def check_digest(sha256: str) -> str:
    """`sha256` itself. Raises: BadRequest when it is no digest."""
    if not _DIGEST.fullmatch(sha256):
        raise BadRequest("sha256", "it is not 64 lower-case hexadecimal digits")
    return sha256


def check_name(file_name: str) -> None:
    """Raises: BadRequest when it is not the name of a file."""
    is_plain = not any(sign in file_name for sign in ("/", "\\", "\0"))
    if not 1 <= len(file_name) <= _LONGEST_NAME or not is_plain or not file_name.strip(". "):
        raise BadRequest("file_name", "it is not the name of a file without folders")


def suffix_of(file_name: str) -> str:
    """The ending of a name, if it looks like one of a clip."""
    suffix = Path(file_name).suffix.lower()
    is_ours = suffix in (".partial", ".json")
    return suffix if _SUFFIX.fullmatch(suffix) and not is_ours else ".clip"


def is_finished(path: Path) -> bool:
    """Whether a file is a whole upload."""
    return path.suffix not in (".partial", ".json") and is_ours(path)


def is_partial(path: Path) -> bool:
    """Whether a file is an upload under way."""
    return path.suffix == ".partial" and is_ours(path)


def is_ours(path: Path) -> bool:
    """Whether a name is one that uploads have; others were given by somebody else."""
    return _OURS.fullmatch(path.name) is not None


def not_found(sha256: str) -> UploadNotFound:
    """What is said where there is no upload."""
    return UploadNotFound(f"there is no upload {sha256}; start it, and send it")


def announced(folder: OwnFolder, sha256: str) -> dict[str, Any] | None:
    """The size and name that an upload was announced with, if that was noted."""
    try:
        facts = folder.read_json(f"{sha256}.json", is_owner_checked=True)
        return {"size_bytes": int(facts["size_bytes"]), "file_name": str(facts["file_name"])}
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def size_of(path: Path) -> int:
    """Bytes of a file itself, not of one that a link leads to; 0 where there is none."""
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def age_s(path: Path) -> float:
    """Seconds since a file was last written or needed."""
    with suppress(OSError):
        age_s = time.time() - os.lstat(path).st_mtime
        if age_s >= -_CLOCK_ERROR_S:
            return age_s
        # The clock went backwards: else it would stay young for years.
        if is_real_file(path):
            os.utime(path)
    return 0.0
