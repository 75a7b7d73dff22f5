"""Which words two prompts share, and what of the picture each of them speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.flow import Flow
from fresco_engine.correspondence.subject.estimator import BoolMap, SubjectFrames
from fresco_engine.correspondence.subject.found import FoundSubject
from fresco_engine.diffusion.prompting.encoding import TokenRow

_COARSENESS = 4
"""Side of the latents to that of the maps that are looked at: 16² of 64², where things show."""


@dataclass(frozen=True)
class WordPairs:
    """How f prompts of an edit read beside those that are true of the input.

    `places` (f, t) are for each token of an edit's prompt that of the other one, where they are
    `shared` (f, t); `added` (f, t) and `dropped` (f, t') are words that only one of both has.
    """

    places: Tensor
    shared: Tensor
    added: Tensor
    dropped: Tensor

    @classmethod
    def of(
        cls, edited: Sequence[TokenRow], described: Sequence[TokenRow], device: torch.device
    ) -> WordPairs:
        """Of token rows, one for each frame; marks and padding count as shared."""
        rows = [_paired(one, other) for one, other in zip(edited, described, strict=True)]
        columns = zip(*rows, strict=True)
        return cls(*(torch.tensor(column, device=device) for column in columns))


def _paired(
    edited: TokenRow, described: TokenRow
) -> tuple[list[int], list[bool], list[bool], list[bool]]:
    ours = [place for place, token in enumerate(edited) if token is not None]
    theirs = [place for place, token in enumerate(described) if token is not None]
    matcher = SequenceMatcher(
        None, [edited[p] for p in ours], [described[p] for p in theirs], autojunk=False
    )
    found = {
        ours[block.a + i]: theirs[block.b + i]
        for block in matcher.get_matching_blocks()
        for i in range(block.size)
    }
    end = len(described) - 1  # Padding, or the last mark.
    marks = {
        place: place if place <= end and described[place] is None else end
        for place, token in enumerate(edited)
        if token is None
    }
    places = [found.get(place, marks.get(place, 0)) for place in range(len(edited))]
    shared = [place in found or place in marks for place in range(len(edited))]
    added = [place in ours and place not in found for place in range(len(edited))]
    kept = set(found.values())
    dropped = [place in theirs and place not in kept for place in range(len(described))]
    return places, shared, added, dropped


@dataclass
class WordMaps:
    """Cross-attention of f frames while a step is worked on, (f, heads, n, t) by layer."""

    layers: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def keep(self, name: str, weights: Tensor) -> Tensor:
        """Keep a layer's weights, which stay as they are."""
        self.layers[name] = weights
        return weights

    def held(self, pairs: WordPairs) -> Callable[[str, Tensor], Tensor]:
        """Puts these weights in the place of those of another prompt, where words are shared.

        Source: attention refinement, section 3.2 of prompt-to-prompt (arXiv:2208.01626).
        """

        def hold(name: str, weights: Tensor) -> Tensor:
            own = self.layers[name]
            places = pairs.places[:, None, None, :].expand(*own.shape[:3], -1)
            shared = pairs.shared[:, None, None, :]
            return torch.where(shared, own.gather(3, places).to(weights.dtype), weights)

        return hold


@dataclass
class WordRegion:
    """Where words are that only one of two prompts has, averaged over layers and steps.

    Each word counts by its own strongest place. Source: local blend, section 4 of prompt-to-prompt
    (arXiv:2208.01626). `size` (h, w) is that of the latents.
    """

    size: tuple[int, int]
    _seen: list[Tensor] = field(default_factory=list[Tensor])

    def add(self, maps: WordMaps, words: Tensor) -> None:
        """What a step says of `words` (f, t)."""
        by_size: dict[tuple[int, int], list[Tensor]] = {}
        for weights in maps.layers.values():
            size = _map_size(self.size, weights.shape[2])
            by_size.setdefault(size, []).append(weights.float().mean(1))  # f n t
        wanted = self.size[0] / _COARSENESS
        size = min(by_size, key=lambda one: abs(one[0] - wanted))
        mean = torch.stack(by_size[size]).mean(0) * words[:, None, :]
        share = mean / mean.amax(1, keepdim=True).clamp_min(1e-9)
        height, width = size
        self._seen.append(share.amax(2).reshape(-1, 1, height, width))

    def chances(self, height: int, width: int) -> Tensor:
        """(f, 1, height, width), 0-1: how much each place is spoken of."""
        # The two prompts' maps of each step stand one behind the other.
        ours, theirs = (torch.stack(self._seen[part::2]).mean(0) for part in (0, 1))
        found = torch.maximum(ours, theirs)
        found = found / found.amax((2, 3), keepdim=True).clamp_min(1e-9)
        return torch.nn.functional.interpolate(
            found, (height, width), mode="bilinear", align_corners=False
        )

    def masks(
        self, images: Sequence[Image], correspondence: BatchCorrespondence, *, is_anchored: bool
    ) -> BoolMap:
        """(f, H, W), True where the pictures are spoken of: steady along the flow, along edges.

        It is nowhere where no word differs. Of a batch that `is_anchored` the first frame lies far
        before the second.
        """
        chances = self.chances(*correspondence.size)[:, 0].cpu().numpy()
        if not chances.any():
            return np.zeros(chances.shape, np.bool_)
        steps = len(images) - 1
        frames = SubjectFrames(
            indices=range(len(images)),
            images=images,
            forward=_flows(correspondence.forward[:steps]),
            backward=_flows(correspondence.backward[:steps]),
            linked=[place > 0 or not is_anchored for place in range(steps)],
        )
        return FoundSubject(_Told(iter(chances))).masks(frames)


@dataclass(frozen=True)
class _Told:
    """Tells of each picture in turn what is known of it."""

    chances: Iterator[NDArray[np.float32]]

    def detect(self, image: Image) -> NDArray[np.float32]:
        return next(self.chances)


def _flows(flows: Tensor) -> list[Flow]:
    return [flow.permute(1, 2, 0).contiguous().cpu().numpy() for flow in flows]


def _map_size(size: tuple[int, int], tokens: int) -> tuple[int, int]:
    """The size (h, w) of the map with so many tokens, of latents of `size`."""
    height, width = size
    while height * width > tokens:
        height, width = (height + 1) // 2, (width + 1) // 2
    assert height * width == tokens, f"no map of latents of {size} has {tokens} tokens"
    return height, width
