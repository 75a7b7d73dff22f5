"""Each part of guided attention gives what its plain formula gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
import torch
from diffusers.models.attention_processor import Attention
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.trajectories import FlowPaths, flow_paths
from fresco_engine.diffusion.attention import (
    GuidedAttention,
    LayerGuidance,
    attend,
    cross_frame_keys_values,
    is_plain,
    spatial_guided_query,
    temporal_guided_attention,
)
from torch import Tensor

HALVES, FRAMES, HEADS, SIZE = 2, 3, 2, 4
HEIGHT, WIDTH = 4, 5
TOKENS = HEIGHT * WIDTH

MakeCorrespondence = Callable[..., BatchCorrespondence]


def heads_of(batch: int, seed: int, tokens: int = TOKENS) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(batch, tokens, HEADS, SIZE, generator=random)


def plainly(query: Tensor, key: Tensor, value: Tensor, softness: float = 1) -> Tensor:
    """One head's attention, n d, with its whole matrix of weights."""
    return (query @ key.T / (softness * SIZE**0.5)).softmax(-1) @ value


def make_layer() -> Any:
    # Its projections are declared optional, which this kind of layer's never are.
    with torch.random.fork_rng():
        torch.manual_seed(3)
        layer = Attention(query_dim=8, heads=HEADS, dim_head=SIZE)
    return layer.requires_grad_(False)


@pytest.fixture
def paths(make_correspondence: MakeCorrespondence) -> FlowPaths:
    return flow_paths(make_correspondence(FRAMES, HEIGHT, WIDTH, motion=1, hidden=0.3))


def test_the_spatial_query_is_gathered_by_the_references_similarity() -> None:
    query = heads_of(HALVES * FRAMES, seed=0)
    reference_query, reference_key = heads_of(FRAMES, seed=1), heads_of(FRAMES, seed=2)

    guided = spatial_guided_query(query, reference_query, reference_key, scale=5)

    for row in range(HALVES * FRAMES):
        for head in range(HEADS):
            expected = plainly(
                reference_query[row % FRAMES, :, head],
                reference_key[row % FRAMES, :, head],
                query[row, :, head],
                softness=5,
            )
            torch.testing.assert_close(guided[row, :, head], expected)


def test_a_reference_in_which_all_is_alike_makes_all_queries_alike() -> None:
    query, alike = heads_of(FRAMES, seed=0), torch.ones(FRAMES, TOKENS, HEADS, SIZE)

    guided = spatial_guided_query(query, alike, alike, scale=5)

    torch.testing.assert_close(guided, query.mean(1, keepdim=True).expand_as(query))


def test_shared_keys_and_values_are_those_of_the_attended_tokens() -> None:
    layer, attended = make_layer(), torch.tensor([0, 1, 7, TOKENS + 2, 3 * TOKENS - 1])
    hidden = torch.randn(HALVES * FRAMES, TOKENS, 8, generator=torch.Generator().manual_seed(4))

    key, value = cross_frame_keys_values(layer, hidden, attended, FRAMES)

    tokens = hidden.reshape(HALVES, FRAMES * TOKENS, 8)[:, attended]
    torch.testing.assert_close(key.flatten(-2), layer.to_k(tokens))
    torch.testing.assert_close(value.flatten(-2), layer.to_v(tokens))


def test_temporal_attention_follows_each_path_between_its_breaks(paths: FlowPaths) -> None:
    query, key, value = (heads_of(HALVES * FRAMES, seed) for seed in range(3))

    result = temporal_guided_attention(query, key, value, paths, scale=5)

    expected = torch.zeros_like(value)
    for half in range(HALVES):
        rows = torch.arange(FRAMES) + half * FRAMES
        for path in range(TOKENS):
            tokens = paths.order[:, path]
            for head in range(HEADS):
                q, k, v = (x[rows, tokens, head] for x in (query, key, value))
                scores = q @ k.T / (5 * SIZE**0.5)
                scores[~paths.mask[path]] = -torch.inf
                expected[rows, tokens, head] = scores.softmax(-1) @ v
    assert not bool(paths.linked.all())
    torch.testing.assert_close(result, expected)


