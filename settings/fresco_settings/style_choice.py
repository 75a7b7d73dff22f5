"""Looks by name: one, or several with a share each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fresco_settings.errors import InvalidSettings

LARGEST_SHARE = 2
"""Beyond it pictures fall apart."""
_BETWEEN = re.compile(r"(?<!:\d),|,(?!\s*\d)")


@dataclass(frozen=True)
class StyleChoice:
    """Names of looks in the order they were named, each with its share.

    Shares that make 1 in all are a mixture; a single look of more than 1 is pushed.
    """

    shares: Mapping[str, float]

    def __str__(self) -> str:
        """The text that is parsed to it."""
        if [*self.shares.values()] == [1]:
            return next(iter(self.shares))
        return ",".join(f"{name}:{share:g}" for name, share in self.shares.items())

    @staticmethod
    def parse(text: str) -> StyleChoice:
        """The choice that `text` stands for: "oil", "oil:0.7,neon:0.3" or "oil:1.3".

        Without shares all have the same. A comma before a digit is a decimal mark after one digit,
        as everywhere: "oil:0,7,neon:0,3".

        Raises:
            InvalidSettings: a name is missing or named twice, or a share is missing or no number
                above 0 to 2.
        """
        parts = [[piece.strip() for piece in part.partition(":")] for part in _BETWEEN.split(text)]
        names = [name for name, _, _ in parts]
        if not all(names):
            raise InvalidSettings(
                "style", f"{text!r} has a look without a name; write them as oil:0.7,neon:0.3"
            )
        for name in names:
            if names.count(name) > 1:
                raise InvalidSettings("style", f"{name} is named twice; name each look once")
        if not any(colon for _, colon, _ in parts):
            return StyleChoice(dict.fromkeys(names, 1 / len(names)))
        return StyleChoice({name: _share(name, share) for name, _, share in parts})


def _share(name: str, text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not 0 < value <= LARGEST_SHARE:
        told = f"{text!r} is no share of {name}" if text else f"{name} has no share"
        raise InvalidSettings(
            "style", f"{told}; give each look a number above 0, at most {LARGEST_SHARE}"
        )
    return value
