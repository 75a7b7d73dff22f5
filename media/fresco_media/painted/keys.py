"""A folder of keyframes painted by hand: which file stands for which frame of a clip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from fresco_settings import Remedy, said
from numpy.typing import NDArray

from fresco_media.clip import Clip
from fresco_media.colour.scaling import display_size, resize
from fresco_media.errors import ClipError, KeyframesUnusable
from fresco_media.files.opening import listed
from fresco_media.painted.numbering import NumberingFit, fits_of
from fresco_media.stills.formats import KEY_SUFFIXES, UNREAD_SUFFIXES
from fresco_media.stills.headers import read_header
from fresco_media.stills.joined import JOINED, is_joined
from fresco_media.stills.numbered import is_version, signed_number
from fresco_media.stills.reading import Still, read_still
from fresco_media.types import ClipProperties, Image

_NUMBER = re.compile(r"[0-9]+")
# What browsers and file managers add to a name that is taken: `key_5 (1).png`.
_COPY = re.compile(r"[0-9].* \([0-9]+\)$")
_SAME_ASPECT = 0.01
# So many keys that faintly look like another frame are worth a word.
_AGREEING = 3
# Editors round the width of pixels that are not square, each in its own way.
_ROUNDED_ASPECT = 0.03
_NAMING = "name every key by its frame, for example key_0024.png"


@dataclass(frozen=True)
class PaintedKeys:
    """Files by the index of their frame, and what the user should know of the folder."""

    folder: Path
    files: Mapping[int, Path]
    warnings: tuple[str, ...] = ()


def find_painted_keys(
    folder: Path | str, clip: Clip, start: int, stop: int, *, first_number: int | None = None
) -> PaintedKeys:
    """The pictures in `folder` whose names hold the numbers of frames [start, stop) of `clip`.

    The last number in a name counts; where names differ in an earlier one only (`004_v2.png`),
    that one does. `first_number` is that of the clip's first frame; unless it
    is given, it is 0, or for an image sequence the number of its first file, or one more or less
    where the pictures show that the keys were counted so. Other files are left alone.

    Raises:
        KeyframesUnusable: there is no such folder or no key in it, two files stand for one frame,
            or a number is not one of the clip's.
    """
    folder = Path(folder)
    named = _numbered(folder)
    first = clip.first_number if first_number is None else first_number
    warnings: tuple[str, ...] = ()
    if first_number is None:
        first, warnings = _counted_from(named, clip)
    files: dict[int, Path] = {}
    outside: list[Path] = []
    for file, number in named.items():
        index = number - first
        if not 0 <= index < clip.info.frame_count:
            is_any_inside = min(named.values()) - first < clip.info.frame_count
            raise KeyframesUnusable(
                file, _outside(number, first, clip.info.frame_count, is_any_inside=is_any_inside)
            )
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
    warnings += _guesses(files.values())
    warnings += _told(
        "is of a kind that is not read here and is not used; save it as PNG", _unread(folder, named)
    )
    warnings += _told("has no number in its name and is not used", _pictures(folder) - set(named))
    warnings += _told("lies outside the range and is not used", set(outside))
    return PaintedKeys(folder, dict(sorted(files.items())), warnings)


def misplaced(files: Mapping[int, Path], clip: Clip) -> tuple[str, ...]:
    """What the user should know of keys (by frame) that look like a frame beside their own."""
    return tuple(_misfit(fit, 0) for fit in fits_of(files, clip) if fit.offset and fit.is_clear)


def is_numbered_key(file: Path) -> bool:
    """Whether a file of this name counts as a key in a folder of painted keys."""
    return _is_picture(file) and _NUMBER.search(file.stem) is not None


def _counted_from(named: Mapping[Path, int], clip: Clip) -> tuple[int, tuple[str, ...]]:
    """The number of the clip's first frame as the keys are counted, and what to say of it."""
    first = clip.first_number
    # One key beyond the last frame would be found a frame earlier, if it was counted from 1.
    files = {number - first: file for file, number in named.items()}
    fits = fits_of(files, clip)
    clear = [fit for fit in fits if fit.is_clear]
    telling = fits if clear or len(fits) >= _AGREEING else ()
    offsets = {fit.offset for fit in telling}
    shifted = first - (offsets.pop() if len(offsets) == 1 else 0)
    if shifted == first or not 0 <= shifted <= min(named.values()):
        return first, tuple(_misfit(fit, first) for fit in clear if fit.offset)
    if not clear:
        return first, (
            f"the keys may be numbered from {shifted}, which would show each of them at a wrong "
            f"frame; {_counting(shifted)} if they are, or {_counting(first)} if not",
        )
    return shifted, (
        f"the keys are numbered from {shifted}: they look like the frames that are counted from "
        f"{shifted}, and are taken so; {_counting(first)} if they are counted from {first}",
    )


