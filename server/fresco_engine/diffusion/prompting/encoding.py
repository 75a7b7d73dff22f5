"""Prompts as the U-Net reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from fresco_media.files.text import counted
from torch import Tensor

from fresco_engine.diffusion.finite import require_finite
from fresco_engine.diffusion.prompting.chunks import MARKS, Chunk, Token, Tokenise, chunks_of
from fresco_engine.diffusion.prompting.embeddings import embeddings_in
from fresco_engine.diffusion.prompting.files import embeddings_of
from fresco_engine.diffusion.prompting.grammar import Moment, Sections, parse
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import InvalidSettings

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model, TextReader

_ONLY = Moment()
_WORDS_PER_TOKEN = 0.75
_MOST_CHUNKS = 20
_LEAST_MEAN = 0.01
"""What the mean must be of the spread to be a measure of anything; that of CLIP's is a tenth."""


@dataclass(frozen=True)
class Words:
    """Texts as the U-Net reads them, (len(texts), tokens, c) on the model's device.

    `pooled`, (len(texts), c'), is what the second text encoder of a model of Stable Diffusion XL's
    shape makes of each as a whole; of others it is `None`.
    """

    states: Tensor
    pooled: Tensor | None = None


@dataclass(frozen=True)
class MixedPrompt:
    """Texts that are read as one: the mean of what each says, by shares that make 1 in all.

    A share above 1 goes beyond a text, away from those of less than nothing.
    """

    parts: tuple[tuple[str, float], ...]


def encode_prompt(
    model: Model, texts: Sequence[str], clip_skip: int = 1, moment: Moment = _ONLY
) -> Tensor:
    """The states of `encode_words` alone; raises as that."""
    return encode_words(model, texts, clip_skip, moment).states


@torch.no_grad()
def encode_words(
    model: Model, texts: Sequence[str], clip_skip: int = 1, moment: Moment = _ONLY
) -> Words:
    """The text encoders' hidden states, beside each other where there are two.

    They are those of the layer `clip_skip` from the one that the model was trained with, 1 that
    one, as web interfaces count: the last, or in XL's shape the last but one. Texts are read for
    the denoising step `moment`, in their syntax (`grammar`); one without syntax that fits into one
    chunk is read as plain CLIP does, bit for bit. All have as many chunks as the longest, empty
    ones at the end. What is pooled is the first chunk, without weights.

    Raises:
        InvalidSettings: a text is longer than any picture could follow, or a text encoder has no
            such layer.
        ModelError: an embedding that a text names cannot be used.
    """
    layers = min(int(reader.encoder.config.num_hidden_layers) for reader in model.readers)
    layers -= int(model.is_xl)
    if not 1 <= clip_skip <= layers:
        raise InvalidSettings(
            "clip_skip",
            f"the text encoder has no layer {clip_skip} from its end; use 1 to {layers}",
        )
    sections = [parse(text).sections(moment) for text in texts]
    with quiet_libraries():
        prompts = [_chunks(model, reader, sections) for reader in model.readers]
    longest = max(len(chunks) for of_reader in prompts for chunks in of_reader)
    states: list[Tensor] = []
    pooled = None
    for reader, of_reader in zip(model.readers, prompts, strict=True):
        rows = [chunk for chunks in of_reader for chunk in _filled_up(chunks, longest)]
        read, pooled = _read(model, reader, rows, clip_skip)
        read = _weighted(read, rows).to(model.dtype)  # (len chunks) tokens c
        states.append(read.reshape(len(texts), -1, read.shape[-1]))
    together = states[0] if len(states) == 1 else torch.cat(states, dim=-1)
    whole = None if pooled is None else pooled[::longest].to(model.dtype)
    return Words(require_finite(model, together, "reading the prompt"), whole)


TokenRow = Sequence[int | None]
"""The tokens of a text as the U-Net sees them; None for marks and padding, and for an embedding's
vector a number of its own."""


def token_rows(model: Model, texts: Sequence[str], moment: Moment = _ONLY) -> list[TokenRow]:
    """What stands where in the states that `encode_words` makes of the same texts."""
    (reader, *_), length = model.readers, model.max_prompt_tokens
    sections = [parse(text).sections(moment) for text in texts]
    with quiet_libraries():
        prompts = _chunks(model, reader, sections)
    longest = max(len(chunks) for chunks in prompts)
    return [
        [token for chunk in _filled_up(chunks, longest) for token in _row(chunk, length)]
        for chunks in prompts
    ]


def _row(chunk: Chunk, length: int) -> list[int | None]:
    words = [token if isinstance(token, int) else -1 - at for at, token in enumerate(chunk.tokens)]
    return [None, *words, *[None] * (length - 1 - len(words))]


def _filled_up(chunks: Sequence[Chunk], count: int) -> list[Chunk]:
    return [*chunks, *[Chunk()] * (count - len(chunks))]


