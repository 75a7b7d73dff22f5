"""Where a result goes: everything that can be checked before hours of work are spent."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from fresco_media.delivery import Codec
from fresco_media.disk import free_bytes
from fresco_media.errors import DiskFull, InvalidSettings, OutputExists, OutputNotWritable
from fresco_media.types import ClipInfo

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
# Bytes a pixel takes at the very least, and room for a header and the sound.
_LEAST_BYTES_PER_PIXEL: dict[Codec, float] = {
    "h264": 0.01,
    "lossless": 0.3,
    "prores": 0.3,
    "images": 0.3,
}
_LEAST_BYTES = 1 << 20
_NUMBER = re.compile(r"%(0\d+)?d")


@dataclass(frozen=True)
class Destination:
    """A checked output: `path` as the user gave it, `temporary` beside it until it is whole.

    For images, `folder` receives files named by `pattern`, and `temporary` is a folder.
    """

    path: Path
    codec: Codec
    temporary: Path
    overwrite: bool
    folder: Path
    pattern: str = ""

    @property
    def container(self) -> str:
        """FFmpeg's name of the container format; images have none."""
        return CONTAINERS[self.path.suffix.lower()]

    def existing_images(self) -> list[Path]:
        """Files of an earlier result that this one would replace or mix with."""
        if not self.pattern or not self.folder.is_dir():
            return []
        return [file for file in self.folder.iterdir() if _matches(self.pattern, file.name)]


def check_destination(
    path: Path,
    info: ClipInfo,
    frame_count: int,
    codec: Codec | None,
    overwrite: bool,
    name: str | None = None,
) -> Destination:
    """Where `frame_count` frames of the clip `info` are to go, if they can go there at all.

    `name` tells the temporary output from those of others; without it, chance does.

    Raises:
        OutputExists: something is there and `overwrite` is off.
        OutputNotWritable: unknown type, missing or read-only folder, or the clip itself.
        DiskFull: there is not even room for the smallest result.
    """
    destination = _destination(path, _codec_for(path, codec), overwrite, name)
    _check_folder(path)
    _check_not_source(destination, info)
    _check_free(destination)
    _check_room(destination, info, frame_count)
    return destination


def _codec_for(path: Path, codec: Codec | None) -> Codec:
    if codec is not None and codec not in get_args(Codec):
        known = ", ".join(get_args(Codec))
        raise InvalidSettings("codec", f"{codec!r} is unknown; use one of {known}")
    is_pattern = _NUMBER.search(path.name) is not None
    if codec == "images" or (codec is None and (is_pattern or path.is_dir())):
        return "images"
    if path.suffix.lower() not in CONTAINERS or is_pattern:
        raise OutputNotWritable(
            path,
            f"videos of this type cannot be written; name the file {', '.join(CONTAINERS)}, "
            "or use name_%04d.png for an image sequence",
        )
    if codec == "prores" and path.suffix.lower() != ".mov":
        raise OutputNotWritable(
            path, "ProRes is for editors, which take it as .mov; end it with that"
        )
    return codec or "h264"


def _destination(path: Path, codec: Codec, overwrite: bool, name: str | None) -> Destination:
    token = name or secrets.token_hex(4)
    if codec != "images":
        temporary = path.with_name(f".{path.stem}.partial-{token}{path.suffix}")
        return Destination(path, codec, temporary, overwrite, path.parent)
    if _NUMBER.search(path.name):
        if path.suffix.lower() != ".png":
            raise OutputNotWritable(path, "image sequences are written as PNG; end it with .png")
        temporary = path.with_name(f".frames.partial-{token}")
        return Destination(path, codec, temporary, overwrite, path.parent, path.name)
    temporary = path.with_name(f".{path.name}.partial-{token}")
    return Destination(path, codec, temporary, overwrite, path, "frame_%06d.png")


def _check_folder(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise OutputNotWritable(
            path, f"the folder {folder} does not exist; create it or choose another"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputNotWritable(
            path, f"the folder {folder} may not be written to; choose another folder"
        )


def _check_not_source(destination: Destination, info: ClipInfo) -> None:
    source = info.path
    is_same = destination.path.resolve() == source.resolve()
    if info.is_sequence and destination.codec == "images":
        # Its pictures would be replaced, or mixed with the result.
        folder = source if source.is_dir() else source.parent
        is_same |= destination.folder.resolve() == folder.resolve()
    if is_same:
        raise OutputNotWritable(
            destination.path,
            "this is where the clip itself is; choose another name or folder for the result",
        )


def _check_free(destination: Destination) -> None:
    path = destination.path
    if destination.codec != "images":
        if path.is_dir():
            raise OutputNotWritable(path, "this is a folder; give the result a file name")
        is_taken = path.exists() or path.is_symlink()
    elif destination.folder.exists() and not destination.folder.is_dir():
        raise OutputNotWritable(path, "this is a file; name a folder for the images")
    else:
        is_taken = bool(destination.existing_images())
    if is_taken and not destination.overwrite:
        raise OutputExists(path, "it exists already; choose another name or add --overwrite")


def _matches(pattern: str, name: str) -> bool:
    before, after = _NUMBER.split(pattern, maxsplit=1)[::2]
    middle = name[len(before) : len(name) - len(after)]
    return name.startswith(before) and name.endswith(after) and middle.isdecimal()


def _check_room(destination: Destination, info: ClipInfo, frame_count: int) -> None:
    pixels = info.width * info.height * frame_count
    wanted = _LEAST_BYTES + pixels * _LEAST_BYTES_PER_PIXEL[destination.codec]
    free = free_bytes(destination.temporary.parent)
    if free < wanted:
        raise DiskFull(destination.path, free)
