"""Image sequences: a folder of numbered pictures, one of them, or a `name_%04d.png` pattern."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from fresco_media.animation import is_animated
from PyQt6.QtGui import QImage

from fresco_gui.media.errors import ClipMissing, ClipUnreadable, reading
from fresco_gui.media.pictures import from_bgr

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
_PATTERN = re.compile(r"(?P<before>[^%]*)%(0\d+)?d(?P<after>[^%]*)", re.DOTALL)
_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>[0-9]+)(?P<after>\.[^.]+)", re.DOTALL)


def is_sequence(path: Path) -> bool:
    """Whether `path` names pictures and not a video file."""
    if path.is_dir():
        return True
    is_pattern = not path.exists() and _PATTERN.fullmatch(path.name) is not None
    return is_pattern or (path.suffix.lower() in IMAGE_SUFFIXES and not is_animated(path))


def sequence_files(path: Path) -> tuple[Path, ...]:
    """The pictures that `path` stands for, in order.

    Raises:
        ClipMissing, ClipUnreadable: there are none.
    """
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir() or not (path.exists() or _PATTERN.fullmatch(path.name)):
        raise ClipMissing(path)
    groups = _groups(folder)
    if path.is_dir():
        longest = max(groups.values(), key=len, default=())
        if not longest:
            raise ClipUnreadable(
                path, "there are no numbered pictures in it; choose another folder"
            )
        return longest
    parts = _PATTERN.fullmatch(path.name) or _NUMBERED.fullmatch(path.name)
    if parts is None:
        return (path,)
    found = groups.get((parts["before"], parts["after"].lower()))
    if not found:
        raise ClipMissing(path)
    return found


def _groups(folder: Path) -> dict[tuple[str, str], tuple[Path, ...]]:
    numbered: dict[tuple[str, str], list[tuple[int, Path]]] = defaultdict(list)
    with reading(folder):
        for file in folder.iterdir():
            parts = _NUMBERED.fullmatch(file.name)
            if parts is None or file.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            if not file.name.startswith("."):
                numbered[parts["before"], parts["after"].lower()].append(
                    (int(parts["number"]), file)
                )
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