def test_temporal_attention_needs_no_mask_where_no_path_breaks() -> None:
    query, key, value = (heads_of(HALVES * FRAMES, seed) for seed in range(3))
    straight = FlowPaths(
        torch.arange(TOKENS).expand(FRAMES, TOKENS),
        torch.ones(FRAMES - 1, TOKENS, dtype=torch.bool),
        torch.ones(TOKENS, FRAMES, FRAMES, dtype=torch.bool),
        is_broken=False,
    )

    result = temporal_guided_attention(query, key, value, straight, scale=2)

    expected = plainly(query[:FRAMES, 7, 1], key[:FRAMES, 7, 1], value[:FRAMES, 7, 1], softness=2)
    torch.testing.assert_close(result[:FRAMES, 7, 1], expected)


def test_paths_broken_everywhere_leave_the_values_as_they_are(paths: FlowPaths) -> None:
    query, key, value = (heads_of(HALVES * FRAMES, seed) for seed in range(3))
    alone = torch.eye(FRAMES, dtype=torch.bool).expand(TOKENS, FRAMES, FRAMES)
    broken = FlowPaths(paths.order, torch.zeros_like(paths.linked), alone, is_broken=True)

    result = temporal_guided_attention(query, key, value, broken, scale=5)

    torch.testing.assert_close(result, value)


def run(guidance: LayerGuidance, hidden: Tensor) -> Tensor:
    return GuidedAttention(lambda: guidance)(make_layer(), hidden)


@pytest.fixture
def hidden() -> Tensor:
    random = torch.Generator().manual_seed(5)
    return torch.randn(HALVES * FRAMES, TOKENS, 8, generator=random)


@pytest.fixture
def everything(paths: FlowPaths) -> LayerGuidance:
    attended = torch.cat([torch.arange(TOKENS), torch.tensor([TOKENS + 3, 2 * TOKENS])])
    reference = (heads_of(FRAMES, seed=1), heads_of(FRAMES, seed=2))
    return LayerGuidance(frames=FRAMES, reference=reference, attended=attended, paths=paths)


def test_the_layer_without_guidance_is_bitwise_the_stock_one(hidden: Tensor) -> None:
    result = run(LayerGuidance(frames=FRAMES), hidden)

    assert torch.equal(result, make_layer()(hidden))


def test_the_layer_applies_the_three_parts_in_the_papers_order(
    hidden: Tensor, everything: LayerGuidance, paths: FlowPaths
) -> None:
    result = run(everything, hidden)

    layer = make_layer()
    own = [
        project(hidden).unflatten(-1, (HEADS, SIZE))
        for project in (layer.to_q, layer.to_k, layer.to_v)
    ]
    query, key, value = own
    assert everything.reference is not None
    guided = spatial_guided_query(query, *everything.reference, scale=5)
    frame_by_frame = []
    for row, asked in enumerate(guided):
        first = row // FRAMES * FRAMES
        keys, values = (
            x[first : first + FRAMES].flatten(0, 1)[everything.attended] for x in (key, value)
        )
        frame_by_frame.append(attend(asked[None], keys[None], values[None]))
    values = torch.cat(frame_by_frame)
    values = temporal_guided_attention(query, key, values, paths, scale=5)
    torch.testing.assert_close(result, layer.to_out[0](values.flatten(-2)))


def test_the_halves_of_guided_denoising_do_not_see_each_other(
    hidden: Tensor, everything: LayerGuidance
) -> None:
    together = run(everything, hidden)

    apart = [run(everything, half) for half in hidden.chunk(2)]
    torch.testing.assert_close(together, torch.cat(apart))


def test_frames_share_what_only_one_of_them_shows(hidden: Tensor) -> None:
    guidance = LayerGuidance(frames=FRAMES, attended=torch.arange(TOKENS))
    changed = hidden.clone()
    changed[0] += 1

    before, after = run(guidance, hidden), run(guidance, changed)

    assert not torch.allclose(before[:FRAMES], after[:FRAMES], atol=1e-3)
    torch.testing.assert_close(before[FRAMES:], after[FRAMES:])


KINDS = {
    "cross attention": {"cross_attention_dim": 6},
    "group norm": {"norm_num_groups": 2},
    "query norm": {"qk_norm": "layer_norm"},
    "residual": {"residual_connection": True},
    "rescaled": {"rescale_output_factor": 2.0},
    "causal": {"is_causal": True},
}


@pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS.keys())
def test_a_layer_with_an_optional_branch_is_not_plain(changes: dict[str, object]) -> None:
    kind = {"query_dim": 8, "heads": HEADS, "dim_head": SIZE, **changes}

    layer = Attention(**cast(Any, kind))

    assert not is_plain(layer)
    assert is_plain(make_layer())
