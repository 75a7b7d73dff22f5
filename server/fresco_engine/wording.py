"""Prompts as people bring them from other programs: what is not read here is told, not painted.

Front ends in the browser have a syntax of their own for weights, LoRAs and the like. The text
encoder would read its signs as words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fresco_settings import Remedy, marked, said

_FILE_TAG = re.compile(r"<\s*(lora|lyco|hypernet)\s*:\s*([^:<>]+?)\s*(?::\s*([^<>]*?)\s*)?>", re.I)
_TIDIED = ((re.compile(r"\s*,(\s*,)+"), ","), (re.compile(r"\s{2,}"), " "))
_PLAIN_SIGNS = (
    re.compile(r"\([^()]+:\s*[+-]?[0-9]*\.?[0-9]+\s*\)"),  # (blue:1.8)
    re.compile(r"\({2,}[^()]+\){2,}"),  # ((blue))
    re.compile(r"\[[^\[\]]*[:|][^\[\]]*\]"),  # [oil:ink:0.5] and [oil|ink]
    re.compile(r"\[{2,}[^\[\]]+\]{2,}"),  # [[blue]]
    re.compile(r"\bBREAK\b"),
    re.compile(r"\{[^{}]*\|[^{}]*\}"),  # {oil|ink}
    re.compile(r"__[\w/-]+__"),  # __colours__
)
_EMBEDDING = re.compile(r"\bembedding:\s*[\w./-]+", re.I)
_SHOWN = 40


def plain_words(text: str) -> str:
    """`text` without tags that name files, such as `<lora:ink:0.8>`; other texts as they are."""
    if not _FILE_TAG.search(text):
        return text
    text = _FILE_TAG.sub("", text)
    for pattern, instead in _TIDIED:
        text = pattern.sub(instead, text)
    return text.strip(" ,")


def wording_doubts(texts: Sequence[str]) -> Iterator[str]:
    """What the user should know of prompts with another program's syntax."""
    for text in texts:
        for tag in _FILE_TAG.finditer(text):
            yield _of_tag(tag)
    signs = [sign for text in texts for sign in _signs_in(text)]
    if signs:
        shown = ", ".join(dict.fromkeys(signs[:3]))
        yield (
            f"{shown} in the prompt {'is' if len(signs) == 1 else 'are'} taken as plain words, as "
            "weights, alternatives and BREAK are not read here; say it in words, or change "
            f"{marked('guidance_scale')}"
        )
    for text in texts:
        for found in _EMBEDDING.finditer(text):
            yield (
                f"{_short(found[0])} in the prompt is taken as plain words, as embeddings are not "
                "read here; leave it out"
            )


def _of_tag(tag: re.Match[str]) -> str:
    kind, name, weight = tag[1].lower(), tag[2], tag[3]
    told = f"{_short(tag[0])} in the prompt is left out, as words load no files"
    if kind == "hypernet":
        return f"{told}, and hypernetworks are not read here"
    given = f"{name}.safetensors:{weight}" if weight else f"{name}.safetensors"
    return f"{told}; {said(Remedy.ADD_NAMED_LORA, _short(given))}"


def _signs_in(text: str) -> Iterator[str]:
    text = _FILE_TAG.sub("", text)
    for pattern in _PLAIN_SIGNS:
        yield from (_short(found[0]) for found in pattern.finditer(text))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
