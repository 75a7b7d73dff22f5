"""FRESCO-guided attention (Eq. 7-9): three pure functions and the processor that joins them.

Queries, keys and values are token-major here, (b f) n heads d, as the projections give them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from diffusers.models.attention_processor import Attention
from einops import rearrange, repeat
from torch import Tensor
from torch.nn import functional as F

from fresco_engine.correspondence.trajectories import FlowPaths


class SelfAttention(Protocol):
    """What the processors use of a plain diffusers `Attention`."""

    heads: int
    to_q: Callable[[Tensor], Tensor]
    to_k: Callable[[Tensor], Tensor]
    to_v: Callable[[Tensor], Tensor]
    to_out: Sequence[Callable[[Tensor], Tensor]]


@dataclass(frozen=True, kw_only=True)
class LayerGuidance:
    """What one self-attention layer is given on one step; `None` leaves a part out."""

    frames: int
    reference: tuple[Tensor, Tensor] | None = None
    """Q^r and K^r of the input frames, (b f) n heads d each; one half may serve all."""
    spatial_scale: float = 5.0
    attended: Tensor | None = None
    """(m,) int64: the tokens, counted over all frames, that keys and values are taken from."""
    paths: FlowPaths | None = None
    temporal_scale: float = 5.0
    held: tuple[Tensor, Tensor] | None = None
    """Q and K that take the place of the layer's own, f n heads d each, in every half."""


def spatial_guided_query(
    query: Tensor, reference_query: Tensor, reference_key: Tensor, *, scale: float
) -> Tensor:
    """Queries gathered by the self-similarity of the input frames instead of their own.

    `query` is (b f) n heads d, the reference too, or f n heads d for every half. A larger `scale`
    gathers more widely.
    λ_s goes in as the softmax scale, not as a mask, so that the fast attention kernels apply and
    no n·n matrix is held. Source: Eq. 7 of FRESCO (arXiv:2403.12962).
    """
    halves = query.shape[0] // reference_query.shape[0]
    reference_query = repeat(reference_query, "f n heads d -> (b f) n heads d", b=halves)
    reference_key = repeat(reference_key, "f n heads d -> (b f) n heads d", b=halves)
    return attend(reference_query, reference_key, query, softness=scale)


