"""One batch of keyframes as it is worked on, and what the networks say of its latents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.origins import Origins
from fresco_engine.diffusion.added_conditions import (
    NOTHING_ADDED,
    AddedConditions,
    added_conditions,
    without_negative,
)
from fresco_engine.diffusion.control import (
    ControlInput,
    ShotControls,
    control_inputs,
    control_pictures,
    control_residuals,
)
from fresco_engine.diffusion.finite import FiniteWatch
from fresco_engine.diffusion.guidance import MapGuidance
from fresco_engine.diffusion.hooks import reading
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.noise import Noise
from fresco_engine.diffusion.picture_prompt.prompt import PicturePrompt
from fresco_engine.diffusion.prompting.encoding import MixedPrompt, encode_steps
from fresco_engine.diffusion.prompting.wording import plain_words
from fresco_engine.diffusion.samplers import Sampler
from fresco_engine.diffusion.smoothing import CarriedBackground
from fresco_engine.settings import RestyleSettings

_OPENING_ANCHORS = 2

_FREE_U = {"s1": 0.9, "s2": 0.2, "b1": 1.5, "b2": 1.6}
"""The weights FreeU (arXiv:2309.11497) recommends for Stable Diffusion 1.5."""


@dataclass(frozen=True)
class AnchorLatents:
    """Latents of the frames that a batch begins with, one entry per denoising step and the result.

    Entry k is (1, c, h, w): the latent that enters step k, after the last step the clean one.
    `origins` are those of the second frame's pixels, at the size of the pictures. `after` are the
    latents of the batch's last frame, where that is known as well.
    """

    first: tuple[Tensor, ...]
    before: tuple[Tensor, ...]
    origins: Origins
    after: tuple[Tensor, ...] | None = None

    def on(self, device: torch.device) -> AnchorLatents:
        """The same with the latents on a device: brought there once, not at every step."""

        def sent(latents: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return tuple(x.to(device) for x in latents)

        after = None if self.after is None else sent(self.after)
        return AnchorLatents(sent(self.first), sent(self.before), self.origins, after)

    def put(self, x: Tensor, step: int) -> Tensor:
        """Latents (f, c, h, w) that enter a step, with theirs in their places."""
        first, before = self.first[step].to(x), self.before[step].to(x)
        if self.after is None:
            return torch.cat([first, before, x[_OPENING_ANCHORS:]])
        return torch.cat([first, before, x[_OPENING_ANCHORS:-1], self.after[step].to(x)])


@dataclass(frozen=True, kw_only=True)
class KeyframeBatch:
    """Keyframes to translate together, in order of time.

    `images` are padded to the working size; `indices` are their source frame numbers;
    `prompts` is one per frame. With `anchors` the first two frames are the shot's first keyframe
    and the one that the others follow, and the last one may be known as well. As many of the last
    frames as are `passed_on` are to be anchors of other batches. `shot_controls` are those of all
    batches of a shot, `picture` is shown to the model beside the prompts.
    """

    indices: tuple[int, ...]
    images: tuple[Image, ...]
    prompts: tuple[str | MixedPrompt, ...]
    anchors: AnchorLatents | None = None
    passed_on: int = 1
    shot_controls: ShotControls = field(default_factory=ShotControls)
    picture: PicturePrompt | None = None


@dataclass(frozen=True)
class Translation:
    """A translated batch: pictures at the padded working size, and what other batches begin with.

    `latents` are those of all frames, (f, c, h, w) on the processor, one entry per denoising step
    and the result; `origins` are those of the frames' pixels. `regions` (f, H, W) bool are True
    where the pictures may be shown, None for everywhere.
    """

    images: tuple[Image, ...]
    latents: tuple[Tensor, ...]
    origins: tuple[Origins, ...]
    regions: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class StepDone:
    """One denoising step of a batch is done, or was done before and `is_reused`.

    It `is_again` where it was told of, and all has to be done once more.
    """

    step: int
    steps: int
    is_reused: bool = False
    is_again: bool = False


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the denoising steps of a batch need beside the latents; b CFG halves."""

    embeddings: tuple[Tensor, ...]  # one per step: (b f) tokens c
    controls: tuple[ControlInput, ...]
    guidance_scale: float
    guidance_rescale: float
    added: AddedConditions = NOTHING_ADDED
    picture: PicturePrompt | None = None

    @property
    def halves(self) -> int:
        return 2 if self.guidance_scale > 1 else 1

    def part(self, frames: slice) -> Conditions:
        """Those of some frames alone; for conditions without guidance or a picture."""
        assert self.halves == 1
        assert self.picture is None
        return replace(
            self,
            embeddings=tuple(one[frames] for one in self.embeddings),
            controls=tuple(one.part(frames) for one in self.controls),
            added=self.added.part(frames),
        )


