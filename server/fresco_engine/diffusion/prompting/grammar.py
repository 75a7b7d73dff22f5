"""The syntax of prompts that web front ends have made common, read into a tree.

`(words)` weigh 1.1 times as much, `[words]` 1/1.1, both nested as often as wanted; `(words:1.3)`
weigh 1.3 times. `[oil:ink:0.5]` is oil for the first half of the steps and ink for the rest, with a
number above 1 from that step on; `[oil|ink]` takes turns, step by step. `BREAK` begins a new part.
A backslash before a bracket, or before another backslash, makes a plain character of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

_STEP = 1.1
"""What a bracket without a number weighs."""
_TOKEN = re.compile(r"\\[\\()\[\]]|[()\[\]:|]|\bBREAK\b|[^\\()\[\]:|B]+|.", re.S)
_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+))\s*")
_PAIRS = {")": "(", "]": "["}
_MOST_WEIGHT = 2.0
_LARGEST = 1e6
_DEEPEST = 20
_BREAK = "BREAK"


@dataclass(frozen=True)
class Moment:
    """Which of the denoising steps a prompt is read for, counted from 0."""

    step: int = 0
    steps: int = 1


@dataclass(frozen=True)
class Piece:
    """Words of one weight."""

    text: str
    weight: float = 1.0


Sections = tuple[tuple[Piece, ...], ...]
"""The pieces between BREAKs."""


@dataclass(frozen=True)
class _Weighted:
    inside: tuple[_Node, ...]
    factor: float

    def read(self, moment: Moment, weight: float) -> Iterator[Piece | None]:
        yield from _read(self.inside, moment, weight * self.factor)


@dataclass(frozen=True)
class _Switched:
    """`before` until so many steps are made, a share of all of them up to 1, then `after`."""

    before: tuple[_Node, ...]
    after: tuple[_Node, ...]
    at: float
    is_share: bool

    def read(self, moment: Moment, weight: float) -> Iterator[Piece | None]:
        made = int(self.at * moment.steps) if self.is_share else int(self.at)
        chosen = self.before if moment.step < made else self.after
        yield from _read(chosen, moment, weight)


@dataclass(frozen=True)
class _Alternating:
    options: tuple[tuple[_Node, ...], ...]

    def read(self, moment: Moment, weight: float) -> Iterator[Piece | None]:
        yield from _read(self.options[moment.step % len(self.options)], moment, weight)


_Node: TypeAlias = "str | _Weighted | _Switched | _Alternating | None"
"""Words, something in brackets, or None for a BREAK."""


@dataclass(frozen=True)
class Prompt:
    """A prompt that was read; `doubts` say what in it may be meant otherwise."""

    nodes: tuple[_Node, ...]
    doubts: tuple[str, ...] = ()

    def sections(self, moment: Moment) -> Sections:
        """What it says at a moment: neighbours of one weight are one piece."""
        found: list[list[Piece]] = [[]]
        for piece in _read(self.nodes, moment, 1.0):
            if piece is None:
                found.append([])
            elif found[-1] and found[-1][-1].weight == piece.weight:
                found[-1][-1] = Piece(found[-1][-1].text + piece.text, piece.weight)
            else:
                found[-1].append(piece)
        return tuple(tuple(section) for section in found)


def _read(nodes: Sequence[_Node], moment: Moment, weight: float) -> Iterator[Piece | None]:
    for node in nodes:
        if node is None:
            yield None
        elif isinstance(node, str):
            yield Piece(node, weight)
        else:
            yield from node.read(moment, weight)


@dataclass
class _Open:
    """What a bracket that is not closed yet holds; parts of `[a:b|c` lie between `marks`."""

    bracket: str
    start: int
    parts: list[list[_Node]] = field(default_factory=lambda: [[]])
    marks: list[str] = field(default_factory=list[str])

    def add(self, *nodes: _Node) -> None:
        part = self.parts[-1]
        for node in nodes:
            if isinstance(node, str) and part and isinstance(part[-1], str):
                part[-1] += node
            else:
                part.append(node)

    def part(self, mark: str) -> None:
        self.marks.append(mark)
        self.parts.append([])

    def plain(self) -> list[_Node]:
        """Everything in it, its marks plain characters."""
        found = list(self.parts[0])
        for mark, part in zip(self.marks, self.parts[1:], strict=True):
            found += [mark, *part]
        return found

    def number(self) -> str | None:
        """The number after the last colon, if that is all there is."""
        if self.marks[-1:] != [":"] or len(self.parts[-1]) != 1:
            return None
        last = self.parts[-1][0]
        found = _NUMBER.fullmatch(last) if isinstance(last, str) else None
        return found[1] if found else None


def parse(text: str) -> Prompt:
    """A prompt read; nothing in a text is an error, but it may be doubted."""
    reader = _Reader(text)
    for token in _TOKEN.finditer(text):
        reader.take(token[0], token.start())
    return reader.prompt()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._open = [_Open("", 0)]
        self._doubts: list[str] = []

    def take(self, token: str, start: int) -> None:
        top = self._open[-1]
        if len(token) == 2 and token[0] == "\\":
            top.add(token[1])
        elif token in ("(", "[") and len(self._open) <= _DEEPEST:
            self._open.append(_Open(token, start))
        elif token in _PAIRS:
            self._close(token, start)
        elif token in (":", "|") and top.bracket:
            top.part(token)
        elif token == _BREAK:
            top.add(None)
        else:
            top.add(token)

    def prompt(self) -> Prompt:
        while len(self._open) > 1:
            left = self._open.pop()
            self._unpaired(left.bracket, left.start)
            self._open[-1].add(left.bracket, *left.plain())
        return Prompt(tuple(self._open[0].plain()), tuple(self._doubts))

    def _close(self, bracket: str, start: int) -> None:
        top = self._open[-1]
        if top.bracket != _PAIRS[bracket]:
            self._unpaired(bracket, start)
            top.add(bracket)
            return
        self._open.pop()
        shown = short(self._text[top.start : start + 1])
        made = self._round(top, shown) if bracket == ")" else self._square(top, shown)
        self._open[-1].add(made)

    def _round(self, top: _Open, shown: str) -> _Node:
        number = top.number()
        if number is None:
            return _Weighted(tuple(top.plain()), _STEP)
        weight = self._value(number, shown)
        if not 0 <= weight <= _MOST_WEIGHT:
            self._doubts.append(
                f"{shown} in the prompt is read as a weight of {weight:g}, and beyond 0 to "
                f"{_MOST_WEIGHT:g} pictures fall apart; write \\( and \\) where brackets are meant"
            )
        top.parts.pop()
        top.marks.pop()
        return _Weighted(tuple(top.plain()), weight)

    def _square(self, top: _Open, shown: str) -> _Node:
        number = top.number()
        if top.marks and set(top.marks) == {"|"}:
            return _Alternating(tuple(tuple(part) for part in top.parts))
        if number is not None and set(top.marks) == {":"} and len(top.parts) in (2, 3):
            at = self._value(number, shown)
            before = top.parts[0] if len(top.parts) == 3 else []
            # As in the front ends a whole number is a step, `1.0` all of them.
            is_share = at < 1 or (at == 1 and not number.isdigit())
            return _Switched(tuple(before), tuple(top.parts[-2]), at, is_share)
        if number is not None or "|" in top.marks:
            self._doubts.append(
                f"{shown} in the prompt is read as weaker words, as alternatives are [oil|ink] and "
                "changes [oil:ink:0.5]; write it as one of these"
            )
        return _Weighted(tuple(top.plain()), 1 / _STEP)

    def _value(self, number: str, shown: str) -> float:
        if "," in number:
            told = number.replace(",", ".")
            self._doubts.append(
                f"the comma in {shown} in the prompt is read as a decimal mark; write {told}"
            )
        return max(-_LARGEST, min(float(number.replace(",", ".")), _LARGEST))

    def _unpaired(self, bracket: str, start: int) -> None:
        missing = "opened" if bracket in _PAIRS else "closed"
        around = short(self._text[max(0, start - 10) : start + 20].strip())
        self._doubts.append(
            f"the bracket {bracket} at “{around}” in the prompt is never {missing}, and is taken "
            f"as a plain character; add the other one, or write \\{bracket}"
        )


_SHOWN = 40


def short(text: str) -> str:
    """`text` as a sentence may quote it."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
