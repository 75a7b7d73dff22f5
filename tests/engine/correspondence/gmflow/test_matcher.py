"""Pictures of any size, any number of pairs, any precision of weights."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from fakes.flow_weights import matching_network, random_network, random_pictures
from fresco_engine.correspondence.gmflow import matcher as matcher_module
from fresco_engine.correspondence.gmflow.matcher import GmFlowMatcher
from fresco_media.types import Image

Texture = Callable[..., Image]


@pytest.fixture(scope="module")
def matcher() -> GmFlowMatcher:
    """A network with random weights."""
    return GmFlowMatcher(random_network())


def test_a_translation_is_found_both_ways(texture: Texture) -> None:
    wide = texture(150, 220)
    first, second = wide[16:144, 24:216], wide[8:136, 0:192]

    ((there, back),) = GmFlowMatcher(matching_network()).both_ways([(first, second)])

    assert there.shape == (128, 192, 2)
    assert there.dtype == np.float32
    assert np.median(np.abs(there[:100, :150] - [24, 8])) < 0.1
    assert np.median(np.abs(back[28:, 42:] + [24, 8])) < 0.1


def test_many_pairs_give_what_each_gives_alone(
    matcher: GmFlowMatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = random_pictures(4, 40, 56)
    pairs = [*pairwise(pictures), (pictures[3], pictures[0])]
    alone = [matcher.both_ways([pair])[0] for pair in pairs]

    monkeypatch.setattr(matcher_module, "_PIXELS_ELSEWHERE", 3 * 40 * 56)
    together = matcher.both_ways(pairs)

    assert matcher.at_once(40, 56) == 3
    assert len(together) == 4
    for one, other in zip(alone, together, strict=True):
        assert np.allclose(one, other, atol=1e-3)
    assert not np.allclose(alone[0], alone[1], atol=1)


def test_every_picture_is_encoded_once_however_many_pairs_it_is_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = random_network()
    encoded: list[int] = []
    encode = network.encode

    def counting(pictures: torch.Tensor) -> torch.Tensor:
        encoded.append(len(pictures))
        return encode(pictures)

    monkeypatch.setattr(network, "encode", counting)
    one, two, three = random_pictures(3, 32, 32)

    GmFlowMatcher(network).both_ways([(one, two), (two, three), (three, one)])

    assert sum(encoded) == 3


def test_the_way_back_is_the_way_of_the_pictures_exchanged(matcher: GmFlowMatcher) -> None:
    first, second = random_pictures(2, 48, 64)

    ((there, back),) = matcher.both_ways([(first, second)])
    ((other, other_back),) = matcher.both_ways([(second, first)])

    assert np.allclose(there, other_back, atol=1e-3)
    assert np.allclose(back, other, atol=1e-3)


def test_other_sizes_are_padded_by_repeating_the_border(matcher: GmFlowMatcher) -> None:
    first, second = random_pictures(2, 43, 70)
    padded = [np.pad(one, ((2, 3), (5, 5), (0, 0)), mode="edge") for one in (first, second)]

    ((there, _),) = matcher.both_ways([(first, second)])
    ((whole, _),) = matcher.both_ways([(padded[0], padded[1])])

    assert there.shape == (43, 70, 2)
    assert np.allclose(there, whole[2:-3, 5:-5], atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (33, 16)], ids=str)
def test_the_smallest_pictures_have_flow_too(matcher: GmFlowMatcher, size: tuple[int, int]) -> None:
    first, second = random_pictures(2, *size)

    ((there, back),) = matcher.both_ways([(first, second)])

    assert there.shape == back.shape == (*size, 2)
    assert np.isfinite(there).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_weights_are_worked_with_in_full_precision(dtype: torch.dtype) -> None:
    first, second = random_pictures(2, 32, 48)
    rounded = random_network().to(dtype).float()

    half = GmFlowMatcher(random_network().to(dtype)).both_ways([(first, second)])
    full = GmFlowMatcher(rounded).both_ways([(first, second)])

    assert np.array_equal(half[0][0], full[0][0])


def test_the_device_is_asked_for_only_when_flow_is_wanted() -> None:
    asked: list[str] = []

    def device() -> str:
        asked.append("cpu")
        return "cpu"

    matcher = GmFlowMatcher(random_network(), device)
    assert matcher.both_ways([]) == []
    assert asked == []

    first, second = random_pictures(2, 32, 32)
    matcher.both_ways([(first, second)])
    matcher.both_ways([(second, first)])
    assert asked == ["cpu"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_finds_what_the_processor_finds() -> None:
    first, second = random_pictures(2, 64, 96)

    here = GmFlowMatcher(random_network()).both_ways([(first, second)])
    there = GmFlowMatcher(random_network(), lambda: "cuda").both_ways([(first, second)])

    assert np.allclose(here, there, atol=0.05)
