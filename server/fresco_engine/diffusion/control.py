"""The pictures that ControlNets are shown beside the noise, and what they make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from diffusers import T2IAdapter
from fresco_media.types import Image
from torch import Tensor

from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.detectors.detector import Found
from fresco_engine.diffusion.t2i_adapters import features_of, summed
from fresco_engine.settings import ControlChoice, ControlKind, RestyleSettings

_OUTLIERS = 1.0
"""Per cent of the pixels at either end that a scale leaves out."""
Sample = Callable[[], Iterable[tuple[int, Image]]]
"""Some frames of a shot, by their numbers, that tell the range of what is found in it."""


class ShotControls:
    """What is found in the keyframes of one shot: once in each, and scaled alike in all.

    Values that say something only beside those of the same shot, such as depth, get the range of
    the shot's `sample`; a scale for each frame would flicker, and one that is known only as the
    shot goes on could not be found again when a run goes on. Without a sample the frames that are
    asked for first are it. What was found in frames that are asked for again is kept.
    """

    def __init__(self, sample: Sample | None = None) -> None:
        self._sample = sample
        self._found: dict[ControlKind, dict[int, Found]] = {}
        self._ranges: dict[ControlKind, tuple[float, float]] = {}

    def pictures(
        self, control: LoadedControl, numbers: Sequence[int], frames: Sequence[Image]
    ) -> list[Image]:
        """What a detector's control shows of frames, by their numbers: RGB in their size."""
        assert control.detector is not None
        kept = self._found.get(control.kind, {})
        if control.detector.is_relative and control.kind not in self._ranges:
            sample = zip(numbers, frames, strict=True) if self._sample is None else self._sample()
            for number, frame in sample:
                if number not in kept:
                    kept[number] = control.detector.detect(frame)
            self._ranges[control.kind] = _range(kept.values())
        found = {
            number: kept[number] if number in kept else control.detector.detect(frame)
            for number, frame in zip(numbers, frames, strict=True)
        }
        # Of those before, the batches to come ask only for the anchors, which are among these.
        ahead = {number: one for number, one in kept.items() if number > max(numbers)}
        self._found[control.kind] = found | ahead
        low, high = self._ranges.get(control.kind, (0.0, 1.0))
        return [_as_picture(found[number], low, high) for number in numbers]


def _range(found: Iterable[Found]) -> tuple[float, float]:
    """From the least to the greatest value of all, but for outliers."""
    ends = [np.percentile(one, (_OUTLIERS, 100 - _OUTLIERS)) for one in found]
    return float(min(low for low, _ in ends)), float(max(high for _, high in ends))


def _as_picture(found: Found, low: float, high: float) -> Image:
    scaled = (found - low) / max(high - low, np.finfo(np.float32).tiny)
    levels = np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)
    return levels if levels.ndim == 3 else np.repeat(levels[:, :, None], 3, axis=2)


def control_pictures(
    control: LoadedControl,
    numbers: Sequence[int],
    frames: Sequence[Image],
    settings: RestyleSettings,
    shot: ShotControls,
) -> list[Image]:
    """What a control shows of frames, which are called by their numbers: RGB in their size.

    `tile` shows the frames as they are, `canny` white edges on black found with the settings'
    thresholds; the others what their detector finds.
    """
    if control.detector is not None:
        return shot.pictures(control, numbers, frames)
    if control.kind == "canny":
        return [_edges(frame, settings.canny_low, settings.canny_high) for frame in frames]
    return list(frames)


def _edges(frame: Image, low: int, high: int) -> Image:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(grey, low, high).astype(np.uint8, copy=False)
    return np.repeat(edges[:, :, None], 3, axis=2)


@dataclass(frozen=True, kw_only=True)
class ControlInput:
    """What a ControlNet is shown in every step of a batch, and how strongly it binds.

    `features` are what a T2I-Adapter has made of it already, for good; nothing for ControlNets.
    """

    network: Any
    pictures: Tensor  # (b f) 3 H W
    strength: float
    features: tuple[Tensor, ...] = ()

    @classmethod
    @torch.no_grad()
    def of(cls, network: Any, pictures: Tensor, strength: float, halves: int) -> ControlInput:
        """For `halves` of guidance, of which each is shown `pictures` f 3 H W."""
        features: tuple[Tensor, ...] = ()
        if isinstance(network, T2IAdapter):
            once = features_of(network, pictures, strength)
            features = tuple(torch.cat([one] * halves) for one in once)
        shown = torch.cat([pictures] * halves)
        return cls(network=network, pictures=shown, strength=strength, features=features)

    def part(self, rows: slice) -> ControlInput:
        """That of some rows alone."""
        features = tuple(one[rows] for one in self.features)
        return replace(self, pictures=self.pictures[rows], features=features)


def control_inputs(
    controls: Sequence[LoadedControl],
    settings: RestyleSettings,
    pictures: Callable[[LoadedControl], Sequence[Image]],
    as_input: Callable[[Tensor], Tensor],
    halves: int,
) -> tuple[ControlInput, ...]:
    """The inputs of those controls that bind at all; `settings` must be resolved.

    `pictures` makes what a control shows; `as_input` brings (f, 3, H, W) in [0, 1] to where and in
    which form the ControlNets take it, for each of the `halves` of guidance.
    """
    return tuple(
        ControlInput.of(control.network, as_input(_as_tensor(pictures(control))), strength, halves)
        for control in controls
        if (strength := strength_of(control.kind, settings)) > 0
    )


def strength_of(kind: ControlKind, settings: RestyleSettings) -> float:
    """How strongly a kind binds: its own number, or else that of all."""
    assert settings.control_scale is not None
    if settings.control is None:
        return settings.control_scale
    return ControlChoice.parse(settings.control).strengths.get(kind, settings.control_scale)


def _as_tensor(pictures: Sequence[Image]) -> Tensor:
    stacked = torch.from_numpy(np.stack(pictures))  # f h w c
    return stacked.permute(0, 3, 1, 2).contiguous().float().div_(255)


def control_residuals(
    inputs: Sequence[ControlInput],
    latents: Tensor,
    t: Tensor,
    embeddings: Tensor,
    added: Mapping[str, Any],
) -> dict[str, Any]:
    """What the U-Net gets from ControlNets and T2I-Adapters: the sum of what each adds, weighted.

    In the order of the controls, as diffusers' MultiControlNet; without any, nothing at all.
    `added` is what all are told beside the words, by the networks' names of it.
    """
    down: list[Tensor] = []
    middle: Tensor | None = None
    inside = summed(one.features for one in inputs if one.features)
    # The U-Net takes them out of the list that it is given.
    residuals: dict[str, Any] = {"down_intrablock_additional_residuals": inside} if inside else {}
    for one in inputs:
        if one.features:
            continue
        below, inmost = one.network(
            latents,
            t,
            encoder_hidden_states=embeddings,
            controlnet_cond=one.pictures,
            conditioning_scale=one.strength,
            return_dict=False,
            **added,
        )
        down = [a + b for a, b in zip(down, below, strict=True)] if down else list(below)
        middle = inmost if middle is None else middle + inmost
    if middle is None:
        return residuals
    return {
        **residuals,
        "down_block_additional_residuals": down,
        "mid_block_additional_residual": middle,
    }
