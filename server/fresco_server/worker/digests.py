"""The SHA-256 of large files, which can be stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

_BLOCK_BYTES = 1 << 20


class DigestStopped(Exception):
    """Nobody wants the digest any more."""


def sha256_of(path: Path, goes_on: Callable[[], bool] = lambda: True) -> str:
    """The SHA-256 of a file in hexadecimal; whether it `goes_on` is asked before every megabyte.

    Raises:
        DigestStopped: it does not go on.
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            if not goes_on():
                raise DigestStopped
            digest.update(block)
    return digest.hexdigest()
