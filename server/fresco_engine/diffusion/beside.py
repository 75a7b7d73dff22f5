"""What lies beside a file of weights, and in it, that tells people what it is for.

Download helpers and trainers note the words that call a look, and put a picture beside the file.
All of it is a stranger's text: bounded, and made fit to be shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fresco_media.files.text import printable

from fresco_engine.diffusion.intake import read_json
from fresco_engine.diffusion.weights import read_metadata
from fresco_engine.errors import ModelError

_TEXTS = (".civitai.info", ".json")
_PICTURES = tuple(
    f"{kind}{ending}" for kind in (".preview", "") for ending in (".png", ".jpg", ".jpeg", ".webp")
)
_MOST_WORDS, _LONGEST = 12, 200
_MOST_TAGS_BYTES = 4 << 20


@dataclass(frozen=True)
class Beside:
    """The words that call what a file holds, and a picture of it; either may be missing."""

    trigger_words: tuple[str, ...] = ()
    preview: Path | None = None


def beside(path: Path) -> Beside:
    """What is known of the weights in the file `path`; whatever cannot be read is not known.

    Words come from `NAME.civitai.info` or `NAME.json` beside it, from its maker's notes in it, and
    if there are none, from the captions it was trained with, the most frequent first.
    """
    found = dict.fromkeys(printable(word.strip()[:_LONGEST]) for word in _words(path))
    words = tuple(word for word in found if word)[:_MOST_WORDS]
    return Beside(words, next((one for one in _existing(path, _PICTURES)), None))


def files_beside(path: Path) -> list[Path]:
    """The files that `beside` goes by."""
    return [*_existing(path, _TEXTS), *_existing(path, _PICTURES)]


def _existing(path: Path, endings: Iterable[str]) -> Iterator[Path]:
    yield from (one for end in endings if (one := path.with_name(path.stem + end)).is_file())


def _words(path: Path) -> Iterator[str]:
    for text in _existing(path, _TEXTS):
        try:
            values = read_json(text)
        except ModelError:
            continue
        yield from _listed(values.get("trainedWords"))
        yield from _listed(values.get("activation text"))
    if path.suffix.lower() != ".safetensors":
        return
    try:
        notes = read_metadata(path)
    except ModelError:
        return
    phrases = _listed(notes.get("modelspec.trigger_phrase"))
    yield from phrases or _frequent(notes)


def _listed(value: object) -> list[str]:
    """Words that are a list, or one text with commas between them."""
    if isinstance(value, str):
        value = value[: _LONGEST * _MOST_WORDS].split(",")
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _frequent(notes: Mapping[str, str]) -> Iterator[str]:
    """The captions that kohya's trainer counted, over all of its folders."""
    text = notes.get("ss_tag_frequency", "")
    try:
        counted: Any = json.loads(text) if len(text) <= _MOST_TAGS_BYTES else {}
    except (ValueError, RecursionError):
        return
    sums: dict[str, int] = {}
    for tags in counted.values() if isinstance(counted, dict) else ():
        for tag, count in tags.items() if isinstance(tags, dict) else ():
            if isinstance(count, int):
                sums[tag] = sums.get(tag, 0) + count
    yield from sorted(sums, key=lambda tag: (-sums[tag], tag))[:_MOST_WORDS]
