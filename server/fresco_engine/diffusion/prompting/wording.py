"""Prompts as people bring them from other programs: what is not read here is told, not painted.

Front ends in the browser have a syntax of their own. The text encoder would read as words what is
left of its signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fresco_media.files.numbers import decimal_of

from fresco_engine.diffusion.prompting.grammar import parse, short

_FILE_TAG = re.compile(r"<\s*(lora|lyco|hypernet)\s*:\s*([^:<>]+?)\s*(?::\s*([^<>]*?)\s*)?>", re.I)
_TIDIED = ((re.compile(r"\s*,(\s*,)+"), ","), (re.compile(r"\s{2,}"), " "))
_PLAIN_SIGNS = (
    re.compile(r"\{[^{}]*\|[^{}]*\}"),  # {oil|ink}
    re.compile(r"__[\w/-]+__"),  # __colours__
    re.compile(r"\bAND\b"),
)


@dataclass(frozen=True)
class LoraTag:
    """A LoRA named in a prompt, `<lora:ink:0.8>`; `doubt` says what of it is not read."""

    name: str
    weight: float = 1.0
    doubt: str = ""


def plain_words(text: str) -> str:
    """`text` without tags that name files, such as `<lora:ink:0.8>`; other texts as they are."""
    if not _FILE_TAG.search(text):
        return text
    text = _FILE_TAG.sub("", text)
    for pattern, instead in _TIDIED:
        text = pattern.sub(instead, text)
    return text.strip(" ,")


def lora_tags(text: str) -> Iterator[LoraTag]:
    """The LoRAs that a prompt names."""
    for found in _FILE_TAG.finditer(text):
        if found[1].lower() != "hypernet":
            yield _lora_tag(short(found[0]), found[2], (found[3] or "").strip())


def _lora_tag(shown: str, name: str, weights: str) -> LoraTag:
    first, *others = weights.split(":")
    if not first:
        return LoraTag(name)
    doubt = ""
    try:
        weight = decimal_of(first)
    except ValueError:
        weight, doubt = 1.0, f"no weight is read in {shown} in the prompt; write <lora:NAME:0.8>"
    if others and others != [first]:
        doubt = (
            f"of the weights in {shown} in the prompt only the first is read; write <lora:NAME:0.8>"
        )
    return LoraTag(name, weight, doubt)


def wording_doubts(texts: Sequence[str]) -> Iterator[str]:
    """What the user should know of prompts with another program's syntax."""
    for text in texts:
        for tag in _FILE_TAG.finditer(text):
            if tag[1].lower() == "hypernet":
                yield (
                    f"{short(tag[0])} in the prompt is left out, as hypernetworks are not read "
                    "here; look for a LoRA of the same look"
                )
        yield from (tag.doubt for tag in lora_tags(text) if tag.doubt)
        yield from parse(plain_words(text)).doubts
    signs = [sign for text in texts for sign in _signs_in(text)]
    if signs:
        shown = ", ".join(dict.fromkeys(signs[:3]))
        yield (
            f"{shown} in the prompt {'is' if len(signs) == 1 else 'are'} taken as plain words, as "
            "wildcards and compositions are not read here; say it in words, or as [oil|ink]"
        )


def _signs_in(text: str) -> Iterator[str]:
    # Where everything is in capitals a word in them says nothing.
    is_loud = text.isupper()
    for pattern in _PLAIN_SIGNS:
        found = (short(one[0]) for one in pattern.finditer(_FILE_TAG.sub("", text)))
        yield from (one for one in found if not (is_loud and one == "AND"))
