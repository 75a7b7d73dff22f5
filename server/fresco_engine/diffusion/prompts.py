"""Prompts as the U-Net reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
def encode_prompt(model: Model, texts: Sequence[str], clip_skip: int = 1) -> Tensor:
    """The text encoder's hidden states: (len(texts), tokens, c) on the model's device.

    They are those of the layer `clip_skip` from its end, 1 the last, as web interfaces count.

    Raises:
        InvalidSettings: a text is longer than the text encoder takes; the sentence says by how
            much, and which words would be lost; or the text encoder has no such layer.
    """
    layers = int(model.text_encoder.config.num_hidden_layers)
    if not 1 <= clip_skip <= layers:
        raise InvalidSettings(
            "clip_skip",
            f"the text encoder has no layer {clip_skip} from its end; use 1 to {layers}",
        )
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
    states = _hidden_states(model, ids.to(model.device), clip_skip).to(model.dtype)  # len tokens c
    return require_finite(model, states, "reading the prompt")


def _hidden_states(model: Model, ids: Tensor, clip_skip: int) -> Tensor:
    encoder: Any = model.text_encoder
    if clip_skip == 1:
        return encoder(ids)[0]
    states = encoder(ids, output_hidden_states=True).hidden_states[-clip_skip]
    # Newer versions of the library keep the norm of the last layer one level higher.
    norm = getattr(encoder, "text_model", encoder).final_layer_norm
    return norm(states)


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
