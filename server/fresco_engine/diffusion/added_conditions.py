"""What networks of Stable Diffusion XL's shape are told beside the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fresco_engine.diffusion.prompting.encoding import Words

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model


@dataclass(frozen=True)
class AddedConditions:
    """Conditions of the kind `text_time`; without any, as in Stable Diffusion 1.x, both are empty.

    `pooled` is for each step what the words say as a whole, (b f) c'; `sizes`, (b f) 6, is the
    pictures' size before and after they were prepared, with the corner of the crop between these,
    in pixels and height first. Source: section 2.2 of SDXL (arXiv:2307.01952).
    """

    pooled: tuple[Tensor, ...] = ()
    sizes: Tensor | None = None

    def in_step(self, k: int) -> dict[str, Any]:
        """By the name that U-Net and ControlNets have for it."""
        if self.sizes is None:
            return {}
        return {"added_cond_kwargs": {"text_embeds": self.pooled[k], "time_ids": self.sizes}}

    def part(self, rows: slice) -> AddedConditions:
        """Those of some rows alone."""
        if self.sizes is None:
            return self
        return AddedConditions(tuple(one[rows] for one in self.pooled), self.sizes[rows])


NOTHING_ADDED = AddedConditions()
"""What networks are told that want words alone."""


def added_conditions(
    model: Model, words: Sequence[Words], height: int, width: int
) -> AddedConditions:
    """For pictures of a size that are made uncropped at that size, as all of a clip are."""
    pooled = tuple(one.pooled for one in words if one.pooled is not None)
    if not pooled:
        return NOTHING_ADDED
    sizes = [[height, width, 0, 0, height, width]] * len(pooled[0])
    return AddedConditions(pooled, torch.tensor(sizes, dtype=torch.float32, device=model.device))


def without_negative(words: Words) -> Words:
    """`words`, whose first half are negative prompts, with zeros for these."""

    def emptied(values: Tensor) -> Tensor:
        _, prompts = values.chunk(2)
        return torch.cat([torch.zeros_like(prompts), prompts])

    assert words.pooled is not None
    return Words(emptied(words.states), emptied(words.pooled))
