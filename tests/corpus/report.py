"""What a run of the corpus found, as tables: for people, and for the documentation."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.corpus import kinds
from tests.corpus.items import AXES, Item, all_items
from tests.corpus.outcome import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
_TITLES = {
    "container": "file",
    "codec": "pictures",
    "pixels": "pixel format",
    "rate": "frames a second",
    "sound": "sound",
    "channels": "channels of sound",
    "shape": "sound tracks",
    "turn": "orientation",
    "colour": "colours",
    "aspect": "shape of a pixel",
    "start": "first time",
    "group": "dependence of frames",
}
_HEAD = """\
# Which files Fresco takes

Made by `python -m tests.corpus --write`: {count} small clips, each another combination of what
FFmpeg can write, so chosen that every two values that matter to each other occur together. Of each
clip it is asked:

- every picture that FFmpeg shows is a frame, in order, with its time to the container's rounding;
- size, orientation and pixel shape are right, and colours within 2 levels of what the codec's
  samples stand for by the standard's formulas (for HDR: grey stays grey);
- any frame alone is that frame among all, and the desktop app shows the same;
- written again as MP4, MKV or MOV it has the same frames at the same times, and every sound track
  is where it was to the millisecond.

Where that cannot be, a sentence says so before the work.

    python -m tests.corpus                 # all of them, with a table at the end
    python -m tests.corpus NAME ...        # some, by name or by a part of it
    python -m tests.corpus --json FILE     # what was found, for programs

A part, in which every value below occurs, runs with the tests (`tests/corpus/test_corpus.py`).
"""


def failures(outcomes: Iterable[Outcome]) -> str:
    """Everything that is wrong, alike things together, the most frequent first."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for outcome in outcomes:
        for text in outcome.failures:
            groups[_alike(text)].append((outcome.name, text))
        if outcome.status == "unwritable":
            groups[f"unwritable: {_alike(outcome.sentence)}"].append((outcome.name, ""))
    lines: list[str] = []
    for kind, found in sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        lines.append(f"\n## {len(found)} x {kind}\n")
        lines += [f"- `{name}` {text}".rstrip() for name, text in found]
    return "\n".join(lines)


def _alike(text: str) -> str:
    text = re.sub(r"\((\d+, ?)+\d*\)", "(…)", text)
    return re.sub(r"-?\d+(\.\d+)?(/\d+)?", "N", text)[:120]


def table(outcomes: Sequence[Outcome]) -> str:
    """How many items of each value of each axis passed, were refused or failed."""
    found = {outcome.name: outcome.status for outcome in outcomes}
    lines = [
        "| axis | value | items | pass | refused | fail |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for axis, values in AXES:
        for value in values:
            statuses = [
                found[item.name]
                for item in all_items()
                if item.name in found and getattr(item, axis) == value
            ]
            counts = [statuses.count(status) for status in ("passes", "refused", "fails")]
            if statuses:
                shown = " | ".join(str(count) for count in (len(statuses), *counts))
                lines.append(f"| {_TITLES[axis]} | {value} | {shown} |")
    return "\n".join(lines)


def as_json(outcomes: Sequence[Outcome]) -> str:
    """All that was found."""
    return json.dumps([asdict(outcome) for outcome in outcomes], indent=1, ensure_ascii=False)


def page(outcomes: Sequence[Outcome]) -> str:
    """The page of the documentation: what was tried, and what is refused with which sentence."""
    parts = [_HEAD.format(count=len(all_items())), *_axes(), *_refused(outcomes)]
    return "\n".join(parts)


def listed_items(text: str) -> list[str]:
    """The lines of a page that follow from the list of items alone."""
    return [line for line in text.splitlines() if line.startswith("| ") and line.count("|") == 4]


def refused_by_page(text: str) -> dict[str, str]:
    """Names of the items that a page says are refused, and the sentences."""
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", text, re.MULTILINE))


def _axes() -> list[str]:
    lines = ["\n## What was tried\n", "| what | value | clips |", "| --- | --- | --- |"]
    for axis, values in AXES:
        for value in values:
            count = sum(getattr(item, axis) == value for item in all_items())
            lines.append(f"| {_TITLES[axis]} | {_described(axis, value)} | {count} |")
    return lines


def _described(axis: str, value: str) -> str:
    if axis == "container" and value in kinds.MUXERS and kinds.MUXERS[value] != value:
        return f"{value} ({kinds.MUXERS[value]})"
    return value


def _refused(outcomes: Sequence[Outcome]) -> list[str]:
    refused = [outcome for outcome in outcomes if outcome.status == "refused"]
    if not refused:
        return ["\n## What is refused\n", "Nothing.", ""]
    sentences: dict[str, list[Item]] = defaultdict(list)
    items = {item.name: item for item in all_items()}
    for outcome in refused:
        sentences[outcome.sentence].append(items[outcome.name])
    lines = ["\n## What is refused\n"]
    for sentence, found in sentences.items():
        lines += [f"{len(found)} clips: {_in_common(found)}.\n", f"> {sentence}\n"]
    lines += ["| clip | sentence |", "| --- | --- |"]
    lines += [f"| `{outcome.name}` | {outcome.sentence} |" for outcome in refused]
    return [*lines, ""]


def _in_common(items: Sequence[Item]) -> str:
    """What all of `items` share, by axis, in words."""
    shared = [
        f"{_TITLES[axis]} {value}"
        for axis, value in asdict(items[0]).items()
        if all(getattr(item, axis) == value for item in items)
    ]
    return ", ".join(shared) or "of several kinds"
