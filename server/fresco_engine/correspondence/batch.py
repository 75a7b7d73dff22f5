"""What corresponds to what in a batch of frames closed into a ring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor

from fresco_engine.correspondence.flow import Flow, FlowEstimator, both_ways
from fresco_engine.correspondence.occlusion import occlusion
from fresco_engine.correspondence.subject.estimator import (
    MovingSubject,
    SubjectEstimator,
    SubjectFrames,
)
from fresco_engine.correspondence.warp import mostly, partly, resize_flow, resize_map


@dataclass(frozen=True)
class BatchCorrespondence:
    """Flow, occlusion, foreground and colours of f frames; frame f-1 is followed by frame 0."""

    forward: Tensor
    """(f, 2, h, w): flow from frame i to frame i+1."""
    backward: Tensor
    """(f, 2, h, w): flow from frame i+1 to frame i."""
    occluded_forward: Tensor
    """(f, h, w) bool: pixels of frame i that frame i+1 does not show, or most of a cell's."""
    occluded_backward: Tensor
    """(f, h, w) bool: pixels of frame i+1 that frame i does not show, or most of a cell's."""
    foreground: Tensor
    """(f, h, w) bool."""
    colours: Tensor
    """(f, 3, h, w), RGB, range 0-1."""
    unbound_forward: Tensor
    """As `occluded_forward`, but True where any of a cell is hidden: the rest binds it to no
    token of frame i+1. On coarse maps that is much more (max-pooling in the published code)."""
    unbound_backward: Tensor
    _resized: dict[tuple[int, int], BatchCorrespondence] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def frame_count(self) -> int:
        """How many frames the ring has."""
        return self.forward.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the maps."""
        return self.forward.shape[-2], self.forward.shape[-1]

    def at(self, height: int, width: int) -> BatchCorrespondence:
        """The same for a map of another size; worked out once per size."""
        if (height, width) == self.size:
            return self
        if (height, width) not in self._resized:
            self._resized[height, width] = BatchCorrespondence(
                resize_flow(self.forward, height, width),
                resize_flow(self.backward, height, width),
                mostly(self.occluded_forward, height, width),
                mostly(self.occluded_backward, height, width),
                partly(self.foreground, height, width),
                resize_map(self.colours, height, width),
                partly(self.unbound_forward, height, width),
                partly(self.unbound_backward, height, width),
            )
        return self._resized[height, width]


def correspond(
    frames: Sequence[Image],
    estimator: FlowEstimator,
    *,
    tracks: Sequence[tuple[Flow, Flow]] | None = None,
    linked: Sequence[bool] | None = None,
    subject: SubjectEstimator | None = None,
    indices: Sequence[int] | None = None,
    device: str | torch.device = "cpu",
) -> BatchCorrespondence:
    """The correspondence of `frames`, at least one, all of one size.

    `tracks` are the flows from each frame to the next and back where they are known already, as
    from `flow.track` over the frames between; only the ring's last link is then estimated.
    `linked` says of each frame but the last whether the next one follows it in time, as it does
    unless both are anchors; nothing is concluded about the subject from steps that are wider.
    `subject` tells the foreground, by what moves unless it is given; `indices` are the frames' own
    in their clip, counted from 0 unless they are given.
    """
    if not frames:
        raise ValueError("no frames, nothing corresponds")
    if tracks is not None and len(tracks) != len(frames) - 1:
        raise ValueError(f"{len(frames)} frames have {len(frames) - 1} steps, not {len(tracks)}")
    pairs = _ring_flows(frames, estimator, tracks)
    following = [*frames[1:], frames[0]]
    hidden = [
        (occlusion(there, back, first, second), occlusion(back, there, second, first))
        for (there, back), first, second in zip(pairs, frames, following, strict=True)
    ]
    forward, backward = ([pair[way] for pair in pairs] for way in (0, 1))
    shown = SubjectFrames(
        indices=range(len(frames)) if indices is None else indices,
        images=frames,
        # The ring's last link may span the whole batch: too far to tell who moves.
        forward=forward[:-1],
        backward=backward[:-1],
        linked=linked,
    )
    foreground = (subject or MovingSubject()).masks(shown)
    ahead, behind = (
        torch.from_numpy(np.stack([pair[way] for pair in hidden])).to(device) for way in (0, 1)
    )
    return BatchCorrespondence(
        _channels_first(np.stack(forward), device),
        _channels_first(np.stack(backward), device),
        ahead,
        behind,
        torch.from_numpy(foreground).to(device),
        _channels_first(np.stack(frames), device).float() / 255,
        ahead,
        behind,
    )


def _ring_flows(
    frames: Sequence[Image],
    estimator: FlowEstimator,
    tracks: Sequence[tuple[Flow, Flow]] | None,
) -> list[tuple[Flow, Flow]]:
    """Flow to the next frame and back, for every frame; a lone frame stays where it is."""
    if len(frames) == 1:
        still = np.zeros((*frames[0].shape[:2], 2), np.float32)
        return [(still, still)]
    # In one go: some estimators are quicker that way.
    wanted = [] if tracks else list(pairwise(frames))
    if len(frames) > 2:
        wanted.append((frames[-1], frames[0]))
    pairs = [*(tracks or ()), *both_ways(wanted, estimator)]
    if len(frames) == 2:
        forward, backward = pairs[0]
        return [*pairs, (backward, forward)]
    return pairs


def _channels_first(maps: NDArray[np.generic], device: str | torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(maps, -1, 1))).to(device)
