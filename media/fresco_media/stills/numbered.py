"""Names of numbered pictures, such as `name_%04d.png`: parsed and made here, and nowhere else.

The last `%d` or `%04d` in a name stands for the number. Every other per cent sign stands for
itself, as they are legal in names: `100%_%04d.png` names `100%_0001.png`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# A hyphen before a number is a sign where something else divides it from the words before.
_IS_SIGNED = re.compile(r"(?:^|[_.])-$")
_NUMBER = re.compile(r"%(?:0([0-9]{1,2}))?d")
_DIGITS = re.compile(r"(?:(?:^|(?<=[_.]))-)?[0-9]+")
# Numbers of versions, takes and copies are not those of frames.
_VERSION = re.compile(r"(?<![a-z])(?:v|ver|version|rev|take|copy)[ ._(-]*$", re.IGNORECASE)


@dataclass(frozen=True)
class NumberedName:
    """Names that differ in one number of at least `digits` digits, filled up by zeros."""

    before: str
    digits: int
    after: str

    def name(self, number: int) -> str:
        """The name of one file."""
        return f"{self.before}{number:0{self.digits}d}{self.after}"

    def number_of(self, name: str) -> int | None:
        """The number in `name`, however many digits it has; None if it is not one of these names.

        Capitals after the number, as in `.PNG`, do not matter.
        """
        end = len(name) - len(self.after)
        middle = name[len(self.before) : end]
        is_ours = name.startswith(self.before) and name[end:].lower() == self.after.lower()
        if is_ours and re.fullmatch("[0-9]+", middle):
            return int(middle)
        is_negative = _IS_SIGNED.search(f"{self.before}-") and re.fullmatch("-[0-9]+", middle)
        return int(middle) if is_ours and is_negative else None

    def unescaped(self) -> NumberedName | None:
        """The same with `%%` for one per cent sign, as FFmpeg writes it; None without any."""
        before, after = self.before.replace("%%", "%"), self.after.replace("%%", "%")
        other = NumberedName(before, self.digits, after)
        return None if other == self else other


def parse_pattern(name: str) -> NumberedName | None:
    """The names that the file name `name` stands for; None if it has no place for a number."""
    places = list(_NUMBER.finditer(name))
    if not places:
        return None
    last = places[-1]
    return NumberedName(name[: last.start()], int(last[1] or 1), name[last.end() :])


def is_pattern(path: Path) -> bool:
    """Whether `path` stands for numbered files, unless there is a file of just that name."""
    return parse_pattern(path.name) is not None and not path.exists()


def signed_number(name: str, digits: re.Match[str]) -> int:
    """The number that `digits` found in `name`, below 0 behind a sign."""
    number = int(digits[0])
    return -number if _IS_SIGNED.search(name[: digits.start()]) else number


@dataclass(frozen=True)
class NumberPlace:
    """A number in a file's name: the names that differ from it in this number only.

    `shape` is the same for all names that differ in numbers only.
    """

    names: NumberedName
    number: int
    shape: str

    @property
    def before(self) -> str:
        """What stands before it."""
        return self.names.before

    @property
    def is_last(self) -> bool:
        """Whether nothing but the suffix comes after it."""
        return "." not in self.names.after[1:] and self.names.after.startswith(".")


def number_places(name: str) -> tuple[NumberPlace, ...]:
    """The numbers in the stem of `name`, which has a suffix, in their order."""
    stem, dot, suffix = name.rpartition(".")
    shape = f"{_DIGITS.sub('0', stem)}{dot}{suffix.lower()}"
    return tuple(
        NumberPlace(
            NumberedName(stem[: found.start()], 1, f"{stem[found.end() :]}{dot}{suffix}".lower()),
            int(found[0]),
            shape,
        )
        for found in _DIGITS.finditer(stem)
    )


def is_version(before: str) -> bool:
    """Whether a number behind `before` is that of a version, take or copy."""
    return _VERSION.search(before) is not None
