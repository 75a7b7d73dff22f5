"""Background smoothing: the un-occluded background is carried from the frame that saw it first.

Used on the pictures of the predicted clean latents in a few late denoising steps, as in
Text2Video-Zero (arXiv:2303.13439), which FRESCO adopts (section 4 of arXiv:2403.12962); see
"Background smoothing" in docs/method.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.origins import Origins, trace_origins
from fresco_engine.correspondence.warp import cubic_taps, warp

_ALIKE, _UNLIKE = 0.08, 0.16
"""Mean difference of the clip's own colours up to which, and from which on, two places are taken
for the same thing: small errors of the flow add up over many frames."""


def dilated(mask: Tensor, size: int) -> Tensor:
    """A boolean mask (f, h, w) grown by a square of `size` pixels; sizes below 2 change nothing."""
    if size < 2:
        return mask
    grown = F.max_pool2d(mask.float()[:, None], 2 * (size // 2) + 1, stride=1, padding=size // 2)
    return grown[:, 0] > 0.5


def background_weights(correspondence: BatchCorrespondence, dilation: int) -> Tensor:
    """How much of each frame may come from the frame before it.

    Returns (f - 1, 1, h, w) in [0, 1] for frames 1 to f-1: 1 where the pixel is background in both
    frames and was visible in the earlier one, with a soft border so that no seam shows.
    """
    foreground = dilated(correspondence.foreground, dilation)
    hidden = dilated(correspondence.unbound_backward[:-1], dilation)
    earlier = warp(foreground[:-1, None].float(), correspondence.backward[:-1])[:, 0] > 0.01
    free = ~(foreground[1:] | earlier | hidden)
    return _mean_around(free.float()[:, None], dilation) * free[:, None]


@dataclass(frozen=True)
class CarriedPart:
    """What one frame takes over from others: k of its pixels, counted row by row."""

    here: Tensor
    """(k,) int64: the pixels."""
    share: Tensor
    """(k, 1) float32 in [0, 1]: how much of each is taken over."""
    origins: Origins
    """Where the frame's pixels were first seen."""


@dataclass(frozen=True)
class CarriedBackground:
    """What a batch's frames have of the frames that saw their background first.

    However far such a frame lies, it is read once, through the composed flow and by cubic splines:
    read again from frame to frame, the background would lose its detail. A background seen from
    the first to the last frame is the first frame's throughout.

    Worked out once for a batch and a size of map, so that no denoising step has to ask the device
    how many pixels there are. Takes 28 bytes a pixel.
    """

    parts: tuple[CarriedPart, ...]
    """Of every frame but the first."""

    @classmethod
    def of(cls, correspondence: BatchCorrespondence, dilation: int) -> CarriedBackground:
        """At the correspondence's size, with the subject grown by a square of `dilation` pixels."""
        if correspondence.frame_count < 2:
            return cls(())
        weights = background_weights(correspondence, dilation)[:, 0]
        frames = range(correspondence.frame_count)
        origins = trace_origins(correspondence.backward[:-1], weights > 0, frames)
        colours = _rows(correspondence.colours)
        parts = zip(frames[1:], weights, origins[1:], strict=True)
        return cls(tuple(_part(*part, colours, dilation) for part in parts))

    def carry(self, x: Tensor) -> Tensor:
        """`x` (f, c, h, w) with each frame's background as the frame has it that saw it first."""
        if not self.parts:
            return x
        rows = _rows(x)
        carried = [x[0]]
        for i, part in enumerate(self.parts, 1):
            own = x[i].flatten(1).mT.clone()
            read = _read(rows, part.origins, part.here)
            own[part.here] = torch.lerp(own[part.here].float(), read, part.share).to(x.dtype)
            carried.append(own.mT.reshape(x.shape[1:]))
        return torch.stack(carried)


def _part(i: int, weight: Tensor, origins: Origins, colours: Tensor, dilation: int) -> CarriedPart:
    """Of frame i, from the weights (h, w) of what may be taken over."""
    here = (origins.frame != i).flatten().nonzero()[:, 0]
    difference = (_read(colours, origins, here) - colours[i * weight.numel() + here]).abs()
    alike = _alike(difference.mean(1), here, weight.shape, dilation)
    return CarriedPart(here, (weight.flatten()[here] * alike)[:, None], origins)


def _alike(difference: Tensor, here: Tensor, size: torch.Size, dilation: int) -> Tensor:
    """(k,), 0-1: how far what the pixels `here` (k,) show is what they are said to come from.

    Their differences are those of their surroundings: pixel by pixel, the source's own texture
    would leave speckles of what is not carried.
    """
    maps = difference.new_zeros((2, 1, size.numel()))
    maps[0, 0, here], maps[1, 0, here] = difference, 1
    total, count = _mean_around(maps.view(2, 1, *size), dilation).flatten(1)[:, here]
    return ((_UNLIKE - total / count) / (_UNLIKE - _ALIKE)).clamp(0, 1)


def _mean_around(maps: Tensor, dilation: int) -> Tensor:
    """`maps` (f, 1, h, w) averaged over a square as far around as half of the dilation."""
    radius = max(1, dilation // 2)
    return F.avg_pool2d(maps, 2 * radius + 1, stride=1, padding=radius, count_include_pad=False)


def _rows(x: Tensor) -> Tensor:
    """(f, c, h, w) → (f * h * w, c) float32."""
    return x.float().flatten(2).mT.flatten(0, 1)


def _read(rows: Tensor, origins: Origins, here: Tensor) -> Tensor:
    """What the pixels `here` (k,) show in the frames they come from: (k, c)."""
    size = origins.frame.numel()
    taps, weights = cubic_taps(origins.place, here)
    first = origins.frame.flatten()[here] * size
    return F.embedding_bag(taps + first[:, None], rows, mode="sum", per_sample_weights=weights)
