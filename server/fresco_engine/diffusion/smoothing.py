"""Background smoothing: the un-occluded background is carried from frame to frame.

Used on the pictures of the predicted clean latents in a few late denoising steps, as in
Text2Video-Zero (arXiv:2303.13439), which FRESCO adopts (section 4 of arXiv:2403.12962); see
"Background smoothing" in docs/method.md.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.warp import warp


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
    hidden = dilated(correspondence.occluded_backward[:-1], dilation)
    earlier = warp(foreground[:-1, None].float(), correspondence.backward[:-1])[:, 0] > 0.01
    free = ~(foreground[1:] | earlier | hidden)
    radius = max(1, dilation // 2)
    soft = F.avg_pool2d(
        free.float()[:, None],
        2 * radius + 1,
        stride=1,
        padding=radius,
        count_include_pad=False,
    )
    return soft * free[:, None]


def carry_background(x: Tensor, correspondence: BatchCorrespondence, dilation: int) -> Tensor:
    """`x` (f, c, h, w) with each frame's background replaced by the warped previous frame.

    The frames are visited in order, so a background seen from the first to the last frame is the
    first frame's throughout. `correspondence` must be at the size of `x`.
    """
    if x.shape[0] < 2:
        return x
    weights = background_weights(correspondence, dilation).to(x.dtype)
    carried = [x[0]]
    for i in range(1, x.shape[0]):
        before = warp(carried[-1][None], correspondence.backward[i - 1 : i].to(x.dtype))[0]
        carried.append(torch.lerp(x[i], before, weights[i - 1]))
    return torch.stack(carried)
