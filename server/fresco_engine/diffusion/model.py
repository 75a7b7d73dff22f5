"""A loaded model, as everything that runs it sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from fresco_settings import marked

from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.detectors.places import NO_PLACES, DetectorPlaces
from fresco_engine.diffusion.few_step import FewStep, sampling_doubts
from fresco_engine.diffusion.library import NO_LIBRARY, Library
from fresco_engine.settings import ModelDefaults, RestyleSettings, Style, resolve

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

_LEAST_SHARE = 0.75
"""Of the size that a model of XL's shape was made for, below which its pictures fall apart."""


@dataclass(frozen=True)
class TextReader:
    """A text encoder with the tokenizer that it was trained with."""

    encoder: CLIPTextModel | CLIPTextModelWithProjection
    tokenizer: CLIPTokenizer


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """Networks ready to run on `device` in `dtype`, and what the model's maker says of them.

    `controls` bind structure, all at once; there may be none.
    `max_prompt_tokens` counts the two tokens that mark begin and end. `few_step` is what it needs
    if it, or a LoRA in it, is distilled for few steps; `defaults` have taken that in. In `library`
    are the embeddings that prompts name. `detectors` says where those may lie that are loaded
    only when they are wanted. With `is_tiled` its autoencoder works on one part of a picture after
    the other, in less memory. One of Stable Diffusion XL's shape has a second text encoder and
    tokenizer; where `zeros_no_words`, an empty negative prompt is zeros to it, not empty words.
    """

    name: str
    unet: UNet2DConditionModel
    vae: AutoencoderKL | AutoencoderTiny
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    scheduler_config: dict[str, Any]
    controls: tuple[LoadedControl, ...]
    defaults: ModelDefaults
    device: torch.device
    dtype: torch.dtype
    max_prompt_tokens: int
    styles: tuple[Style, ...] = ()
    few_step: FewStep | None = None
    library: Library = NO_LIBRARY
    detectors: DetectorPlaces = NO_PLACES
    is_tiled: bool = False
    text_encoder_2: CLIPTextModelWithProjection | None = None
    tokenizer_2: CLIPTokenizer | None = None
    zeros_no_words: bool = False

    @property
    def is_xl(self) -> bool:
        """Whether it is of Stable Diffusion XL's shape."""
        return self.text_encoder_2 is not None

    @property
    def downscale(self) -> int:
        """How many pixels of a picture's side one of its latents' stands for."""
        vae: Any = self.vae
        return 2 ** (len(vae.config.block_out_channels) - 1)

    @property
    def readers(self) -> tuple[TextReader, ...]:
        """Its text encoders, whose states stand beside each other in what the U-Net sees."""
        first = TextReader(self.text_encoder, self.tokenizer)
        if self.text_encoder_2 is None or self.tokenizer_2 is None:
            return (first,)
        return first, TextReader(self.text_encoder_2, self.tokenizer_2)

    def resolved(self, settings: RestyleSettings) -> RestyleSettings:
        """`settings` with all that was left to the style or the model; raises as `resolve`."""
        return resolve(settings, self.defaults, self.styles)

    def doubts(self, settings: RestyleSettings) -> Iterator[str]:
        """What the user should know of resolved `settings` that do not suit this model."""
        yield from sampling_doubts(settings, self.few_step)
        latents = self.unet.config["sample_size"]
        own = self.downscale * latents if isinstance(latents, int) else 0
        if self.is_xl and settings.size < _LEAST_SHARE * own:
            yield (
                f"the model was made for pictures of {own} px, and at {settings.size} px it draws "
                f"things twice or cut off; choose {own} for {marked('size')}, or a model for less"
            )
