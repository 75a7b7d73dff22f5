"""Prompts as the U-Net reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from fresco_engine.diffusion.finite import require_finite
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import InvalidSettings

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model

_MARKS = 2
"""Tokens that every prompt needs beside its words: one for its begin, one for its end."""
_SHOWN = 60
"""Characters of a lost end that a sentence on a terminal still has room for."""


@torch.no_grad()
def encode_prompt(model: Model, texts: Sequence[str]) -> Tensor:
    """The text encoder's last hidden states: (len(texts), tokens, c) on the model's device.

    Raises:
        InvalidSettings: a text is longer than the text encoder takes; the sentence says by how
            much, and which words would be lost.
    """
    for text in texts:
        check_length(model, text)
    with quiet_libraries():
        ids = model.tokenizer(
            list(texts),
            padding="max_length",
            max_length=model.max_prompt_tokens,
            truncation=True,
            return_tensors="pt",
        ).input_ids
    states = model.text_encoder(ids.to(model.device))[0].to(model.dtype)  # len tokens c
    return require_finite(model, states, "reading the prompt")


def check_length(model: Model, text: str) -> None:
    """Raises `InvalidSettings` where `text` does not fit into the text encoder."""
    room = model.max_prompt_tokens - _MARKS
    with quiet_libraries():
        ids = model.tokenizer(text, add_special_tokens=False).input_ids
        lost = str(model.tokenizer.decode(ids[room:])).strip()
    if len(ids) <= room:
        return
    over = len(ids) - room
    if len(lost) > _SHOWN:
        lost = f"{lost[:_SHOWN]}..."
    raise InvalidSettings(
        "prompt",
        f"it is {over} token{'s' if over > 1 else ''} longer than the model takes ({room}); "
        f"shorten it, or this end would be lost: '{lost}'",
    )
