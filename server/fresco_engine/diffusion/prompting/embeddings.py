"""Textual inversion: words that a file has the vectors of, used by its name in a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fresco_engine.diffusion.finite import are_finite
from fresco_engine.diffusion.prompting.chunks import Token
from fresco_engine.diffusion.prompting.files import embeddings_at
from fresco_engine.diffusion.published import Published, tensors_of, unpacked
from fresco_engine.diffusion.weights import WeightsKind, kind_of, read_header, wrong_kind
from fresco_engine.errors import ModelCorrupt, WrongModelKind

_MOST_VECTORS = 75
_MOST_BYTES = 8 << 20
_OF_BOTH = ("clip_l", "clip_g")
"""What files for XL call the vectors for its first and its second text encoder."""
_OF_OTHERS = {
    768: "Stable Diffusion 1.x",
    1024: "Stable Diffusion 2.x",
    1280: "Stable Diffusion XL",
}
_PUBLISHED = Published(
    name="a textual inversion embedding",
    get="get the embedding again, best as .safetensors",
    other="something else",
)


def embeddings_in(
    text: str, named: Mapping[str, Path], width: int, *, is_xl: bool = False
) -> Iterator[str | Sequence[Token]]:
    """`text` in parts: words, and where one of `named` is its vectors, each of `width`.

    For one of the text encoders of a model of XL's shape a file's vectors are those that are meant
    for it.

    Raises:
        WrongModelKind: it is made for another text encoder, or no embedding.
        ModelCorrupt, ModelNotFound: its file cannot be read.
    """
    end = 0
    for (start, stop), path in embeddings_at(text, named):
        yield text[end:start]
        yield list(load_embedding(path, width, is_xl=is_xl))
        end = stop
    yield text[end:]


def load_embedding(path: Path, width: int, *, is_xl: bool = False) -> Tensor:
    """The vectors in a file, (n, width) in float32 on the CPU; raises as `embeddings_in`."""
    found = path.stat()
    return _loaded(path, width, is_xl, (found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=64)
def _loaded(path: Path, width: int, is_xl: bool, marks: tuple[int, int]) -> Tensor:
    held = _held(path)
    if is_xl and held.keys() >= set(_OF_BOTH):
        both = [{name: held[name]} for name in _OF_BOTH]
        fitting = [one for one in both if _width(_vectors(one)) == width]
        held = fitting[0] if fitting else both[0]
    vectors = _vectors(held)
    if vectors is None:
        raise WrongModelKind(
            path, "this is no textual inversion embedding; choose another file, or change its name"
        )
    if vectors.shape[1] != width:
        other = _OF_OTHERS.get(vectors.shape[1], "another model")
        fitting = f"Stable Diffusion {'XL' if is_xl else '1.x'}"
        raise WrongModelKind(
            path,
            f"this embedding's vectors have {vectors.shape[1]} numbers, as {other} takes, and this "
            f"model takes {width}; use one made for {fitting}, or leave its name out",
        )
    if not 1 <= len(vectors) <= _MOST_VECTORS or not are_finite([vectors]):
        raise ModelCorrupt(path, f"its vectors are no words' vectors; {_PUBLISHED.get}")
    return vectors


def _held(path: Path) -> Mapping[str, Any]:
    """What the file holds, by name."""
    if path.suffix.lower() != ".safetensors":
        held = unpacked(path, _PUBLISHED, _MOST_BYTES)
        return held if isinstance(held, Mapping) else {}
    kind = kind_of(read_header(path))
    if kind not in (WeightsKind.EMBEDDING, WeightsKind.UNKNOWN):
        raise wrong_kind(path, kind, "a textual inversion embedding")
    return tensors_of(path, _PUBLISHED)


def _width(vectors: Tensor | None) -> int | None:
    return None if vectors is None else vectors.shape[1]


def _vectors(held: Mapping[str, Any]) -> Tensor | None:
    """As A1111 writes them (`string_to_param`, `emb_params`), or diffusers (a name and a vector).

    Of an embedding for both text encoders of XL there is none.
    """
    inner = held.get("string_to_param", held)
    held = inner if isinstance(inner, Mapping) else {}
    tensors = [one for one in held.values() if isinstance(one, Tensor)]
    if len(tensors) != 1 or not tensors[0].is_floating_point():
        return None
    vectors = tensors[0].detach().to(torch.float32)
    if vectors.ndim == 1:
        vectors = vectors[None]
    return vectors if vectors.ndim == 2 else None
