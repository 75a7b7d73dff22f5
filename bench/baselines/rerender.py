"""Rerender-A-Video's temporal constraints (arXiv:2306.07954), keyframe after keyframe.

Attention looks at the first and the previous frame. Early steps take their shapes over (warped
latents), middle ones their pixels (warped results, encoded so that little is lost), late ones the
first frame's colours (AdaIN).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence, correspond
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.correspondence.warp import resize_flow, warp
from fresco_engine.diffusion.attention import (
    SelfAttention,
    attend,
    project_out,
    split_heads,
)
from fresco_engine.diffusion.latents import decode_latents, encode_images
from fresco_engine.diffusion.model import Model
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Image
from torch import Tensor
from torch.nn import functional as F

from baselines.attention import attending
from baselines.latents import StepPlace, clean_latents_through
from baselines.strategy import Keyframes, plain, translated

_SHAPES, _PIXELS, _COLOURS = (0.0, 0.1), (0.5, 0.8), (0.8, 1.0)
"""Shares of the steps in which each constraint acts."""


@dataclass
class _Kept:
    """What a translated keyframe leaves for later ones."""

    source: Image
    tokens: dict[str, list[Tensor]] = field(default_factory=dict[str, list[Tensor]])
    """Inputs (b n c) of each self-attention, step by step."""
    clean: list[Tensor] = field(default_factory=list[Tensor])
    """Predicted clean latents (1, c, h, w), step by step."""
    picture: Tensor | None = None
    """The result (1, 3, H, W) in [-1, 1]."""


@dataclass(frozen=True, eq=False)
class _Anchor:
    """An earlier keyframe, with the flow that leads to it from the one at hand."""

    kept: _Kept
    flow: Tensor  # 1 2 H W
    hidden: Tensor  # 1 1 H W, bool

    @staticmethod
    def of(kept: _Kept, image: Image, model: Model) -> _Anchor:
        pair: BatchCorrespondence = correspond((kept.source, image), DisFlow(), device=model.device)
        return _Anchor(kept, pair.backward[:1], pair.occluded_backward[:1, None])

    def shown(self, x: Tensor, own: Tensor) -> Tensor:
        """`own` with what the anchor shows of it taken from the anchor's map `x`."""
        height, width = x.shape[-2:]
        hidden = self.hidden.float()
        if hidden.shape[-2:] != (height, width):
            # A cell of which any part is hidden is hidden: half a seam is worse than none.
            hidden = F.adaptive_max_pool2d(hidden, (height, width))
        there = warp(x, resize_flow(self.flow, height, width))
        return torch.where(hidden > 0.5, own, there)


def rerender(model: Model, keyframes: Keyframes, settings: RestyleSettings) -> tuple[Image, ...]:
    """Each keyframe under the constraints of the first and of the one before."""
    settings = plain(settings)
    results: list[Image] = []
    first: _Kept | None = None
    previous: _Kept | None = None
    for index, image in zip(keyframes.indices, keyframes.images, strict=True):
        kept = _Kept(image)
        anchors = [_Anchor.of(one, image, model) for one in _distinct(first, previous)]
        alone = Keyframes((index,), (image,), correspond((image,), DisFlow(), device=model.device))
        constraints = _Constraints(model, kept, anchors)
        with (
            attending(model.unet, constraints.attention),
            clean_latents_through(model, settings, constraints.adapt),
        ):
            (made,) = translated(model, alone, settings)
        kept.picture = _as_tensor(made, model)
        results.append(made)
        first, previous = first or kept, kept
    return tuple(results)


def _distinct(first: _Kept | None, previous: _Kept | None) -> list[_Kept]:
    found = [one for one in (first, previous) if one is not None]
    return found[:1] if first is previous else found


class _Constraints:
    """How one keyframe is bound to its anchors; the previous frame, the last of them, wins."""

    def __init__(self, model: Model, kept: _Kept, anchors: list[_Anchor]) -> None:
        self._model = model
        self._kept = kept
        self._anchors = anchors

    def attention(self, name: str) -> _AnchoredAttention:
        """The processor of the layer `name`."""
        before = [anchor.kept.tokens[name] for anchor in self._anchors]
        return _AnchoredAttention(self._kept.tokens.setdefault(name, []), before)

    def adapt(self, clean: Tensor, place: StepPlace) -> Tensor | None:
        """The predicted clean latents (1, c, h, w) under the constraints of a step."""
        adapted = self._constrained(clean, place) if self._anchors else clean
        self._kept.clean.append(adapted)
        return adapted if self._anchors else None

    def _constrained(self, clean: Tensor, place: StepPlace) -> Tensor:
        if place.is_within(*_SHAPES):
            for anchor in self._anchors:
                clean = anchor.shown(anchor.kept.clean[place.index], clean)
        if place.is_within(*_PIXELS):
            clean = self._with_pixels(clean)
        if place.is_within(*_COLOURS):
            clean = _with_statistics(clean, self._anchors[0].kept.clean[place.index])
        return clean

    def _with_pixels(self, clean: Tensor) -> Tensor:
        picture = decode_latents(self._model, clean)
        for anchor in self._anchors:
            assert anchor.kept.picture is not None
            picture = anchor.shown(anchor.kept.picture, picture)
        hidden = torch.stack([anchor.hidden for anchor in self._anchors]).all(0).float()
        free = F.adaptive_max_pool2d(hidden, clean.shape[-2:]) > 0.5
        return torch.where(free, clean, self._encoded(picture).to(clean.dtype))

    def _encoded(self, picture: Tensor) -> Tensor:
        """Latents from which the picture comes back better than from the encoder's alone.

        What a round trip through the autoencoder loses is added once more beforehand.
        """
        once = encode_images(self._model, picture)
        twice = encode_images(self._model, decode_latents(self._model, once))
        return once + (once - twice)


class _AnchoredAttention:
    """Keys and values are those of the anchors at the same step; without any, the frame's own."""

    def __init__(self, kept: list[Tensor], before: list[list[Tensor]]) -> None:
        self._kept = kept
        self._before = before

    def __call__(
        self,
        attn: SelfAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """The layer's output for `hidden_states` b n c, of the same shape."""
        step = len(self._kept)
        self._kept.append(hidden_states)
        seen = [tokens[step] for tokens in self._before] or [hidden_states]
        shown = torch.cat(seen, 1)  # b m c
        query, key, value = (
            split_heads(project(tokens), attn)
            for project, tokens in (
                (attn.to_q, hidden_states),
                (attn.to_k, shown),
                (attn.to_v, shown),
            )
        )
        return project_out(attn, attend(query, key, value))


def _with_statistics(x: Tensor, other: Tensor) -> Tensor:
    """AdaIN: `x` (1, c, h, w) with the mean and deviation of each channel of `other`."""
    mean, deviation = x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True)
    other_mean, other_deviation = other.mean((2, 3), keepdim=True), other.std((2, 3), keepdim=True)
    return (x - mean) / deviation.clamp_min(1e-5) * other_deviation + other_mean


def _as_tensor(image: Image, model: Model) -> Tensor:
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    return pixels.to(model.device, torch.float32) / 127.5 - 1
