"""What options hold that are more than a number or a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from fresco_engine.errors import InvalidSettings

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_range(text: str | None) -> tuple[int, int | None]:
    """First frame and the frame after the last from `A:B`, `A:` or `:B`.

    Raises:
        InvalidSettings: the text has another form.
    """
    found = re.fullmatch(r"(\d*):(\d*)", text or ":")
    if found is None:
        raise InvalidSettings("range", f"{text!r} is not of the form A:B, for example 0:48 or 24:")
    return int(found[1] or 0), int(found[2]) if found[2] else None


def parse_gaps(text: str | None) -> tuple[int, int]:
    """Smallest and largest distance of keyframes from `MIN:MAX`.

    Raises:
        InvalidSettings: the text has another form.
    """
    found = re.fullmatch(r"(\d+):(\d+)", text or "5:20")
    if found is None:
        raise InvalidSettings("keyframes", f"{text!r} is not of the form MIN:MAX, for example 5:20")
    return int(found[1]), int(found[2])


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
        prompts[int(index)] = words.strip()
    return prompts


def parse_frame_rate(text: str | None) -> Fraction | None:
    """An exact rate from `24`, `23.976` or `24000/1001`.

    Raises:
        InvalidSettings: the text is no positive number.
    """
    if text is None:
        return None
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise InvalidSettings(
            "frame-rate", f"{text!r} is no positive number; give for example 25 or 30000/1001"
        )
    return rate


def parse_size(option: str, text: str) -> int:
    """Bytes from `200G`, `1.5T` or `4096`; K, M, G and T stand for powers of 1024.

    Raises:
        InvalidSettings: the text has another form or is nothing.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    count = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if count <= 0:
        raise InvalidSettings(option, f"{text!r} is no size; give for example 500M or 200G")
    return count


def parse_keyframe_changes(
    keyframes: Sequence[str], seeds: Sequence[str]
) -> dict[int, tuple[str | None, int | None]]:
    """New words and seed by frame index, from `N` or `N=TEXT` and `N=SEED`.

    Raises:
        InvalidSettings: a text has another form, or there is none.
    """
    changes: dict[int, tuple[str | None, int | None]] = {}
    for text in keyframes:
        index, sign, words = text.partition("=")
        if not index.strip().isdecimal() or (sign and not words.strip()):
            raise InvalidSettings(
                "keyframe", f"{text!r} is not of the form N or N=TEXT, for example 48='snow falls'"
            )
        changes[int(index)] = words.strip() or None, None
    for text in seeds:
        index, _, seed = text.partition("=")
        if not (index.strip().isdecimal() and seed.strip().isdecimal()):
            raise InvalidSettings("seed", f"{text!r} is not of the form N=SEED, for example 48=7")
        words = changes.get(int(index), (None, None))[0]
        changes[int(index)] = words, int(seed)
    if not changes:
        raise InvalidSettings("keyframe", "name at least one keyframe that is to be made anew")
    return changes
