"""Where a result goes: everything that can be checked before hours of work are spent."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from fresco_settings.rename import rename_new

from fresco_media.clip import Clip
from fresco_media.errors import (
    ClipError,
    DiskFull,
    InvalidSettings,
    OutputExists,
    OutputNotWritable,
)
from fresco_media.files.disk import (
    check_replaceable,
    free_bytes,
    kept_beside,
    partial_name,
    storing,
)
from fresco_media.files.unfinished import remove_dead, unfinished_name
from fresco_media.stills.numbered import NumberedName, parse_pattern
from fresco_media.stills.numbered_folder import check_own
from fresco_media.stills.sequence import find_sequence, pictures_beside
from fresco_media.types import ClipProperties
from fresco_media.writing.delivery import Codec
from fresco_media.writing.originals import NO_ORIGINALS, Originals

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
# Bytes a pixel takes at the very least, and room for a header and the sound.
_LEAST_BYTES_PER_PIXEL: dict[Codec, float] = {
    "h264": 0.01,
    "lossless": 0.3,
    "prores": 0.3,
    "images": 0.3,
}
_LEAST_BYTES = 1 << 20
_LONGEST_SIDE = 16384
"""The most that the encoder of H.264 takes."""
_FRAMES = NumberedName("frame_", 6, ".png")


@dataclass(frozen=True)
class Destination:
    """A checked output: `path` as the user gave it, `temporary` beside it until it is whole.

    For images, `folder` receives files named by `names`, and `temporary` is a folder. Nothing
    that is one of `originals` is ever replaced.
    """

    path: Path
    codec: Codec
    temporary: Path
    overwrite: bool
    folder: Path
    names: NumberedName | None = None
    originals: Originals = NO_ORIGINALS
    stale: tuple[Path, ...] = ()
    """Pictures of an earlier result that go without being replaced by ones of this result."""

    @property
    def container(self) -> str:
        """FFmpeg's name of the container format; images have none."""
        return CONTAINERS[self.path.suffix.lower()]

    def existing_images(self) -> list[Path]:
        """Files of an earlier result that this one would replace or mix with."""
        names = self.names
        if names is None or not self.folder.is_dir():
            return []
        return [file for file in self.folder.iterdir() if names.number_of(file.name) is not None]

    @property
    def is_taken(self) -> bool:
        """Whether a result would replace something or mix with it."""
        if self.names is None:
            return os.path.lexists(self.path)
        return bool(self.existing_images())

    def rename(self, file: Path, path: Path) -> None:
        """Give a file of the result its name.

        Raises:
            FileExistsError: it is taken, and may not be replaced.
        """
        if self.overwrite:
            file.replace(path)
        else:
            rename_new(file, path)

    def kept_elsewhere(self, *, is_protected: bool) -> OutputNotWritable:
        """What to say of a name that cannot be had; the result has another by then."""
        suffix = "" if self.names else self.path.suffix
        error = kept_beside(
            self.temporary, _named(self.path), suffix=suffix, is_protected=is_protected
        )
        return OutputNotWritable(self.path, error.reason)

    def check_replaced(self) -> None:
        """Raises `OutputNotWritable` where what would be replaced is not a result of ours."""
        folders = (self.folder,) if self.names else ()
        self.originals.check(self.path, *folders, *self.existing_images())


def check_destination(
    path: Path,
    clip: Clip,
    span: range,
    codec: Codec | None,
    overwrite: bool,
    name: str | None = None,
    originals: Originals = NO_ORIGINALS,
) -> Destination:
    """Where these frames of the clip are to go, if they can go there at all.

    `name` tells the temporary output from those of others; without it, chance does. What killed
    runs left beside it makes room. `originals` are what else the job reads.

    Raises:
        OutputExists: something is there and `overwrite` is off.
        OutputNotWritable: unknown type, missing or read-only folder, the clip itself, or pictures
            that no job has made would be mixed with the result's.
        DiskFull: there is not even room for the smallest result.
    """
    info = clip.info
    with storing(path):  # Asking after a name fails where that is too long.
        destination = _destination(path, _codec_for(path, codec), overwrite, name)
        _check_folder(destination)
        _check_size(destination, info)
        destination = replace(destination, originals=originals_of(info) | originals)
        destination.check_replaced()
        _check_free(destination)
        numbers = range(clip.first_number + span.start, clip.first_number + span.stop)
        destination = replace(destination, stale=_stale_images(destination, numbers))
        remove_dead(destination.temporary.parent)
        _check_room(destination, info, len(span))
    return destination


