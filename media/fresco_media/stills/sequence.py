"""Image sequences: finding the files that belong together, and reading them as a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice, pairwise
from pathlib import Path

from fresco_media.colour.tags import RGB
from fresco_media.errors import ClipError, ClipNotFound, ClipUnreadable, NoVideoStream, SequenceGap
from fresco_media.files.opening import listed
from fresco_media.files.state import KnownFile
from fresco_media.files.text import counted
from fresco_media.stills.formats import IMAGE_SUFFIXES, is_picture_file
from fresco_media.stills.grouping import Numbered, grouped
from fresco_media.stills.headers import StillHeader, read_known
from fresco_media.stills.joined import JOINED, is_joined
from fresco_media.stills.numbered import NumberedName, is_pattern, parse_pattern
from fresco_media.types import ClipProperties, ColourTags
from fresco_media.video.animation import is_animated

# sRGB (IEC 61966-2-1) with the primaries of BT.709: what image files hold unless they say else.
SRGB = ColourTags(primaries=1, transfer=13, matrix=RGB, is_full_range=True)
ALPHA_NOTE = (
    "what is transparent in the pictures is laid over black; of results, only a lossless .mkv "
    "keeps it"
)
_MOST_NAMED = 1000
_MOST_LOOKED_INTO = 100
_MOST_EXAMPLES = 3
_OTHERS = "other pictures in the folder are"


@dataclass(frozen=True)
class ImageSequence:
    """Files of a sequence in order; `first_number` is the number in the first file's name.

    `names` are those of its pictures, None for a picture without a number. `unused` are pictures
    beside them in a folder that was named as a whole.
    """

    files: tuple[Path, ...]
    first_number: int
    names: NumberedName | None = None
    unused: tuple[Path, ...] = ()


def is_sequence_path(path: Path) -> bool:
    """Whether `path` names pictures (a folder, a pattern or one picture) and not a video file.

    What a file holds counts, whatever it is named.
    """
    if path.is_dir():
        return True
    if path.exists():
        return is_picture_file(path) and not is_animated(path)
    return is_pattern(path) or path.suffix.lower() in IMAGE_SUFFIXES


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
    pattern = parse_pattern(path.name)
    if pattern is None or not path.parent.is_dir():
        raise ClipNotFound(path, "there is no such file; check the path")
    members = list_members(path.parent, pattern)
    if not members and path.suffix.lower() not in IMAGE_SUFFIXES:
        kinds = ", ".join(IMAGE_SUFFIXES)
        raise ClipNotFound(path, f"pictures of this kind are not read; save them as one of {kinds}")
    if not members:
        raise ClipNotFound(path, "no file fits this pattern; check the name and the folder")
    is_plain = pattern.number_of(members[0][1].name) is not None
    return _checked(path, pattern if is_plain else pattern.unescaped() or pattern, members)


def list_members(folder: Path, names: NumberedName) -> list[Numbered]:
    """The pictures in `folder` that are called so, with their numbers, in no order.

    Where there are none, two per cent signs are taken for one, as FFmpeg writes them.
    """
    numbered = ((names.number_of(file.name), file) for file in _pictures(folder))
    found = [(number, file) for number, file in numbered if number is not None]
    other = names.unescaped()
    return found if found or other is None else list_members(folder, other)


def pictures_beside(path: Path) -> list[Path]:
    """The pictures in a folder, or beside a picture or pattern; none where it cannot be read."""
    try:
        return _pictures(path if path.is_dir() else path.parent)
    except ClipError:
        return []


def _pictures(folder: Path) -> list[Path]:
    return [file for file in _shown_files(folder) if file.suffix.lower() in IMAGE_SUFFIXES]


def _shown_files(folder: Path) -> list[Path]:
    try:
        files = listed(folder)
    except OSError as error:
        raise ClipUnreadable(folder, "the folder cannot be read; check its permissions") from error
    return [file for file in files if not file.name.startswith(".")]


def _in_folder(folder: Path) -> ImageSequence:
    pictures = _pictures(folder)
    if not pictures:
        few = _shown_files(folder)[:_MOST_LOOKED_INTO]
        film = next((file.name for file in few if is_animated(file)), None)
        advice = "choose another folder" if film is None else f"choose the file itself, as {film}"
        raise NoVideoStream(
            folder, f"the folder holds no pictures ({', '.join(IMAGE_SUFFIXES)}); {advice}"
        )
    groups = sorted(grouped(sorted(pictures)).items(), key=lambda one: len(one[1]), reverse=True)
    if len(pictures) == 1 and is_animated(pictures[0]):
        raise ClipUnreadable(
            folder, f"its only picture, {pictures[0].name}, is a film; choose that instead"
        )
    if len(pictures) == 1 and not groups:
        return ImageSequence((pictures[0],), 0)
    if not groups:
        raise ClipUnreadable(
            folder, "its pictures are not numbered; name them like frame_0001.png, frame_0002.png"
        )
    names, members = groups[0]
    if len(groups) > 1 and (len(groups[1][1]) > 1 or len(members) == 1):
        examples = " or ".join(min(group)[1].name for _, group in groups[:2])
        what = "several sequences" if len(members) > 1 else "pictures that are not numbered alike"
        raise ClipUnreadable(
            folder, f"the folder holds {what}; name a picture of one, such as {examples}"
        )
    sequence = _checked(folder, names, members)
    return replace(sequence, unused=tuple(sorted(set(pictures) - set(sequence.files))))


def _around(file: Path) -> ImageSequence:
    groups = grouped(_pictures(file.parent)).items()
    found = [
        (names, group) for names, group in groups if any(one.name == file.name for _, one in group)
    ]
    return _checked(file, *found[0]) if found else ImageSequence((file,), 0)


def _checked(path: Path, names: NumberedName, members: Sequence[Numbered]) -> ImageSequence:
    ordered = sorted(members)
    numbers = [number for number, _ in ordered]
    for (number, file), (following, other) in pairwise(ordered):
        if number == following:
            raise ClipUnreadable(
                path, f"{file.name} and {other.name} have the same number; remove one of them"
            )
    # Dates and times are numbers as well: what is missing may be more than memory holds.
    gaps = (range(number + 1, following) for number, following in pairwise(numbers))
    count = numbers[-1] - numbers[0] + 1 - len(numbers)
    if count:
        missing = list(islice(chain.from_iterable(gaps), _MOST_NAMED))
        raise SequenceGap(path, missing, count, is_of_picture=path.is_file())
    return ImageSequence(tuple(file for _, file in ordered), numbers[0], names)


@dataclass(frozen=True)
class DescribedSequence:
    """A sequence as a clip, what the user should know of it, and its files as they were read."""

    info: ClipProperties
    warnings: tuple[str, ...]
    files: tuple[KnownFile, ...]


def describe_sequence(
    path: Path, sequence: ImageSequence, frame_rate: Fraction
) -> DescribedSequence:
    """The clip that a sequence makes at `frame_rate`.

    Raises:
        ClipUnreadable: a picture is damaged or differs in size from the first.
    """
    headers, files = zip(*map(read_known, sequence.files), strict=True)
    width, height = headers[0].size
    for file, header in zip(sequence.files, headers, strict=True):
        if header.size != (width, height):
            raise ClipUnreadable(
                path,
                f"{file.name} is {header.size[0]}x{header.size[1]}, but the sequence began with "
                f"{width}x{height}; give all pictures one size",
            )
    has_alpha = any(header.has_alpha for header in headers)
    info = ClipProperties(
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
    warnings = (*_warnings(headers), *_shapes_of_pixels(sequence, headers))
    if len(sequence.files) == 1 and is_joined(sequence.files[0]):
        warnings = (*warnings, JOINED)
    return DescribedSequence(info, (*warnings, *_unused(sequence)), files)


def _shapes_of_pixels(sequence: ImageSequence, headers: Sequence[StillHeader]) -> tuple[str, ...]:
    aspect = headers[0].pixel_aspect
    others = [
        (file, header.pixel_aspect)
        for file, header in zip(sequence.files, headers, strict=True)
        if header.pixel_aspect != aspect
    ]
    if not others:
        return ()
    file, other = others[0]
    return (
        f"the pictures differ in the shape of their pixels: it is {aspect} in the first and "
        f"{other} in {file.name}; all are shown as the first one, so that some may look squeezed",
    )


def _unused(sequence: ImageSequence) -> tuple[str, ...]:
    if not sequence.unused:
        return ()
    others = counted(len(sequence.unused), "other picture in the folder is", _OTHERS)
    named = ", ".join(file.name for file in sequence.unused[:_MOST_EXAMPLES])
    more = ", …" if len(sequence.unused) > _MOST_EXAMPLES else ""
    return (f"{others} not numbered like the sequence and not used: {named}{more}",)


def _warnings(headers: Sequence[StillHeader]) -> tuple[str, ...]:
    notes = [note for header in headers for note in header.notes]
    if any(header.has_alpha for header in headers):
        notes.append(ALPHA_NOTE)
    return tuple(dict.fromkeys(notes))
