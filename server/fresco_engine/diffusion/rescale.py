"""Guidance that does not make pictures harsher than the prompt alone would."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

ZERO_SNR_RESCALE = 0.7
"""What the paper recommends for schedules that end in pure noise."""


def rescaled(guided: Tensor, conditional: Tensor, share: float) -> Tensor:
    """`guided` output (f, c, h, w), with `share` of its excess of contrast taken back.

    At 1 each frame's output spreads as widely as its `conditional` one, at 0 nothing is changed.
    Eq. 15 and 16 of "Common Diffusion Noise Schedules and Sample Steps are Flawed"
    (arXiv:2305.08891).
    """
    if share == 0:
        return guided
    wanted, found = (one.std(dim=(1, 2, 3), keepdim=True) for one in (conditional, guided))
    return share * (guided * (wanted / found)) + (1 - share) * guided
