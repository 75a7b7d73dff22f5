"""The file of the picture that settings take a look from; no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fresco_media.errors import ClipError
from fresco_media.files.opening import open_file
from fresco_media.stills.images import read_image
from fresco_media.types import Image

_BLOCK_BYTES = 1 << 20


def read_reference(path: Path | str) -> Image:
    """The picture; what is transparent is laid over black.

    Raises:
        ClipError: it is not there, damaged, or no picture.
    """
    try:
        return read_image(path)
    except ClipError as error:
        error.field = "reference"
        raise


def reference_digest(path: Path | str) -> str:
    """SHA-256 of the file, which can be read as a picture: another one has another.

    Raises:
        ClipError: as `read_reference`.
    """
    read_reference(path)
    found = hashlib.sha256()
    with open_file(Path(path)) as file:
        while block := file.read(_BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()
