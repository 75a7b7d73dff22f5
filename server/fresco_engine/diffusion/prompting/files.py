"""Files that prompts name: LoRAs by tags such as `<lora:ink:0.8>`, embeddings by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fresco_settings import PROMPTS, Remedy, said

from fresco_engine.diffusion.library import FileKind, Library, is_of_kind
from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.prompting.grammar import short
from fresco_engine.diffusion.prompting.wording import LoraTag, lora_tags
from fresco_engine.errors import InvalidSettings

_ENDING = r"(?:\.(?:pt|bin|pth|safetensors))?"
_BEFORE, _AFTER = r"(?<![\w-])(?:embedding:\s*)?<?", rf"{_ENDING}>?(?![\w-])"
_EMBEDDINGS = (re.compile(r"\bembedding:\s*([\w./-]*\w)", re.I), re.compile(r"<([\w-]+)>"))


def named_loras(settings: Mapping[str, Any], library: Library) -> tuple[Lora, ...]:
    """The LoRAs that the prompts of `settings`, plain values, name; each once, the first counts.

    Raises:
        InvalidSettings: a LoRA or an embedding is named that lies in no folder, with those of like
            names.
    """
    found: dict[str, Lora] = {}
    for field, text in _texts(settings):
        for tag in lora_tags(text):
            path = library.find(FileKind.LORA, tag.name)
            if path is None:
                raise InvalidSettings(field, _no_lora(tag, library))
            found.setdefault(str(path), Lora(path, tag.weight))
        for pattern in _EMBEDDINGS:
            for name in pattern.findall(text):
                if library.find(FileKind.EMBEDDING, name) is None:
                    raise InvalidSettings(field, _no_embedding(name, library))
    return tuple(found.values())


def files_in_prompts(settings: Mapping[str, Any], library: Library) -> tuple[Path, ...]:
    """The LoRAs and embeddings that prompts name and that lie here; `settings` are plain values.

    Of those that do not it is no fault: they may lie where the work is done.
    """
    found: list[Path | None] = []
    named = embeddings_of(library)
    for _, text in _texts(settings):
        found += [library.find(FileKind.LORA, tag.name) for tag in lora_tags(text)]
        found += [path for _, path in embeddings_at(text, named)]
    return tuple(dict.fromkeys(path for path in found if path is not None))


def embeddings_of(library: Library) -> dict[str, Path]:
    """The files that may be embeddings, by their names in small letters.

    All folders are listed for it: once for a prompt, not for each of its pieces.
    """
    return {name.casefold(): path for name, path in library.files(FileKind.EMBEDDING).items()}


def embeddings_at(text: str, named: Mapping[str, Path]) -> Iterator[tuple[tuple[int, int], Path]]:
    """Where some of `embeddings_of` are named in `text`, from its beginning on, and their files.

    A name counts by itself, in angle brackets, or after `embedding:`, in any capitals.
    """
    paths = {name: path for name, path in named.items() if name in text.casefold()}
    paths = {name: path for name, path in paths.items() if is_of_kind(path, FileKind.EMBEDDING)}
    if not paths:
        return
    names = "|".join(re.escape(name) for name in sorted(paths, key=len, reverse=True))
    for found in re.finditer(f"{_BEFORE}({names}){_AFTER}", text, re.I):
        yield found.span(), paths[found[1].casefold()]


def _texts(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in PROMPTS:
        given = settings.get(field) or ""
        for text in (given,) if isinstance(given, str) else given.values():
            yield field, text


def _no_lora(tag: LoraTag, library: Library) -> str:
    named = short(tag.name)
    given = f"{named}.safetensors:{tag.weight:g}"
    return (
        f"it names the LoRA “{named}”, which lies in no model folder"
        f"{_near(FileKind.LORA, tag.name, library)}; {said(Remedy.ADD_NAMED_LORA, given)}, or "
        "leave it out"
    )


def _no_embedding(name: str, library: Library) -> str:
    return (
        f"it names the embedding “{short(name)}”, which lies in no model folder"
        f"{_near(FileKind.EMBEDDING, name, library)}; put its file beside the model, or leave it "
        "out"
    )


def _near(kind: FileKind, name: str, library: Library) -> str:
    near = library.near(kind, name)
    return f" (near it: {', '.join(near)})" if near else ""