def _misfit(fit: NumberingFit, first: int) -> str:
    looks_like = fit.index + fit.offset + first
    return (
        f"{fit.file.name} looks like frame {looks_like}, not {fit.index + first} "
        f"(frames are counted from {first}); check its number"
    )


def _outside(number: int, first: int, count: int, *, is_any_inside: bool) -> str:
    last = first + count - 1
    hint = ""
    if number == last + 1:
        hint = (
            f"; frames are counted from {first}, so {_counting(first + 1)} if the keys "
            f"are counted from {first + 1}, or"
        )
    reason = (
        f"the clip has no frame {number}, only {first} to {last}{hint or ';'} "
        "rename the file or move it elsewhere"
    )
    if hint or is_any_inside:
        return reason
    return f"{reason}, or {said(Remedy.TELL_FIRST_NUMBER)}"


def _counting(number: int) -> str:
    return said(Remedy.FIRST_NUMBER, number)


def _numbered(folder: Path) -> dict[Path, int]:
    if not folder.is_dir():
        reason = "this is a file; name a folder" if folder.exists() else "there is no such folder"
        raise KeyframesUnusable(folder, f"{reason}; {_NAMING}")
    pictures = sorted(_pictures(folder))
    if not pictures:
        raise KeyframesUnusable(folder, f"the folder holds no pictures; {_NAMING}")
    named = _frame_numbers([file for file in pictures if _NUMBER.search(file.stem)])
    if not named:
        raise KeyframesUnusable(
            pictures[0], f"there is no frame number in this name or in any other; {_NAMING}"
        )
    return named


def _frame_numbers(files: Sequence[Path]) -> dict[Path, int]:
    """The number that counts in each name, which holds at least one."""
    alike: dict[str, dict[Path, list[re.Match[str]]]] = {}
    for file in files:
        # All digits made one, the names of a version or a take are the same.
        shape = _NUMBER.sub("0", file.stem)
        alike.setdefault(shape, {})[file] = list(_NUMBER.finditer(file.stem))
    found: dict[Path, int] = {}
    for numbers in alike.values():
        place = _telling_place([list(own) for own in numbers.values()])
        found |= {file: signed_number(file.stem, own[place]) for file, own in numbers.items()}
    return found


def _telling_place(names: Sequence[Sequence[re.Match[str]]]) -> int:
    """Which of the numbers in names of one shape is the frame's: the last one that can be."""
    columns = list(zip(*names, strict=True))
    places = [
        place
        for place, column in enumerate(columns)
        if not is_version(column[0].string[: column[0].start()])
    ] or list(range(len(columns)))
    if len(places) > 1 and all(_COPY.search(own[-1].string) for own in names):
        earlier = places[:-1]
        if any(len({one[0] for one in columns[place]}) == len(names) for place in earlier):
            places = earlier
    differing = [place for place in places if len({one[0] for one in columns[place]}) == len(names)]
    is_fixed = len(names) > 1 and len({one[0] for one in columns[places[-1]]}) == 1
    if is_fixed and differing:
        return differing[-1]
    if len(names) == 1:
        # A number that is filled up by zeros counts frames.
        padded = [place for place in places if columns[place][0][0].startswith("0")]
        padded = [place for place in padded if len(columns[place][0][0]) > 2]
        return padded[-1] if padded else places[-1]
    return places[-1]


def _guesses(files: Iterable[Path]) -> tuple[str, ...]:
    """What to say of names in which another number than the last one is taken for the frame's."""
    shapes = [_NUMBER.sub("0", file.stem) for file in files]
    said: list[str] = []
    for file in files:
        places = list(_NUMBER.finditer(file.stem))
        is_of_version = is_version(file.stem[: places[-1].start()])
        taken = _telling_place([places])
        is_alone = shapes.count(_NUMBER.sub("0", file.stem)) == 1
        if is_alone and not is_of_version and taken != len(places) - 1:
            said.append(
                f"{file.name} is taken as frame {int(places[taken][0])}, not {int(places[-1][0])}; "
                f"if that is wrong, {_NAMING}"
            )
    return tuple(said)


def _pictures(folder: Path) -> set[Path]:
    try:
        files = listed(folder)
    except OSError as error:
        raise KeyframesUnusable(folder, "it cannot be read; check its permissions") from error
    return {file for file in files if _is_picture(file) and file.is_file()}


