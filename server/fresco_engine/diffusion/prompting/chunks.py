"""Prompts in chunks that fit into a text encoder, with a weight for every token.

A text encoder reads 77 tokens at once, of which two mark begin and end. What is longer goes in
several chunks of 75, each read by itself; the U-Net then sees them one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from torch import Tensor

from fresco_engine.diffusion.prompting.grammar import Piece, Sections

MARKS = 2
"""Tokens that every chunk needs beside its words: one for its begin, one for its end."""
_TORN = 20
"""Tokens after a comma that go to the next chunk with what follows, so that no phrase is torn."""

Token: TypeAlias = "int | Tensor"
"""A token's number in the vocabulary, or the vector (c) of an embedding that stands for one."""
Tokenise = Callable[[str], Iterable[Sequence[Token]]]
"""The tokens of a text, in groups that belong together."""


@dataclass
class Chunk:
    """Tokens that fit between the marks, and their weights."""

    tokens: list[Token] = field(default_factory=list[Token])
    weights: list[float] = field(default_factory=list[float])

    @property
    def is_plain(self) -> bool:
        """Whether no token weighs more or less than it does by itself."""
        return all(weight == 1 for weight in self.weights)

    def add(self, tokens: Sequence[Token], weight: float) -> None:
        """More tokens of one weight."""
        self.tokens.extend(tokens)
        self.weights.extend([weight] * len(tokens))

    def torn_off(self, comma: int) -> Chunk:
        """What stands after the last comma, if that is little; it is no longer in this chunk."""
        for at in range(len(self.tokens) - 1, max(0, len(self.tokens) - 1 - _TORN), -1):
            last = self.tokens[at - 1]
            if isinstance(last, int) and last == comma:
                rest = Chunk(self.tokens[at:], self.weights[at:])
                del self.tokens[at:], self.weights[at:]
                return rest
        return Chunk()


def chunks_of(sections: Sections, tokenise: Tokenise, comma: int, room: int) -> list[Chunk]:
    """The chunks of a prompt, at least one, of at most `room` tokens; a section begins its own."""
    return [chunk for section in sections for chunk in _filled(section, tokenise, comma, room)]


def _filled(section: Sequence[Piece], tokenise: Tokenise, comma: int, room: int) -> list[Chunk]:
    chunks = [Chunk()]
    for piece in section:
        for group in tokenise(piece.text):
            if len(chunks[-1].tokens) + len(group) > room:
                chunks.append(chunks[-1].torn_off(comma))
            chunks[-1].add(group, piece.weight)
    return chunks
