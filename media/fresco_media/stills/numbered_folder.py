"""Pictures that a job saves, as its result or beside it, each named by its frame.

Frames are numbered as painted keys are: those of a sequence by their files, others from 0.

Names such as `000024.png` are those of many a sequence, and saved pictures are painted over where
they lie. So each picture carries a note of what it shows, and only those that still show it are
ever removed, or replaced unasked.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from fresco_media.errors import OutputNotWritable
from fresco_media.files.disk import write_whole
from fresco_media.files.opening import read_file
from fresco_media.stills.images import encode_image
from fresco_media.stills.png import decode_png, png_note, with_note
from fresco_media.types import Image

_NAME = re.compile(r"-?\d{6,}\.png")
_MOST_BYTES = 4 << 30


def numbered_pictures(folder: Path) -> list[Path]:
    """What is named as a job names pictures, in order; nothing where there is no folder."""
    paths = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in paths if _NAME.fullmatch(path.name))


def check_own(*paths: Path) -> None:
    """Raises `OutputNotWritable` where one of `paths` is there and not as a job has saved it."""
    for path in paths:
        if path.exists() and not is_as_saved(path):
            raise OutputNotWritable(
                path,
                "no job has saved this picture, or it was painted over since; choose another "
                "folder, or move it elsewhere",
            )


def write_numbered(folder: Path, number: int, image: Image) -> Path:
    """Save the picture of the frame of this number in `folder`; returns where.

    Raises:
        OutputNotWritable: no such folder, no permission, or somebody else's picture has the name.
        DiskFull: the disk has no room left.
    """
    path = numbered_path(folder, number)
    check_own(path)
    write_whole(path, encoded_own(image))
    return path


def encoded_own(image: Image) -> bytes:
    """A PNG that is known as a job's, as long as nobody paints over it."""
    return with_note(encode_image(image, ".png"), _note(image))


def numbered_path(folder: Path, number: int) -> Path:
    """Where the picture of the frame of this number is saved."""
    return folder / f"{'-' if number < 0 else ''}{abs(number):06d}.png"


def _note(image: Image) -> str:
    return f"fresco {hashlib.sha256(image.tobytes()).hexdigest()[:16]}"


def is_as_saved(path: Path) -> bool:
    """Whether the picture at `path` is there and as a job has saved it."""
    try:
        data = read_file(path, _MOST_BYTES)
    except OSError:
        return False
    note = png_note(data)
    # Paint programs keep notes of pictures that they change.
    image = decode_png(data) if note.startswith("fresco ") else None
    return image is not None and note == _note(image)