def cross_frame_keys_values(
    attn: SelfAttention,
    hidden_states: Tensor,
    attended: Tensor,
    frames: int,
    key: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The keys and values, b m heads d, that all frames share: those of the `attended` tokens.

    `hidden_states` is (b f) n c. Only the m attended tokens are projected, unless keys of all
    tokens, (b f) n heads d, are given. Source: p_u in Eq. 8 of FRESCO (arXiv:2403.12962).
    """
    tokens = rearrange(hidden_states, "(b f) n c -> b (f n) c", f=frames)
    shown = tokens.index_select(1, attended)  # b m c
    value = split_heads(attn.to_v(shown), attn)
    if key is None:
        return split_heads(attn.to_k(shown), attn), value
    keys = rearrange(key, "(b f) n heads d -> b (f n) heads d", f=frames)
    return keys.index_select(1, attended), value


def temporal_guided_attention(
    query: Tensor, key: Tensor, value: Tensor, paths: FlowPaths, *, scale: float
) -> Tensor:
    """Values exchanged along each flow path, between frames that no break of it separates.

    All are (b f) n heads d; `query` and `key` are the layer's own, without spatial guidance, and
    `value` is what cross-frame attention returned. These are n attentions of f·f, in one batch:
    time and memory grow with n·f², against n²·f for self-attention. Source: Eq. 9 of FRESCO
    (arXiv:2403.12962).
    """
    frames, tokens = paths.order.shape
    first = torch.arange(frames, device=paths.order.device)[:, None] * tokens
    places = (paths.order + first).T.flatten()  # (n f)
    query, key, value = (_along_paths(x, places, frames) for x in (query, key, value))
    halves = query.shape[0] // tokens
    bias = _break_bias(paths, halves, query.dtype)
    result = attend(query, key, value, softness=scale, bias=bias)
    result = rearrange(result, "(b n) f heads d -> b (n f) heads d", b=halves)
    in_place = torch.empty_like(result).index_copy_(1, places, result)
    return rearrange(in_place, "b (f n) heads d -> (b f) n heads d", f=frames)


def _along_paths(x: Tensor, places: Tensor, frames: int) -> Tensor:
    """(b f) n heads d to (b n) f heads d, path by path."""
    tokens = rearrange(x, "(b f) n heads d -> b (f n) heads d", f=frames)
    gathered = tokens.index_select(1, places)
    return rearrange(gathered, "b (n f) heads d -> (b n) f heads d", f=frames)


def _break_bias(paths: FlowPaths, halves: int, dtype: torch.dtype) -> Tensor | None:
    """(b n) 1 f f, -inf between the sides of a break; none where no path breaks."""
    if not paths.is_broken:
        return None
    bias = torch.zeros(paths.mask.shape, dtype=dtype, device=paths.mask.device)
    return repeat(bias.masked_fill_(~paths.mask, -math.inf), "n i j -> (b n) 1 i j", b=halves)


def attend(
    query: Tensor, key: Tensor, value: Tensor, *, softness: float = 1.0, bias: Tensor | None = None
) -> Tensor:
    """softmax(Q Kᵀ / (softness √d) + bias) V for token-major tensors, ... heads d."""
    scale = None if softness == 1 else 1 / (softness * math.sqrt(query.shape[-1]))
    query, key, value = (x.transpose(1, 2) for x in (query, key, value))
    result = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=scale)
    return result.transpose(1, 2)


def split_heads(projected: Tensor, attn: SelfAttention) -> Tensor:
    """(..., n, heads·d) to (..., n, heads, d)."""
    return projected.unflatten(-1, (attn.heads, -1))


def project_out(attn: SelfAttention, result: Tensor) -> Tensor:
    """The layer's own way out: ... n heads d to ... n c."""
    return attn.to_out[1](attn.to_out[0](result.flatten(-2)))


class GuidedAttention:
    """Self-attention with those of FRESCO's three parts that the layer's guidance holds.

    Without any of them it is bitwise equal to the stock `AttnProcessor2_0`. Cross-frame attention
    is one call of f·n queries against the m shared keys: its time grows with f·n·m, its memory
    with f·n + m only, as the kernels keep no weights.
    """

    def __init__(self, guidance: Callable[[], LayerGuidance]) -> None:
        self._guidance = guidance

    def __call__(
        self,
        attn: SelfAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """The layer's output for `hidden_states` (b f) n c, of the same shape."""
        assert encoder_hidden_states is None
        assert attention_mask is None
        guidance = self._guidance()
        query, held_key = _held(hidden_states, guidance)
        if query is None:
            query = split_heads(attn.to_q(hidden_states), attn)
        key, value = _keys_values(attn, hidden_states, guidance, held_key)
        result = _attend_shared(_spatially_guided(query, guidance), key, value)
        if guidance.paths is not None:
            # Shared keys are those of the attended tokens only; paths need every token's own.
            own_key = key if guidance.attended is None else held_key
            if own_key is None:
                own_key = split_heads(attn.to_k(hidden_states), attn)
            result = temporal_guided_attention(
                query, own_key, result, guidance.paths, scale=guidance.temporal_scale
            )
        return project_out(attn, result)


def _held(
    hidden_states: Tensor, guidance: LayerGuidance
) -> tuple[Tensor, Tensor] | tuple[None, None]:
    """Q and K that are held, (b f) n heads d each."""
    if guidance.held is None:
        return None, None
    halves = len(hidden_states) // guidance.frames
    query, key = (repeat(x, "f n heads d -> (b f) n heads d", b=halves) for x in guidance.held)
    return query, key


def _keys_values(
    attn: SelfAttention, hidden_states: Tensor, guidance: LayerGuidance, held: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Each frame's own, (b f) n heads d, or those shared by all frames, b m heads d."""
    if guidance.attended is not None:
        return cross_frame_keys_values(
            attn, hidden_states, guidance.attended, guidance.frames, held
        )
    key = split_heads(attn.to_k(hidden_states), attn) if held is None else held
    return key, split_heads(attn.to_v(hidden_states), attn)


def _spatially_guided(query: Tensor, guidance: LayerGuidance) -> Tensor:
    if guidance.reference is None:
        return query
    return spatial_guided_query(query, *guidance.reference, scale=guidance.spatial_scale)


def _attend_shared(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Eq. 8: frames that share keys ask together. (b f) n heads d, of which f may be 1."""
    tokens = query.shape[1]
    together = rearrange(query, "(b f) n heads d -> b (f n) heads d", b=key.shape[0])
    result = attend(together, key, value)
    return rearrange(result, "b (f n) heads d -> (b f) n heads d", n=tokens)


class RecordingAttention:
    """Plain self-attention that hands its queries and keys, b n heads d, to `keep`."""

    def __init__(self, keep: Callable[[Tensor, Tensor], None]) -> None:
        self._keep = keep

    def __call__(
        self,
        attn: SelfAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """The layer's output for `hidden_states` b n c, of the same shape."""
        assert encoder_hidden_states is None
        assert attention_mask is None
        query = split_heads(attn.to_q(hidden_states), attn)
        key, value = attn.to_k(hidden_states), attn.to_v(hidden_states)
        key, value = split_heads(key, attn), split_heads(value, attn)
        self._keep(query, key)
        return project_out(attn, attend(query, key, value))


@dataclass(frozen=True)
class ShownPicture:
    """What a layer reads of a picture, (b f) m heads d each, and how much that counts."""

    key: Tensor
    value: Tensor
    strength: float


class CrossAttention:
    """Cross-attention to the prompt and, by itself, to what a picture says; the results are added.

    With a picture alone it is bitwise equal to diffusers' `IPAdapterAttnProcessor2_0` where keys
    and values are the ones that it would make. Source: decoupled cross-attention, section 3.2.2 of
    IP-Adapter (arXiv:2308.06721). `adapt` is given the weights of the last f frames, the prompt's
    half of guidance, f heads n t, and returns those that are used.
    """

    def __init__(
        self,
        picture: ShownPicture | None,
        adapt: Callable[[Tensor], Tensor] | None = None,
        frames: int = 0,
    ) -> None:
        self._picture = picture
        self._adapt = adapt
        self._frames = frames

    def __call__(
        self,
        attn: SelfAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """The layer's output for `hidden_states` (b f) n c, of the same shape."""
        assert attention_mask is None
        query = split_heads(attn.to_q(hidden_states), attn)
        key, value = attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states)
        said = self._said(query, split_heads(key, attn), split_heads(value, attn))
        if self._picture is None:
            return project_out(attn, said)
        shown = attend(query, self._picture.key, self._picture.value)
        return project_out(attn, said + self._picture.strength * shown)

    def _said(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        if self._adapt is None:
            return attend(query, key, value)
        before = len(query) - self._frames
        own_query, own_key, own_value = (
            x[before:].transpose(1, 2) for x in (query, key, value)
        )  # f heads n d
        products = own_query @ own_key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        weights = self._adapt(products.softmax(-1))
        said = (weights @ own_value).transpose(1, 2)
        if not before:
            return said
        return torch.cat([attend(query[:before], key[:before], value[:before]), said])


def is_plain(attn: Attention, *, is_cross: bool = False) -> bool:
    """Whether an attention is the plain kind: none of the optional branches is in use."""
    unused = (
        attn.spatial_norm,
        attn.group_norm,
        attn.norm_cross,
        attn.norm_q,
        attn.norm_k,
        attn.added_kv_proj_dim,
    )
    flags = (
        attn.is_cross_attention is not is_cross,
        attn.residual_connection,
        attn.fused_projections,
        attn.is_causal,
    )
    return (
        all(part is None for part in unused)
        and not any(flags)
        and attn.rescale_output_factor == 1
        and attn.inner_dim == attn.inner_kv_dim
    )
