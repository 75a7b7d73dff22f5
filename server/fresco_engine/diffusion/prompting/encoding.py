"""Prompts as the U-Net reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from fresco_media.files.text import counted
from torch import Tensor

from fresco_engine.diffusion.finite import require_finite
from fresco_engine.diffusion.prompting.chunks import MARKS, Chunk, Token, Tokenise, chunks_of
from fresco_engine.diffusion.prompting.embeddings import embeddings_in
from fresco_engine.diffusion.prompting.grammar import Moment, Sections, parse
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import InvalidSettings

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model

_ONLY = Moment()
_MOST_CHUNKS = 20
_LEAST_MEAN = 0.01
"""What the mean must be of the spread to be a measure of anything; that of CLIP's is a tenth."""


@torch.no_grad()
def encode_prompt(
    model: Model, texts: Sequence[str], clip_skip: int = 1, moment: Moment = _ONLY
) -> Tensor:
    """The text encoder's hidden states: (len(texts), tokens, c) on the model's device.

    They are those of the layer `clip_skip` from its end, 1 the last, as web interfaces count. Texts
    are read for the denoising step `moment`, in their syntax (`grammar`); one without syntax that
    fits into one chunk is read as plain CLIP does, bit for bit. All have as many chunks as the
    longest, empty ones at the end.

    Raises:
        InvalidSettings: a text is longer than any picture could follow, or the text encoder has no
            such layer.
        ModelError: an embedding that a text names cannot be used.
    """
    layers = int(model.text_encoder.config.num_hidden_layers)
    if not 1 <= clip_skip <= layers:
        raise InvalidSettings(
            "clip_skip",
            f"the text encoder has no layer {clip_skip} from its end; use 1 to {layers}",
        )
    with quiet_libraries():
        prompts = [_chunks(model, parse(text).sections(moment)) for text in texts]
    longest = max(len(chunks) for chunks in prompts)
    rows = [
        chunk for chunks in prompts for chunk in (*chunks, *[Chunk()] * (longest - len(chunks)))
    ]
    states = _weighted(_read(model, rows, clip_skip), rows).to(model.dtype)  # (len chunks) tokens c
    states = states.reshape(len(texts), -1, states.shape[-1])
    return require_finite(model, states, "reading the prompt")


def encode_steps(
    model: Model, texts: Sequence[str], steps: int, clip_skip: int = 1
) -> tuple[Tensor, ...]:
    """`encode_prompt` for each of so many denoising steps; steps that read alike share theirs."""
    prompts = [parse(text) for text in texts]
    known: dict[tuple[Sections, ...], Tensor] = {}
    found: list[Tensor] = []
    for step in range(steps):
        moment = Moment(step, steps)
        read = tuple(prompt.sections(moment) for prompt in prompts)
        if read not in known:
            known[read] = encode_prompt(model, texts, clip_skip, moment)
        found.append(known[read])
    return tuple(found)


def _chunks(model: Model, sections: Sections) -> list[Chunk]:
    room = model.max_prompt_tokens - MARKS
    chunks = chunks_of(sections, _tokenise(model), _ids(model, ",")[-1], room)
    if len(chunks) > _MOST_CHUNKS:
        over = sum(len(chunk.tokens) for chunk in chunks[_MOST_CHUNKS:])
        raise InvalidSettings(
            "prompt",
            f"it is {counted(over, 'token')} longer than can be read ({_MOST_CHUNKS * room}); "
            "shorten it",
        )
    return chunks


def _tokenise(model: Model) -> Tokenise:
    width = int(model.text_encoder.config.hidden_size)

    def tokenise(text: str) -> Iterator[Sequence[Token]]:
        for part in embeddings_in(text, model.library, width):
            if isinstance(part, str):
                yield from ([token] for token in _ids(model, part))
            else:
                yield part

    return tokenise


def _ids(model: Model, text: str) -> list[int]:
    return list(model.tokenizer(text, add_special_tokens=False).input_ids)


def _read(model: Model, rows: Sequence[Chunk], clip_skip: int) -> Tensor:
    """What the text encoder says of each chunk by itself."""
    tokenizer: Any = model.tokenizer
    length = model.max_prompt_tokens
    begin, end, padding = (
        int(token)
        for token in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
    )
    ids = torch.full((len(rows), length), padding)
    vectors: dict[tuple[int, int], Tensor] = {}
    for row, chunk in enumerate(rows):
        plain = [token if isinstance(token, int) else end for token in chunk.tokens]
        ids[row, : len(plain) + MARKS] = torch.tensor([begin, *plain, end])
        for at, token in enumerate(chunk.tokens):
            if isinstance(token, Tensor):
                vectors[row, at + 1] = token
    with _standing_in(model, vectors):
        return _hidden_states(model, ids.to(model.device), clip_skip)


@contextmanager
def _standing_in(model: Model, vectors: dict[tuple[int, int], Tensor]) -> Iterator[None]:
    """Inside, the text encoder sees `vectors` at their row and place instead of a word's."""
    if not vectors:
        yield
        return
    encoder: Any = model.text_encoder

    def replaced(module: Any, inputs: Any, output: Tensor) -> Tensor:
        output = output.clone()  # rows tokens c
        for (row, at), vector in vectors.items():
            output[row, at] = vector.to(output)
        return output

    handle = encoder.get_input_embeddings().register_forward_hook(replaced)
    try:
        yield
    finally:
        handle.remove()


def _hidden_states(model: Model, ids: Tensor, clip_skip: int) -> Tensor:
    encoder: Any = model.text_encoder
    if clip_skip == 1:
        return encoder(ids)[0]
    states = encoder(ids, output_hidden_states=True).hidden_states[-clip_skip]
    # Newer versions of the library keep the norm of the last layer one level higher.
    norm = getattr(encoder, "text_model", encoder).final_layer_norm
    return norm(states)


def _weighted(states: Tensor, rows: Sequence[Chunk]) -> Tensor:
    """Every token's state times its weight, each chunk's mean as it was: z = w·z·mean(z)/mean(w·z).

    As the front ends do whose prompts these are. A mean that is next to nothing beside the spread
    is left: what weights make of it is chance.
    """
    if all(chunk.is_plain for chunk in rows):
        return states
    states = states.float().clone()  # rows tokens c
    for row, chunk in enumerate(rows):
        if chunk.is_plain:
            continue
        weights = torch.ones(states.shape[1], 1)
        weights[1 : 1 + len(chunk.weights), 0] = torch.tensor(chunk.weights)
        mean, least = states[row].mean(), _LEAST_MEAN * states[row].std()
        states[row] *= weights.to(states)
        changed = states[row].mean()
        if min(abs(mean), abs(changed)) > least:
            states[row] *= mean / changed
    return states
