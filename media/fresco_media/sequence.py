"""Image sequences: finding the files that belong together, and reading them as a clip."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from fresco_media.colour import RGB
from fresco_media.errors import ClipNotFound, ClipUnreadable, NoVideoStream, SequenceGap
from fresco_media.formats import IMAGE_SUFFIXES, is_picture_file
from fresco_media.headers import StillHeader, read_header
from fresco_media.types import ClipInfo, ColourTags

_PATTERN = re.compile(r"(?P<prefix>[^%]*)%(0\d+)?d(?P<suffix>[^%]*)", re.DOTALL)
# sRGB (IEC 61966-2-1) with the primaries of BT.709: what image files hold unless they say else.
SRGB = ColourTags(primaries=1, transfer=13, matrix=RGB, is_full_range=True)


@dataclass(frozen=True)
class ImageSequence:
    """Files of a sequence in order; `first_number` is the number in the first file's name."""

    files: tuple[Path, ...]
    first_number: int


def is_sequence_path(path: Path) -> bool:
    """Whether `path` names pictures (a folder, a pattern or one picture) and not a video file.

    What a file holds counts, whatever it is named.
    """
    if path.is_dir():
        return True
    if path.exists():
        return is_picture_file(path)
    return _PATTERN.fullmatch(path.name) is not None or path.suffix.lower() in IMAGE_SUFFIXES


def find_sequence(path: Path) -> ImageSequence:
    """The sequence that a folder, a `name_%04d.png` pattern or one of its members stands for.

    Raises:
        ClipNotFound: there is no such file, or no file fits the pattern.
        NoVideoStream: the folder holds no pictures.
        ClipUnreadable: the folder holds several sequences, or pictures without numbers.
        SequenceGap: numbers are missing between the first and the last.
    """
    if path.is_dir():
        return _in_folder(path)
    if path.exists():
        return _around(path)
    pattern = _PATTERN.fullmatch(path.name)
    if pattern is None or not path.parent.is_dir():
        raise ClipNotFound(path, "there is no such file; check the path")
    groups = _groups(path.parent)
    members = groups.get((pattern["prefix"], pattern["suffix"].lower()))
    if members is None:
        raise ClipNotFound(path, "no file fits this pattern; check the name and the folder")
    return _checked(path, members)


Numbered = tuple[int, Path]


def _groups(folder: Path) -> dict[tuple[str, str], list[Numbered]]:
    """The numbered pictures in `folder` by what stands before and after the number."""
    groups: dict[tuple[str, str], list[Numbered]] = defaultdict(list)
    for file in _pictures(folder):
        parts = _parts(file)
        if parts is not None:
            groups[parts["prefix"], parts["suffix"].lower()].append((int(parts["number"]), file))
    return dict(groups)


def _parts(file: Path) -> re.Match[str] | None:
    """The last run of digits in the stem, with what surrounds it, if it ends the stem."""
    return re.fullmatch(r"(?P<prefix>.*?)(?P<number>[0-9]+)(?P<suffix>\.[^.]+)", file.name, re.S)


def _pictures(folder: Path) -> list[Path]:
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise ClipUnreadable(folder, "the folder cannot be read; check its permissions") from error
    return [
        file
        for file in files
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")
    ]


def _in_folder(folder: Path) -> ImageSequence:
    pictures = _pictures(folder)
    if not pictures:
        raise NoVideoStream(
            folder,
            f"the folder holds no pictures ({', '.join(IMAGE_SUFFIXES)}); choose another folder",
        )
    groups = sorted(_groups(folder).values(), key=len, reverse=True)
    if len(pictures) == 1 and not groups:
        return ImageSequence((pictures[0],), 0)
    if not groups:
        raise ClipUnreadable(
            folder, "its pictures are not numbered; name them like frame_0001.png, frame_0002.png"
        )
    if len(groups) > 1 and len(groups[1]) > 1:
        examples = " or ".join(group[0][1].name for group in groups[:2])
        raise ClipUnreadable(
            folder, f"the folder holds several sequences; name a picture of one, such as {examples}"
        )
    return _checked(folder, groups[0])


def _around(file: Path) -> ImageSequence:
    parts = _parts(file)
    if parts is None:
        return ImageSequence((file,), 0)
    return _checked(file, _groups(file.parent)[parts["prefix"], parts["suffix"].lower()])


def _checked(path: Path, members: Sequence[Numbered]) -> ImageSequence:
    ordered = sorted(members)
    numbers = [number for number, _ in ordered]
    for (number, file), (following, other) in pairwise(ordered):
        if number == following:
            raise ClipUnreadable(
                path, f"{file.name} and {other.name} have the same number; remove one of them"
            )
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if missing:
        raise SequenceGap(path, missing)
    return ImageSequence(tuple(file for _, file in ordered), numbers[0])


def describe_sequence(
    path: Path, sequence: ImageSequence, frame_rate: Fraction
) -> tuple[ClipInfo, tuple[str, ...]]:
    """The clip that a sequence makes at `frame_rate`, and what the user should know of it.

    Raises:
        ClipUnreadable: a picture is damaged or differs in size from the first.
    """
    headers = [read_header(file) for file in sequence.files]
    width, height = headers[0].size
    for file, header in zip(sequence.files, headers, strict=True):
        if header.size != (width, height):
            raise ClipUnreadable(
                path,
                f"{file.name} is {header.size[0]}x{header.size[1]}, but the sequence began with "
                f"{width}x{height}; give all pictures one size",
            )
    has_alpha = any(header.has_alpha for header in headers)
    info = ClipInfo(
        path=path,
        width=width,
        height=height,
        frame_rate=frame_rate,
        time_base=1 / frame_rate,
        times=tuple(range(len(headers))),
        bit_depth=max(header.bit_depth for header in headers),
        has_alpha=has_alpha,
        is_sequence=True,
        sample_aspect=headers[0].pixel_aspect,
        colour=SRGB,
        codec=sequence.files[0].suffix.lower().lstrip("."),
    )
    return info, _warnings(headers)


def _warnings(headers: Sequence[StillHeader]) -> tuple[str, ...]:
    notes = [header.note for header in headers if header.note]
    if any(header.has_alpha for header in headers):
        notes.append("the pictures' transparency is laid over black; the result is opaque")
    return tuple(dict.fromkeys(notes))