@dataclass(frozen=True)
class BatchNoise:
    """Noise for the start and for the steps; of one kind it goes on from start to steps."""

    start: Noise
    steps: Noise


@dataclass(frozen=True, kw_only=True)
class BatchRun:
    """What stays the same over the denoising steps of a batch, made ready before the first.

    Whatever has to be asked of the device, copied there, or is of a size that depends on the
    pictures is in here, so that the steps only launch work and never wait for it.
    """

    model: Model
    settings: RestyleSettings
    correspondence: BatchCorrespondence
    sampler: Sampler
    conditions: Conditions
    noise: BatchNoise
    clean: Tensor
    """(f, c, h, w) float32: the input's latents."""
    reference_input: Tensor
    """(f, c, h, w): these with next to no noise."""
    reference_timestep: int
    anchors: AnchorLatents | None
    maps: dict[tuple[int, int], MapGuidance]
    background: CarriedBackground
    """What smoothing carries, at the pictures' size; nothing where it is off."""
    finite: FiniteWatch

    @property
    def new(self) -> slice:
        """The places of the frames that are no anchors."""
        anchors, frames = self.anchors, len(self.clean)
        if anchors is None:
            return slice(0, frames)
        return slice(_OPENING_ANCHORS, frames if anchors.after is None else frames - 1)


def model_output(
    run: BatchRun, x: Tensor, k: int, adapt: Callable[[str, Tensor], Tensor] | None = None
) -> Tensor:
    """What the networks say of latents x (f, c, h, w) in step k, for every half of CFG.

    `adapt` changes the weights of cross-attention, see `reading`.
    """
    x, t = run.sampler.model_input(x, k), run.sampler.steps.timesteps[k]
    words, added = run.conditions.embeddings[k], run.conditions.added.in_step(k)
    residuals = _control_residuals(run, x, t, words, added)
    with _free_u(run), reading(run.model.unet, run.conditions.picture, adapt, len(x)):
        return _unet(run, x, t, words, {**residuals, **added})


@contextmanager
def _free_u(run: BatchRun) -> Iterator[None]:
    """Inside, the decoder's backbone and skip features are re-weighted, where that is wanted."""
    if not run.settings.free_u:
        yield
        return
    run.model.unet.enable_freeu(**_FREE_U)
    try:
        yield
    finally:
        run.model.unet.disable_freeu()


def _unet(run: BatchRun, x: Tensor, t: Tensor, words: Tensor, beside: dict[str, Any]) -> Tensor:
    output = run.model.unet(
        torch.cat([x] * run.conditions.halves).to(run.model.dtype),  # (b f) c h w
        t,
        encoder_hidden_states=words,
        return_dict=False,
        **beside,
    )[0]
    return output.to(x.dtype)


def _control_residuals(
    run: BatchRun, x: Tensor, t: Tensor, words: Tensor, added: dict[str, Any]
) -> dict[str, Any]:
    latents = torch.cat([x] * run.conditions.halves).to(run.model.dtype)  # (b f) c h w
    return control_residuals(run.conditions.controls, latents, t, words, added)


def make_conditions(
    model: Model, batch: KeyframeBatch, settings: RestyleSettings, steps: int
) -> Conditions:
    assert settings.guidance_scale is not None
    texts: list[str | MixedPrompt] = list(batch.prompts)
    negative = plain_words(settings.negative_prompt or "")
    halves = 2 if settings.guidance_scale > 1 else 1
    if halves == 2:
        texts = [*[negative] * len(texts), *texts]
    words = encode_steps(model, texts, steps, settings.clip_skip or 1)
    if halves == 2 and not negative and model.zeros_no_words:
        words = tuple(without_negative(one) for one in words)
    controls = control_inputs(
        model.controls,
        settings,
        lambda control: control_pictures(
            control, batch.indices, batch.images, settings, batch.shot_controls
        ),
        lambda pictures: pictures.to(model.device, model.dtype),
        halves,
    )
    return Conditions(
        embeddings=tuple(one.states for one in words),
        added=added_conditions(model, words, *batch.images[0].shape[:2]),
        controls=controls,
        guidance_rescale=settings.guidance_rescale or 0.0,
        guidance_scale=settings.guidance_scale,
        picture=batch.picture and batch.picture.for_batch(halves, len(batch.prompts)),
    )