def encode_steps(
    model: Model, prompts: Sequence[str | MixedPrompt], steps: int, clip_skip: int = 1
) -> tuple[Words, ...]:
    """`encode_words` for each of so many denoising steps; steps that read alike share theirs."""
    rows = [one.parts if isinstance(one, MixedPrompt) else ((one, 1.0),) for one in prompts]
    texts = [text for row in rows for text, _ in row]
    read = _encode_steps(model, texts, steps, clip_skip)
    if all(isinstance(one, str) for one in prompts):
        return read
    shares = torch.zeros(len(rows), len(texts), dtype=torch.float32, device=model.device)
    column = 0
    for index, row in enumerate(rows):
        for _, share in row:
            shares[index, column] = share
            column += 1
    mixed = {id(words): _mixed(words, shares) for words in read}
    return tuple(mixed[id(words)] for words in read)


def _mixed(words: Words, shares: Tensor) -> Words:
    """Words whose rows are sums of those of `words` by `shares`, (new rows, rows)."""

    def mean(states: Tensor) -> Tensor:
        return torch.tensordot(shares, states.float(), dims=1).to(states)

    return Words(mean(words.states), None if words.pooled is None else mean(words.pooled))


def _encode_steps(
    model: Model, texts: Sequence[str], steps: int, clip_skip: int
) -> tuple[Words, ...]:
    prompts = [parse(text) for text in texts]
    known: dict[tuple[Sections, ...], Words] = {}
    found: list[Words] = []
    for step in range(steps):
        moment = Moment(step, steps)
        read = tuple(prompt.sections(moment) for prompt in prompts)
        if read not in known:
            known[read] = encode_words(model, texts, clip_skip, moment)
        found.append(known[read])
    return tuple(found)


def _chunks(model: Model, reader: TextReader, prompts: Sequence[Sections]) -> list[list[Chunk]]:
    """The chunks of each prompt."""
    room, tokenise = model.max_prompt_tokens - MARKS, _tokenise(model, reader)
    comma = _ids(reader, ",")[-1]
    found = [chunks_of(sections, tokenise, comma, room) for sections in prompts]
    for chunks in found:
        if len(chunks) > _MOST_CHUNKS:
            over = sum(len(chunk.tokens) for chunk in chunks[_MOST_CHUNKS:])
            raise InvalidSettings(
                "prompt",
                f"it is about {counted(_in_words(over), 'word')} longer than can be read "
                f"({_in_words(_MOST_CHUNKS * room)}); shorten it",
            )
    return found


def _in_words(tokens: int) -> int:
    """How many words of English that many tokens are; who writes a prompt counts no tokens."""
    return max(1, round(tokens * _WORDS_PER_TOKEN))


def _tokenise(model: Model, reader: TextReader) -> Tokenise:
    width, named = int(reader.encoder.config.hidden_size), embeddings_of(model.library)

    def tokenise(text: str) -> Iterator[Sequence[Token]]:
        for part in embeddings_in(text, named, width, is_xl=model.is_xl):
            if isinstance(part, str):
                yield from ([token] for token in _ids(reader, part))
            else:
                yield part

    return tokenise


def _ids(reader: TextReader, text: str) -> list[int]:
    return list(reader.tokenizer(text, add_special_tokens=False).input_ids)


def _read(
    model: Model, reader: TextReader, rows: Sequence[Chunk], clip_skip: int
) -> tuple[Tensor, Tensor | None]:
    """What a text encoder says of each chunk by itself, and of it as a whole."""
    tokenizer: Any = reader.tokenizer
    length = model.max_prompt_tokens
    begin, end, padding = (
        int(token)
        for token in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
    )
    ids = torch.full((len(rows), length), padding)
    vectors: dict[tuple[int, int], Tensor] = {}
    for row, chunk in enumerate(rows):
        # Never its end, where a text encoder looks for what it says of the whole.
        plain = [token if isinstance(token, int) else begin for token in chunk.tokens]
        ids[row, : len(plain) + MARKS] = torch.tensor([begin, *plain, end])
        for at, token in enumerate(chunk.tokens):
            if isinstance(token, Tensor):
                vectors[row, at + 1] = token
    with _standing_in(reader, vectors):
        if model.is_xl:
            return _inner_states(reader, ids.to(model.device), clip_skip)
        return _hidden_states(reader, ids.to(model.device), clip_skip), None


@contextmanager
def _standing_in(reader: TextReader, vectors: dict[tuple[int, int], Tensor]) -> Iterator[None]:
    """Inside, the text encoder sees `vectors` at their row and place instead of a word's."""
    if not vectors:
        yield
        return
    encoder: Any = reader.encoder

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


def _inner_states(reader: TextReader, ids: Tensor, clip_skip: int) -> tuple[Tensor, Tensor | None]:
    """Those before the last layer, without the norm behind it, and what is pooled, if it is."""
    encoder: Any = reader.encoder
    said = encoder(ids, output_hidden_states=True)
    return said.hidden_states[-clip_skip - 1], getattr(said, "text_embeds", None)


def _hidden_states(reader: TextReader, ids: Tensor, clip_skip: int) -> Tensor:
    encoder: Any = reader.encoder
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
