"""Numbers as people write them, read in one way whatever the language of the system is.

One mark between digits, a full stop or a comma, is the decimal mark: `0.75` and `0,75` are three
quarters, `1.000` and `1,000` are one. Spaces and apostrophes group digits by three (`1 000`,
`1'000`), and so do full stops or commas where the same mark comes twice (`1.000.000`) or the other
one follows (`1.234,5`). Everything else is no number, never another one.
"""

from __future__ import annotations

import math
import re
import unicodedata

_DECIMAL_MARKS = {".": ".", ",": ",", "٫": ".", "．": ".", "，": ",", "。": "."}
_GROUP_MARKS = "'’٬_"
_SIGNS = {"-": "-", "−": "-", "+": "+", "－": "-", "＋": "+"}
_UNSEEN = "\u200e\u200f\u061c\u2066\u2067\u2068\u2069\ufeff"
"""Marks of writing direction, which come along with what is copied from Arabic or Hebrew text."""
_PLAIN = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?P<mark> )\d{3})(?: \d{3})*(?:[.,]\d*)?")
_GROUPED_BY_MARKS = re.compile(
    r"[+-]?\d{1,3}(?:(?:\.\d{3})+,\d*|(?:,\d{3})+\.\d*|(?:\.\d{3}){2,}|(?:,\d{3}){2,})"
)
_BEGINNING = re.compile(r"[+-]?[\d., ]*([eE][+-]?\d*)?")


def decimal_of(text: str) -> float:
    """The number that a text is.

    Raises:
        ValueError: it is none.
    """
    plain = _plain(text)
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(" ", "")
    if _GROUPED_BY_MARKS.fullmatch(plain):
        marks = [character for character in plain if character in ".,"]
        plain = plain.replace(marks[0], "")
    number = float(plain.replace(",", ".")) if _PLAIN.fullmatch(plain) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is no number")
    return number


def whole_of(text: str) -> int:
    """The whole number that a text is: `12`, `1 000`, also `12,0`.

    Raises:
        ValueError: it is none.
    """
    plain = _plain(text)
    if re.fullmatch(r"[+-]?\d+", plain):
        return int(plain)  # of any size, which a float is not
    number = decimal_of(text)
    if not number.is_integer():
        raise ValueError(f"{text!r} is no whole number")
    return int(number)


def may_become_number(text: str) -> bool:
    """Whether a text that is being typed is the beginning of a number, or might be made one."""
    return _BEGINNING.fullmatch(_plain(text)) is not None


def _plain(text: str) -> str:
    """The same with digits 0 to 9, full stops, commas, and single spaces between groups."""
    return "".join(map(_plain_character, text)).strip()


def _plain_character(character: str) -> str:
    if character in _UNSEEN:
        return ""
    if character in _GROUP_MARKS or character.isspace():
        return " "
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    return _SIGNS.get(character) or _DECIMAL_MARKS.get(character, character)
