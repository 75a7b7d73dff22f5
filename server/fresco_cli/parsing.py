"""What options hold that are more than a number or a name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from fresco_engine.errors import InvalidSettings
from fresco_media.files.numbers import decimal_of
from fresco_settings import FlowChoice

if TYPE_CHECKING:
    from fresco_client import KeyframeChange

_MOST_DIGITS = 40
_MOST_BYTES = 2**63
_SHOWN = 60
_NTSC = 1001
# 23.98 is rounded, 24.0 is not.
_LEAST_PLACES = 2
_RATE = re.compile(r"\d{0,30}(\.\d{0,30})?(e[+-]?\d{1,2})?|\d{1,30}/\d{1,30}", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def number(text: str | float) -> float:
    """A number in any way people write it: `0.75`, `0,75`; a default is one already.

    Raises:
        BadParameter: it is none.
    """
    try:
        return float(text)  # also nan and inf, to which each option has its own answer
    except ValueError:
        pass
    try:
        return decimal_of(str(text))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number; give for example 0.75") from None


def place(text: str | Path) -> Path:
    """The path of something that is written; a default is one already.

    Raises:
        BadParameter: it is empty, as a variable of a script that was never set. A path would make
            the current folder of that.
    """
    if not str(text).strip():
        raise typer.BadParameter("the name is empty; say where to write to")
    return Path(text)


def source(text: str) -> str:
    """The name of something that is read.

    Raises:
        BadParameter: it is empty, as a variable of a script that was never set. The work would be
            done without it, and nothing would tell.
    """
    if not text.strip():
        raise typer.BadParameter("the name is empty; say what to read, or leave the option out")
    return text


def source_place(text: str | Path) -> Path:
    """The path of something that is read, as `source`; a default is one already."""
    return text if isinstance(text, Path) else Path(source(text))


def given_place(text: str | Path) -> Path:
    """The path of what a command is given to work on.

    Raises:
        BadParameter: it is empty, as for `place`; the pictures in the current folder would be
            worked on.
    """
    if not str(text).strip():
        raise typer.BadParameter("the name is empty; say what to read")
    return Path(text)


def chosen(text: str) -> str:
    """The name of a choice.

    Raises:
        BadParameter: it is empty, as a variable of a script that was never set.
    """
    if not text.strip():
        raise typer.BadParameter("it is empty; choose something, or leave the option out")
    return text


def parse_range(text: str | None) -> tuple[int, int | None]:
    """First frame and the frame after the last from `A:B`, `A:` or `:B`.

    Raises:
        InvalidSettings: the text has another form.
    """
    found = re.fullmatch(r"(\d*):(\d*)", text or ":")
    if found is None:
        shown = short_text(text or "")
        raise InvalidSettings("range", f"{shown} is not of the form A:B, for example 0:48 or 24:")
    return _whole("range", found[1] or "0"), _whole("range", found[2]) if found[2] else None


def parse_keyframes(text: str) -> dict[str, Any]:
    """The settings that `MIN:MAX` or `N,N,...` stand for.

    Raises:
        InvalidSettings: the text has another form.
    """
    if re.fullmatch(r"\d+,(\d+,)*\d*", text):
        numbers = {_whole("keyframes", number) for number in text.split(",") if number}
        return {"keyframes": tuple(sorted(numbers))}
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if found is None:
        # A number alone may be meant as a frame, or as how far keyframes are apart.
        alone = f"; for frame {text} alone write {text}," if re.fullmatch(r"\d{1,9}", text) else ""
        raise InvalidSettings(
            "keyframes",
            f"{short_text(text)} is neither of the form MIN:MAX, for example 5:20, "
            f"nor N,N,..., as 0,24,48{alone}",
        )
    return {
        "keyframe_min": _whole("keyframes", found[1]),
        "keyframe_max": _whole("keyframes", found[2]),
    }


def parse_pictures(option: str, texts: Sequence[str]) -> dict[int, str]:
    """Absolute paths of pictures by frame index from `N=FILE`.

    Raises:
        InvalidSettings: a text has another form.
    """
    pictures: dict[int, str] = {}
    for text in texts:
        index, _, file = text.partition("=")
        if not (index.strip().isdecimal() and file.strip()):
            raise InvalidSettings(
                option, f"{text!r} is not of the form N=FILE, for example 48=painted.png"
            )
        pictures[_whole(option, index)] = str(Path(file.strip()).expanduser().absolute())
    return pictures


def parse_flow(text: str) -> dict[str, str]:
    """The setting that `dis`, `gmflow` or `gmflow:FILE` stands for, with the file's absolute path.

    Raises:
        InvalidSettings: the text has another form.
    """
    choice = FlowChoice.parse(text)
    file = choice.file and str(Path(choice.file).expanduser().absolute())
    return {"flow": str(FlowChoice(choice.kind, file))}


def parse_subject_mask(text: str) -> dict[str, str]:
    """The setting that the name of a clip stands for: its absolute path."""
    return {"subject_mask": str(Path(text).expanduser().absolute())}


def parse_reference(text: str) -> dict[str, str]:
    """The setting that the name of a picture stands for: its absolute path."""
    return {"reference": str(Path(text).expanduser().absolute())}


def parse_reference_model(text: str) -> dict[str, str]:
    """The setting that an IP-Adapter stands for: the absolute path of a file here, or its name."""
    path = Path(text).expanduser()
    is_path = path.exists() or len(path.parts) > 1
    return {"reference_model": str(path.absolute()) if is_path else text}


def parse_frame_prompts(texts: Sequence[str] | None) -> dict[int, str]:
    """Words by frame index from `N=TEXT`.

    Raises:
        InvalidSettings: a text has another form.
    """
    prompts: dict[int, str] = {}
    for text in texts or ():
        index, sign, words = text.partition("=")
        if not (sign and index.strip().isdecimal() and words.strip()):
            raise InvalidSettings(
                "frame-prompt", f"{text!r} is not of the form N=TEXT, for example 48='snow falls'"
            )
        prompts[_whole("frame-prompt", index)] = words.strip()
    return prompts


def parse_frame_rate(text: str | None) -> Fraction | None:
    """An exact rate from `24`, `12.5`, `12,5` or `24000/1001`.

    What editors write for a rate of NTSC's, such as 23.976 or 29.97, is that rate.

    Raises:
        InvalidSettings: the text is no positive number.
    """
    if text is None:
        return None
    try:
        text = text.strip().replace(",", ".")
        # An exponent of many digits would be worked out for ever.
        rate = Fraction(text) if _RATE.fullmatch(text) else Fraction(0)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise InvalidSettings(
            "frame-rate",
            f"{short_text(text)} is no positive number; give for example 25 or 30000/1001",
        )
    return _of_ntsc(text, rate) or rate


def _of_ntsc(text: str, rate: Fraction) -> Fraction | None:
    from fresco_media.video.timing import COMMON_RATES

    places = len(text.partition(".")[2])
    if places < _LEAST_PLACES:
        return None
    known = (one for one in COMMON_RATES if one.denominator == _NTSC)
    return next((one for one in known if round(one, places) == rate), None)


def parse_size(option: str, text: str) -> int:
    """Bytes from `200G`, `1.5T`, `1,5T` or `4096`; K, M, G and T stand for powers of 1024.

    Raises:
        InvalidSettings: the text has another form or is nothing.
    """
    found = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    wanted = decimal_of(found[1]) * _UNITS[found[2].upper()] if found else 0.0
    if not 1 <= wanted < _MOST_BYTES:
        raise InvalidSettings(
            option, f"{short_text(text)} is no size; give for example 500M or 200G"
        )
    return int(wanted)


def parse_keyframe_changes(
    keyframes: Sequence[str] = (),
    seeds: Sequence[str] = (),
    added: Sequence[str] = (),
    removed: Sequence[int] = (),
    painted: Sequence[str] = (),
) -> list[KeyframeChange]:
    """What is to be changed, in order of frames.

    Given are `N` or `N=TEXT` for keyframes to make anew and to add, `N=SEED`, and `N=FILE`.

    Raises:
        InvalidSettings: a text has another form, two say different things of one frame, or there
            is none.
    """
    # Only here, as the client takes its time to load.
    from fresco_client import KeyframeChange

    changes: dict[int, KeyframeChange] = {}

    def note(change: KeyframeChange) -> None:
        if change.index in changes:
            raise InvalidSettings(
                "keyframe", f"frame {change.index} is to be changed in two ways; choose one"
            )
        changes[change.index] = change

    for index, words in _words_by_frame("keyframe", keyframes):
        note(KeyframeChange(index=index, prompt=words))
    for index, words in _words_by_frame("add", added):
        note(KeyframeChange(index=index, kind="add", prompt=words))
    for index in removed:
        note(KeyframeChange(index=index, kind="remove"))
    for index, path in parse_pictures("paint", painted).items():
        note(KeyframeChange(index=index, kind="replace", picture_path=path))
    for text in seeds:
        index, _, seed = text.partition("=")
        if not (index.strip().isdecimal() and seed.strip().isdecimal()):
            raise InvalidSettings("seed", f"{text!r} is not of the form N=SEED, for example 48=7")
        frame = _whole("seed", index)
        change = changes.get(frame, KeyframeChange(index=frame))
        changes[frame] = replace(change, seed=_whole("seed", seed))
    if not changes:
        raise InvalidSettings("keyframe", "name at least one keyframe that is to be changed")
    return [changes[index] for index in sorted(changes)]


def _words_by_frame(option: str, texts: Sequence[str]) -> Iterator[tuple[int, str | None]]:
    for text in texts:
        index, sign, words = text.partition("=")
        if not index.strip().isdecimal() or (sign and not words.strip()):
            raise InvalidSettings(
                option, f"{text!r} is not of the form N or N=TEXT, for example 48='snow falls'"
            )
        yield _whole(option, index), words.strip() or None


def short_text(text: str) -> str:
    """What was given, quoted, as far as a sentence has room for it."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _whole(option: str, digits: str) -> int:
    """A number of a frame or a seed; there is no use for one of more than 64 bits."""
    if len(digits.strip()) > _MOST_DIGITS:
        raise InvalidSettings(option, f"{short_text(digits)} is too large a number")
    return int(digits)