def _stale_images(destination: Destination, numbers: range) -> tuple[Path, ...]:
    names = destination.names
    stale = sorted(
        path
        for path in destination.existing_images()
        if names is not None and names.number_of(path.name) not in numbers
    )
    check_own(*stale)
    return tuple(stale)


def _codec_for(path: Path, codec: Codec | None) -> Codec:
    if codec is not None and codec not in get_args(Codec):
        known = ", ".join(get_args(Codec))
        raise InvalidSettings("codec", f"{codec!r} is unknown; use one of {known}")
    is_video = path.suffix.lower() in CONTAINERS
    is_pattern = parse_pattern(path.name) is not None and not is_video
    is_of_images = is_pattern or (path.is_dir() and not is_video)
    # Pictures lose nothing either.
    if codec == "images" or (codec in (None, "lossless") and is_of_images):
        return "images"
    if not is_video:
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


def originals_of(info: ClipProperties, what: str = "the clip itself is") -> Originals:
    """The clip; of a sequence its pictures, and its folder where that is what was named."""
    if not info.is_sequence:
        return Originals.of(what, info.path)
    return pictures_of(info.path, what)


def pictures_of(path: Path, what: str) -> Originals:
    """The files of the sequence at `path`, and the names by which another would belong to it."""
    try:
        sequence = find_sequence(path)
    except ClipError:  # One of them is gone by now, or the clip is on another machine.
        return Originals.of(what, path, *pictures_beside(path))
    names = sequence.names
    sequences = frozenset({(sequence.files[0].parent, names)} if names else ())
    return replace(Originals.of(what, path, *sequence.files), sequences=sequences)


def _destination(path: Path, codec: Codec, overwrite: bool, name: str | None) -> Destination:
    beside = _named(path)
    temporary = partial_name(beside, name) if name else unfinished_name(beside)
    if codec != "images":
        return Destination(path, codec, temporary, overwrite, path.parent)
    names = None if path.is_dir() else parse_pattern(path.name)
    if names is None:
        return Destination(path, codec, temporary, overwrite, path, _FRAMES)
    if path.suffix.lower() != ".png":
        raise OutputNotWritable(path, "image sequences are written as PNG; end it with .png")
    return Destination(path, codec, temporary, overwrite, path.parent, names)


def _named(path: Path) -> Path:
    """`path` with a name that others can stand beside, which "." and ".." are not.

    Of a path from the root no system takes the beginning for a protocol, as in "rtmp:a/b.mp4".

    Raises:
        OutputNotWritable: it has none, as it is the top of a disk.
    """
    whole = path.resolve() if path.is_dir() else path.absolute()
    if not whole.name:
        raise OutputNotWritable(path, "this is the top of a disk; name a folder in it")
    return whole


def _check_folder(destination: Destination) -> None:
    path = destination.path
    beside, into = destination.temporary.parent, destination.folder
    if not beside.is_dir():
        raise OutputNotWritable(
            path, f"the folder {path.parent} does not exist; create it or choose another"
        )
    for folder in (beside, into) if into.is_dir() else (beside,):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputNotWritable(
                path, f"the folder {folder} may not be written to; choose another folder"
            )


def _check_size(destination: Destination, info: ClipProperties) -> None:
    if destination.codec != "images" and max(info.width, info.height) > _LONGEST_SIDE:
        raise OutputNotWritable(
            destination.path,
            f"the clip is {info.width}x{info.height}, and a video's sides have at most "
            f"{_LONGEST_SIDE} pixels; write pictures instead, as name_%04d.png",
        )


def _check_free(destination: Destination) -> None:
    path = destination.path
    if destination.codec != "images":
        if path.is_dir():
            raise OutputNotWritable(path, "this is a folder; give the result a file name")
    elif destination.folder.exists() and not destination.folder.is_dir():
        raise OutputNotWritable(path, "this is a file; name a folder for the images")
    for file in destination.existing_images() if destination.names else (path,):
        check_replaceable(file)
    if destination.is_taken and not destination.overwrite:
        raise OutputExists(path)


def _check_room(destination: Destination, info: ClipProperties, frame_count: int) -> None:
    pixels = info.width * info.height * frame_count
    wanted = _LEAST_BYTES + pixels * _LEAST_BYTES_PER_PIXEL[destination.codec]
    free = free_bytes(destination.temporary.parent)
    if free < wanted:
        raise DiskFull(destination.path, free)
