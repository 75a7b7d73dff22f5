"""Flow paths: tokens of a batch linked one-to-one from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fresco_engine.correspondence.batch import BatchCorrespondence


@dataclass(frozen=True)
class FlowPaths:
    """n paths over f frames; every token of every frame lies on exactly one."""

    order: Tensor
    """(f, n) int64: the token of frame i that lies on path p; each row a permutation."""
    linked: Tensor
    """(f-1, n) bool: path p really runs on from frame i to frame i+1."""
    mask: Tensor
    """(n, f, f) bool: two frames of a path lie on the same side of all its breaks."""
    is_broken: bool
    """Whether any path has a break."""


def flow_paths(correspondence: BatchCorrespondence) -> FlowPaths:
    """The flow paths of a batch at the size of `correspondence`.

    A token goes to the token nearest to where its flow leads. Of several that meet in one, the
    closest in colour goes on; the others, and hidden ones, are paired with what is left over, in
    reading order, and marked unlinked.
    """
    following, is_linked = _link(correspondence)
    steps, tokens = following.shape
    order = [torch.arange(tokens, device=following.device)]
    for step in range(steps):
        order.append(following[step][order[-1]])
    paths = torch.stack(order)
    linked = torch.gather(is_linked, 1, paths[:-1])
    # Asked for here, once for a batch: the answer has to be fetched from the device.
    return FlowPaths(paths, linked, _same_side(linked), is_broken=not bool(linked.all()))


def _same_side(linked: Tensor) -> Tensor:
    """(f-1, n) links → (n, f, f): whether no break lies between two frames."""
    breaks = torch.cumsum(~linked, 0)
    side = torch.cat([torch.zeros_like(breaks[:1]) if len(breaks) else _no_break(linked), breaks])
    return side.T[:, :, None] == side.T[:, None, :]


def _no_break(linked: Tensor) -> Tensor:
    """The breaks before the only frame of a path that has no links at all."""
    return torch.zeros((1, linked.shape[1]), dtype=torch.int64, device=linked.device)


def _link(correspondence: BatchCorrespondence) -> tuple[Tensor, Tensor]:
    """(f-1, n) each: the token a token goes on to, and whether the flow says so."""
    target, is_candidate = _targets(correspondence)
    winner = _closest_in_colour(correspondence, target, is_candidate)
    tokens = target.shape[1]
    # One spare column takes what is not linked, so that nothing needs to be filtered out.
    is_taken = torch.zeros((len(target), tokens + 1), dtype=torch.bool, device=target.device)
    is_taken.scatter_(1, torch.where(winner, target, tokens), True)
    leftover = torch.where(winner, target, 0)
    # Row by row there are as many tokens without a target as targets without a token.
    leftover[~winner] = torch.nonzero(~is_taken[:, :tokens])[:, 1]
    return leftover, winner


def _targets(correspondence: BatchCorrespondence) -> tuple[Tensor, Tensor]:
    """(f-1, n) each: the nearest token after the flow, and whether it is in sight there."""
    height, width = correspondence.size
    flow = correspondence.forward[:-1]
    y = torch.arange(height, device=flow.device)[:, None]
    x = torch.arange(width, device=flow.device)
    column = (x + flow[:, 0].round()).long().flatten(1)
    row = (y + flow[:, 1].round()).long().flatten(1)
    is_inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    target = torch.where(is_inside, row * width + column, 0)
    return target, is_inside & ~correspondence.occluded_forward[:-1].flatten(1)


def _closest_in_colour(
    correspondence: BatchCorrespondence, target: Tensor, is_candidate: Tensor
) -> Tensor:
    """(f-1, n) bool: of all candidates for one target the closest in colour, then the first."""
    colours = correspondence.colours.flatten(2)  # f c n
    reached = torch.gather(colours[1:], 2, target[:, None].expand(-1, 3, -1))
    distance = (colours[:-1] - reached).square().sum(1)
    distance = torch.where(is_candidate, distance, torch.inf)
    best = torch.full_like(distance, torch.inf).scatter_reduce(1, target, distance, "amin")
    is_best = is_candidate & (distance == torch.gather(best, 1, target))
    tokens = target.shape[1]
    place = torch.arange(tokens, device=target.device).expand_as(target)
    place = torch.where(is_best, place, tokens)
    first = torch.full_like(target, tokens).scatter_reduce(1, target, place, "amin")
    return is_best & (place == torch.gather(first, 1, target))
