"""GMFlow against the public implementation, and against what it must be by its equations.

`reference.npz` holds names and shapes of the public weights and flows that the public network
(ptlflow 0.4.2, `GMFlow(pred_bidir_flow=True)` in float64) finds with `random_weights` of these
between `random_pictures(4, 48, 80)`: from 0 to 2, 1 to 3, 2 to 0 and 3 to 1.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from fakes.flow_weights import random_network, random_pictures, random_weights, shapes_of
from fresco_engine.correspondence.gmflow import matching
from fresco_engine.correspondence.gmflow.matching import attend, match
from fresco_engine.correspondence.gmflow.network import GmFlowNetwork
from torch import Tensor

_REFERENCE = np.load(Path(__file__).parent / "reference.npz")


def _published_shapes() -> dict[str, tuple[int, ...]]:
    return {
        str(name): tuple(map(int, str(shape).split()))
        for name, shape in zip(_REFERENCE["names"], _REFERENCE["shapes"], strict=True)
    }


def _flows(network: GmFlowNetwork) -> Tensor:
    """Flows between the reference's pictures, in the reference's order."""
    dtype = next(network.parameters()).dtype
    pictures = torch.from_numpy(np.stack(random_pictures(4, 48, 80)))
    with torch.no_grad():
        features = network.encode(pictures.permute(0, 3, 1, 2).to(dtype))
        return torch.cat(network(features[:2], features[2:]))


def test_weights_are_called_and_shaped_like_the_published_ones() -> None:
    assert shapes_of(GmFlowNetwork()) == _published_shapes()


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-5), (torch.float32, 1e-3)], ids=str
)
def test_flow_is_that_of_the_public_implementation(dtype: torch.dtype, tolerance: float) -> None:
    network = GmFlowNetwork().to(dtype).eval()
    network.load_state_dict(random_weights(_published_shapes()))

    flows = _flows(network)

    reference = torch.from_numpy(_REFERENCE["flows"])
    assert reference.abs().mean() > 1
    assert (flows - reference).abs().max() < tolerance


@pytest.mark.parametrize("part", ["backbone", "transformer", "feature_flow_attn", "upsampler"])
def test_every_part_of_the_network_decides_about_flow(part: str) -> None:
    network = random_network().double().eval()
    with torch.no_grad():
        for value in getattr(network, part).parameters():
            value.mul_(1.01)

    flows = _flows(network)

    assert (flows - torch.from_numpy(_REFERENCE["flows"])).abs().max() > 1e-3


def test_attention_in_parts_is_that_of_all_scores_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(0)
    queries, keys = (torch.randn(2, 30, 8, generator=random) for _ in range(2))
    values = torch.randn(2, 30, 3, generator=random)
    regions = torch.arange(30).expand(2, -1) // 10
    scores = queries @ keys.mT / 8**0.5 - 100 * (regions[:, :, None] != regions[:, None])
    plain = scores.softmax(-1) @ values

    monkeypatch.setattr(matching, "_SCORES_AT_ONCE", 2 * 30 * 7)

    assert torch.allclose(attend(queries, keys, values, regions), plain, atol=1e-6)


def test_matching_finds_where_every_place_went() -> None:
    random = torch.Generator().manual_seed(0)
    wide = 20 * torch.randn(1, 32, 9, 14, generator=random)
    first, second = wide[..., 2:, 3:], wide[..., :-2, :-3]

    flow = match(first, second)

    seen = flow[..., :-2, :-3]
    assert torch.allclose(seen[:, 0], torch.tensor(3.0), atol=1e-3)
    assert torch.allclose(seen[:, 1], torch.tensor(2.0), atol=1e-3)
