from typing import NamedTuple

import pytest
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.trajectories import FlowPaths, flow_paths
from torch import Tensor


def _correspondence(
    forward: Tensor, colours: Tensor | None = None, occluded: Tensor | None = None
) -> BatchCorrespondence:
    """A batch with the given flow, of which paths use nothing but what is given here."""
    frames, _, height, width = forward.shape
    if occluded is None:
        occluded = torch.zeros(frames, height, width, dtype=torch.bool)
    if colours is None:
        colours = torch.zeros(frames, 3, height, width)
    return BatchCorrespondence(
        forward, -forward, occluded, occluded, occluded, colours, occluded, occluded
    )


def _random_correspondence(frames: int, height: int, width: int, seed: int) -> BatchCorrespondence:
    generator = torch.Generator().manual_seed(seed)
    return _correspondence(
        3 * torch.randn(frames, 2, height, width, generator=generator),
        torch.rand(frames, 3, height, width, generator=generator),
        torch.rand(frames, height, width, generator=generator) < 0.2,
    )


class _Link(NamedTuple):
    target: int
    is_linked: bool


def _plain_links(corr: BatchCorrespondence, step: int) -> list[_Link]:
    """The links of one step, token by token."""
    height, width = corr.size
    winners: dict[int, tuple[float, int]] = {}
    for token in range(height * width):
        y, x = divmod(token, width)
        column = x + round(float(corr.forward[step, 0, y, x]))
        row = y + round(float(corr.forward[step, 1, y, x]))
        if not (0 <= column < width and 0 <= row < height) or corr.occluded_forward[step, y, x]:
            continue
        difference = corr.colours[step, :, y, x] - corr.colours[step + 1, :, row, column]
        bid = (float(difference.square().sum()), token)
        target = row * width + column
        winners[target] = min(winners.get(target, bid), bid)
    by_token = {token: target for target, (_, token) in winners.items()}
    left = iter(sorted(set(range(height * width)) - winners.keys()))
    return [
        _Link(by_token[token], True) if token in by_token else _Link(next(left), False)
        for token in range(height * width)
    ]


def _assert_permutations(paths: FlowPaths) -> None:
    tokens = torch.arange(paths.order.shape[1])
    assert all(torch.equal(row.sort().values, tokens) for row in paths.order)


@pytest.mark.parametrize("shape", [(2, 1, 1), (4, 6, 5), (8, 8, 8), (3, 2, 11)], ids=str)
def test_every_frame_is_a_permutation(shape: tuple[int, int, int]) -> None:
    paths = flow_paths(_random_correspondence(*shape, seed=1))

    _assert_permutations(paths)


@pytest.mark.parametrize("seed", range(5))
def test_paths_equal_those_linked_token_by_token(seed: int) -> None:
    corr = _random_correspondence(4, 5, 6, seed)

    paths = flow_paths(corr)

    for step in range(3):
        links = _plain_links(corr, step)
        for path in range(30):
            link = links[int(paths.order[step, path])]
            assert int(paths.order[step + 1, path]) == link.target
            assert bool(paths.linked[step, path]) is link.is_linked


def test_still_frames_link_every_token_to_itself() -> None:
    paths = flow_paths(_correspondence(torch.zeros(3, 2, 4, 5)))

    assert (paths.order == torch.arange(20)).all()
    assert paths.linked.all()
    assert paths.mask.all()


def test_permuting_still_frames_permutes_nothing_else() -> None:
    still, colours = torch.zeros(4, 2, 3, 3), torch.rand(4, 3, 3, 3)

    paths = flow_paths(_correspondence(still, colours))
    permuted = flow_paths(_correspondence(still, colours[[2, 0, 3, 1]]))

    assert torch.equal(paths.order, permuted.order)
    assert torch.equal(paths.mask, permuted.mask)


def test_a_token_goes_where_its_flow_leads_and_what_leaves_is_unlinked() -> None:
    flow = torch.zeros(2, 2, 1, 4)
    flow[:, 0] = 1

    paths = flow_paths(_correspondence(flow))

    assert paths.order[1].tolist() == [1, 2, 3, 0]
    assert paths.linked.tolist() == [[True, True, True, False]]


def test_of_tokens_that_meet_the_closest_in_colour_goes_on() -> None:
    flow = torch.zeros(2, 2, 1, 3)
    flow[0, 0, 0] = torch.tensor([2.0, 1.0, 0.0])
    colours = torch.zeros(2, 3, 1, 3)
    colours[0, 0, 0] = torch.tensor([0.9, 0.6, 0.1])
    colours[1, 0, 0, 2] = 0.5

    paths = flow_paths(_correspondence(flow, colours))

    assert paths.linked.tolist() == [[False, True, False]]
    assert paths.order[1].tolist() == [0, 2, 1]


def test_hidden_tokens_are_unlinked() -> None:
    hidden = torch.zeros(2, 2, 2, dtype=torch.bool)
    hidden[0, 1, 0] = True

    paths = flow_paths(_correspondence(torch.zeros(2, 2, 2, 2), occluded=hidden))

    assert paths.linked.tolist() == [[True, True, False, True]]
    _assert_permutations(paths)


def test_the_mask_separates_the_sides_of_a_break() -> None:
    hidden = torch.zeros(4, 1, 2, dtype=torch.bool)
    hidden[1, 0, 1] = True

    paths = flow_paths(_correspondence(torch.zeros(4, 2, 1, 2), occluded=hidden))

    assert paths.mask[0].all()
    side = torch.tensor([0, 0, 1, 1])
    assert torch.equal(paths.mask[1], side[:, None] == side[None, :])


def test_a_lone_frame_has_paths_of_one_token() -> None:
    paths = flow_paths(_correspondence(torch.zeros(1, 2, 3, 3)))

    assert paths.order.tolist() == [list(range(9))]
    assert paths.linked.shape == (0, 9)
    assert paths.mask.shape == (9, 1, 1)
    assert paths.mask.all()
