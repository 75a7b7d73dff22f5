"""Image sequences: a folder of numbered pictures, one of them, or a `name_%04d.png` pattern."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from fresco_media.numbered import NumberedName, numbers_around, parse_pattern
from fresco_media.sequence import is_sequence_path, list_members
from PyQt6.QtGui import QImage

from fresco_gui.media.errors import ClipMissing, ClipUnreadable, reading
from fresco_gui.media.pictures import from_bgr

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


def is_sequence(path: Path) -> bool:
    """Whether `path` names pictures and not a video file."""
    return is_sequence_path(path)


def sequence_files(path: Path) -> tuple[Path, ...]:
    """The pictures that `path` stands for, in order.

    Raises:
        ClipMissing, ClipUnreadable: there are none.
    """
    folder = path if path.is_dir() else path.parent
    pattern = None if path.exists() else parse_pattern(path.name)
    if not folder.is_dir() or (pattern is None and not path.exists()):
        raise ClipMissing(path)
    if pattern is not None:
        return _members(path, pattern)
    groups = _groups(folder)
    if path.is_dir():
        longest = max(groups.values(), key=len, default=())
        if not longest:
            raise ClipUnreadable(
                path, "there are no numbered pictures in it; choose another folder"
            )
        return longest
    names = numbers_around(path.name)
    found = groups.get(names[0]) if names is not None else None
    return found or (path,)


def _members(path: Path, pattern: NumberedName) -> tuple[Path, ...]:
    with reading(path.parent):
        files = list_members(path.parent, pattern)
    if not files:
        raise ClipMissing(path)
    return tuple(file for _, file in sorted(files))


def _groups(folder: Path) -> dict[NumberedName, tuple[Path, ...]]:
    numbered: dict[NumberedName, list[tuple[int, Path]]] = defaultdict(list)
    with reading(folder):
        for file in folder.iterdir():
            found = numbers_around(file.name)
            if found is None or file.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            if not file.name.startswith("."):
                numbered[found[0]].append((found[1], file))
    return {key: tuple(file for _, file in sorted(files)) for key, files in numbered.items()}


def read_picture(path: Path) -> QImage:
    """The picture in a file, upright, 8 bits, without transparency.

    Raises:
        ClipMissing, ClipUnreadable: it is gone or no picture.
    """
    # OpenCV opens paths in the system's code page, so only bytes are handed to it.
    with reading(path):
        encoded = np.fromfile(path, np.uint8)
    try:
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
        picture = cv2.imdecode(encoded, flags) if encoded.size else None
    except cv2.error:
        picture = None
    if picture is None:
        raise ClipUnreadable(path, "it is empty, damaged or no picture; export it again")
    if picture.dtype.kind == "f":
        picture = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return from_bgr(picture)
