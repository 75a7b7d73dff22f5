"""A folder of keyframes painted by hand: which file stands for which frame of a clip."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from fresco_media.clip import Clip
from fresco_media.errors import ClipError, KeyframesUnusable
from fresco_media.files import listed, open_file
from fresco_media.images import IMAGE_SUFFIXES, read_image, resize
from fresco_media.types import Image

_NUMBER = re.compile(r"[0-9]+")
_SAME_ASPECT = 0.01
_NAMING = "name every key by its frame, for example key_0024.png"


@dataclass(frozen=True)
class PaintedKeys:
    """Files by the index of their frame, and what the user should know of the folder."""

    folder: Path
    files: Mapping[int, Path]
    warnings: tuple[str, ...] = ()


def find_painted_keys(folder: Path | str, clip: Clip, start: int, stop: int) -> PaintedKeys:
    """The pictures in `folder` whose names hold the numbers of frames [start, stop) of `clip`.

    The last number in a name counts, as an index from 0, or for an image sequence as the number
    of the frame's file. Other files are left alone.

    Raises:
        KeyframesUnusable: there is no such folder or no key in it, two files stand for one frame,
            or a number is not one of the clip's.
    """
    folder = Path(folder)
    named = _numbered(folder)
    first = clip.first_number
    files: dict[int, Path] = {}
    outside: list[Path] = []
    for file, number in named.items():
        index = number - first
        if not 0 <= index < clip.info.frame_count:
            raise KeyframesUnusable(file, _outside(number, first, clip.info.frame_count))
        if index in files:
            both = f"{files[index].name} and {file.name}"
            raise KeyframesUnusable(
                folder, f"{both} are both frame {number}; move one of them elsewhere"
            )
        if start <= index < stop:
            files[index] = file
        else:
            outside.append(file)
    if not files:
        raise KeyframesUnusable(
            folder, "all of its keys lie outside the range; choose a range that holds one"
        )
    warnings = _told("has no number in its name and is not used", _pictures(folder) - set(named))
    warnings += _told("lies outside the range and is not used", set(outside))
    return PaintedKeys(folder, dict(sorted(files.items())), warnings)


def _outside(number: int, first: int, count: int) -> str:
    last = first + count - 1
    hint = "; frames are counted from 0" if number == last + 1 and first == 0 else ""
    return (
        f"the clip has no frame {number}, only {first} to {last}{hint}; "
        "rename the file or move it elsewhere"
    )


def _numbered(folder: Path) -> dict[Path, int]:
    if not folder.is_dir():
        reason = "this is a file; name a folder" if folder.exists() else "there is no such folder"
        raise KeyframesUnusable(folder, f"{reason}; {_NAMING}")
    pictures = sorted(_pictures(folder))
    if not pictures:
        raise KeyframesUnusable(folder, f"the folder holds no pictures; {_NAMING}")
    named = {file: int(numbers[-1]) for file in pictures if (numbers := _NUMBER.findall(file.stem))}
    if not named:
        raise KeyframesUnusable(
            pictures[0], f"there is no frame number in this name or in any other; {_NAMING}"
        )
    return named


def _pictures(folder: Path) -> set[Path]:
    suffixes = {*IMAGE_SUFFIXES, *Pillow.registered_extensions()} - {".pdf", ".mpg", ".mpeg"}
    try:
        files = listed(folder)
    except OSError as error:
        raise KeyframesUnusable(folder, "it cannot be read; check its permissions") from error
    return {
        file
        for file in files
        if file.suffix.lower() in suffixes and not file.name.startswith(".") and file.is_file()
    }


def _told(what: str, files: set[Path]) -> tuple[str, ...]:
    return tuple(f"{file.name} {what}" for file in sorted(files))


def read_key(file: Path, size: tuple[int, int]) -> tuple[Image, tuple[str, ...]]:
    """The painted picture at `size` (width, height), and what the user should know of it.

    Raises:
        KeyframesUnusable: it cannot be read, or has another shape than the clip.
    """
    image = _read(file)
    height, width = image.shape[:2]
    if (width, height) == size:
        return image, ()
    if abs(width * size[1] / (height * size[0]) - 1) > _SAME_ASPECT:
        raise KeyframesUnusable(
            file,
            f"it is {width}x{height} and the clip {size[0]}x{size[1]}, which is another shape; "
            "paint it over a frame of the clip",
        )
    said = f"{file.name} is {width}x{height} and was resized to the clip's {size[0]}x{size[1]}"
    return resize(image, size), (said,)


def _read(file: Path) -> Image:
    try:
        if file.suffix.lower() in IMAGE_SUFFIXES:
            return read_image(file)
        with open_file(file) as stream, Pillow.open(stream) as picture:
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"), np.uint8)
    except (ClipError, OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise KeyframesUnusable(
            file, "it is empty, damaged or not a picture; export it again as PNG"
        ) from error