def _unread(folder: Path, named: Iterable[Path]) -> set[Path]:
    """Numbered documents of paint programs of which no key was saved under the same name."""
    saved = {file.stem for file in named}
    return {
        file
        for file in listed(folder)
        if file.suffix.lower() in UNREAD_SUFFIXES
        and _NUMBER.search(file.stem)
        and not file.name.startswith(".")
        and file.stem not in saved
    }


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in KEY_SUFFIXES and not file.name.startswith(".")


def _told(what: str, files: set[Path]) -> tuple[str, ...]:
    return tuple(f"{file.name} {what}" for file in sorted(files))


def read_key(file: Path, clip: Clip, index: int) -> Image:
    """The painted picture of frame `index` at the clip's size.

    Where it is transparent, as a layer is that was saved alone, the clip's own frame shows.

    Raises:
        KeyframesUnusable: it cannot be read, or has another shape than the clip.
    """
    key = _read(file)
    size = _checked_size(file, key, clip.info)
    image = resize(key.image, size)
    if key.alpha is None:
        return image
    frame = next(clip.frames_at([index])).image
    return _over(image, resize(key.alpha, size), frame)


def check_keys(files: Iterable[Path], info: ClipProperties) -> tuple[str, ...]:
    """What the user should know of painted pictures; what is true of several is said once.

    Raises:
        KeyframesUnusable: one cannot be read, or has another shape than the clip.
    """
    said: dict[str, list[str]] = {}
    for file in files:
        for sentence in (*_noted(file), *check_key(file, info)):
            said.setdefault(sentence.removeprefix(file.name), []).append(file.name)
    return tuple(
        f"{names[0]}{what}" + (f"; likewise {', '.join(names[1:])}" if names[1:] else "")
        for what, names in said.items()
    )


def _noted(file: Path) -> tuple[str, ...]:
    """What is taken of a file that says less, or holds more, than one picture does."""
    try:
        notes = (*read_header(file).notes, *((JOINED,) if is_joined(file) else ()))
    except ClipError as error:
        raise KeyframesUnusable(file, error.reason) from error
    return tuple(f"{file.name}: {note}" for note in notes)


def check_key(file: Path, info: ClipProperties) -> tuple[str, ...]:
    """What the user should know of a painted picture.

    Raises:
        KeyframesUnusable: it cannot be read, or has another shape than the clip.
    """
    key = _read(file)
    size = _checked_size(file, key, info)
    height, width = key.image.shape[:2]
    said: list[str] = []
    if (width, height) not in (size, _display_size(info)):
        said.append(
            f"{file.name} is {width}x{height} and was resized to the clip's {size[0]}x{size[1]}"
        )
    if key.alpha is not None and not key.alpha.any():
        said.append(f"{file.name} is wholly transparent, so the clip's own frame stays as it is")
    elif key.alpha is not None:
        said.append(
            f"{file.name} is laid over the clip's frame, which shows where it is transparent"
        )
    return tuple(said)


def _over(image: Image, alpha: NDArray[np.uint8], frame: Image) -> Image:
    """Colours that were multiplied by `alpha`, over `frame`."""
    kept = cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.add(image, cv2.multiply(frame, kept, scale=1 / 255)), np.uint8)


def _checked_size(file: Path, key: Still, info: ClipProperties) -> tuple[int, int]:
    """The clip's size, if the key has its shape: as it is stored, or as it is displayed."""
    height, width = key.image.shape[:2]
    stored, shown = info.width / info.height, info.width * info.sample_aspect / info.height
    is_square = info.sample_aspect == 1
    tolerance = _SAME_ASPECT if is_square else _ROUNDED_ASPECT
    shapes = (width / height, width * key.pixel_aspect / height)
    if any(abs(shape / wanted - 1) <= tolerance for shape in shapes for wanted in (stored, shown)):
        return info.width, info.height
    own = f"{info.width}x{info.height}"
    if not is_square:
        own += " (shown as {}x{})".format(*_display_size(info))
    raise KeyframesUnusable(
        file,
        f"it is {width}x{height} and the clip {own}, which is another shape; "
        "paint it over a frame of the clip",
    )


def _display_size(info: ClipProperties) -> tuple[int, int]:
    return display_size(info.width, info.height, info.sample_aspect)


def _read(file: Path) -> Still:
    try:
        return read_still(file)
    except ClipError as error:
        raise KeyframesUnusable(file, error.reason) from error
