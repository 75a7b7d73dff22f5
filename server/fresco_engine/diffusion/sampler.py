"""Translating one batch of keyframes: SDEdit, ControlNet, guidance, anchors.

With every adaptation off the result equals diffusers' own ControlNet image-to-image pipeline with
one generator per frame, bit for bit on one device.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from fresco_media.types import Image
from torch import Tensor

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.origins import Origins, trace_origins
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
from fresco_engine.diffusion.guidance import (
    Guidance,
    GuidanceStep,
    MapGuidance,
    Reference,
    maps_ahead,
)
from fresco_engine.diffusion.hooks import guided, guided_sizes, recording, showing
from fresco_engine.diffusion.inversion import (
    Inversion,
    deterministic,
    edit_friendly,
    without_noise,
)
from fresco_engine.diffusion.latents import decode_latents, encode_images
from fresco_engine.diffusion.memory import device_memory, sent
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.noise import Noise, make_noise
from fresco_engine.diffusion.picture_prompt.prompt import PicturePrompt
from fresco_engine.diffusion.prompting.encoding import MixedPrompt, encode_steps
from fresco_engine.diffusion.prompting.wording import plain_words
from fresco_engine.diffusion.rescale import rescaled
from fresco_engine.diffusion.samplers import Sampler, Steps, make_sampler
from fresco_engine.diffusion.samplers.diffusion_steps import Ddim
from fresco_engine.diffusion.schedule import noise_level
from fresco_engine.diffusion.smoothing import CarriedBackground
from fresco_engine.settings import NoiseKind, RestyleSettings

_REFERENCE_TIMESTEP = 1
"""Next to no noise: what Stable Diffusion's 20 steps end with. Few steps end far above it."""
_FREE_U = {"s1": 0.9, "s2": 0.2, "b1": 1.5, "b2": 1.6}
"""The weights FreeU (arXiv:2309.11497) recommends for Stable Diffusion 1.5."""


@dataclass(frozen=True)
class AnchorLatents:
    """Latents of a batch's first and last frame, one entry per denoising step and the result.

    Entry k is (1, c, h, w): the latent that enters step k, after the last step the clean one.
    `origins` are those of the last frame's pixels, at the size of the pictures.
    """

    first: tuple[Tensor, ...]
    last: tuple[Tensor, ...]
    origins: Origins

    def on(self, device: torch.device) -> AnchorLatents:
        """The same with the latents on a device: brought there once, not at every step."""
        first, last = (tuple(x.to(device) for x in part) for part in (self.first, self.last))
        return AnchorLatents(first, last, self.origins)


@dataclass(frozen=True, kw_only=True)
class KeyframeBatch:
    """Keyframes to translate together, in order of time.

    `images` are padded to the working size; `indices` are their source frame numbers;
    `prompts` is one per frame. With `anchors` the first two frames are the anchor frames
    of the batch before: the shot's first keyframe and that batch's last keyframe. `shot_controls`
    are those of all batches of a shot, `picture` is shown to the model beside the prompts.
    """

    indices: tuple[int, ...]
    images: tuple[Image, ...]
    prompts: tuple[str | MixedPrompt, ...]
    anchors: AnchorLatents | None = None
    shot_controls: ShotControls = field(default_factory=ShotControls)
    picture: PicturePrompt | None = None


@dataclass(frozen=True)
class Translation:
    """A translated batch: pictures at the padded working size, and latents for the next batch."""

    images: tuple[Image, ...]
    anchors: AnchorLatents


@dataclass(frozen=True)
class StepDone:
    """One denoising step of a batch is done."""

    step: int
    steps: int


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
    inversion: Inversion | None = None
    """What leads back to the input, in an edit."""
    finite: FiniteWatch


def translate(
    model: Model,
    batch: KeyframeBatch,
    settings: RestyleSettings,
    correspondence: BatchCorrespondence,
) -> Generator[StepDone, None, Translation]:
    """Translate one batch; yields after every denoising step and returns the `Translation`.

    `settings` must be resolved (no `None` that the model decides). `correspondence` is at the
    padded working size, in the order of `batch.images`.

    Raises:
        OutOfDeviceMemory: the device cannot hold the batch.
        ResultNotFinite: the model computes NaN or infinity.
    """
    with device_memory("translating keyframes"):
        return (yield from _translate(model, batch, settings, correspondence))


@torch.no_grad()  # As a decorator it is lifted while the consumer looks at a step.
def _translate(
    model: Model,
    batch: KeyframeBatch,
    settings: RestyleSettings,
    correspondence: BatchCorrespondence,
) -> Generator[StepDone, None, Translation]:
    origins = _origins(batch, correspondence)
    run = prepared(model, batch, settings, correspondence, origins)
    if settings.is_edit:
        run = replace(run, inversion=(yield from inverted(run, batch)))
    record = yield from denoised(run)
    run.finite.settle()
    pictures, record = _finished(run, record)
    return Translation(_as_images(pictures), _anchor_latents(record, origins[-1]))


def prepared(
    model: Model,
    batch: KeyframeBatch,
    settings: RestyleSettings,
    correspondence: BatchCorrespondence,
    origins: Sequence[Origins],
) -> BatchRun:
    """A batch ready for `denoised`; `origins` are where its frames' pixels were first seen."""
    clean = encode_images(model, _as_tensor(batch.images, model)).float()
    sampler = make_sampler(model, settings)
    smoothing = settings.smoothing
    sizes = guided_sizes(
        model.unet, (clean.shape[-2], clean.shape[-1]), settings.attention, settings.optimisation
    )
    timestep = min(int(sampler.steps.times[-1]), _REFERENCE_TIMESTEP)
    return BatchRun(
        model=model,
        settings=settings,
        correspondence=correspondence,
        sampler=sampler,
        conditions=_make_conditions(model, batch, settings, len(sampler.steps)),
        noise=_make_noise(settings, batch.indices, clean, origins),
        clean=clean,
        reference_input=_reference_input(model, settings, clean, timestep),
        reference_timestep=timestep,
        anchors=None if batch.anchors is None else batch.anchors.on(model.device),
        maps=maps_ahead(correspondence, sizes, smoothing),
        background=CarriedBackground.of(correspondence, smoothing.dilation)
        if _smoothed_steps(settings, sampler.steps)
        else CarriedBackground(()),
        finite=FiniteWatch(model),
    )


def inverted(run: BatchRun, batch: KeyframeBatch) -> Generator[StepDone, None, Inversion]:
    """What leads back to the input of an edit, for the words that are true of it.

    Without guidance, so that no frame touches another. Yields after every step.
    """
    settings = run.settings
    prompts = (plain_words(settings.source_prompt),) * len(batch.indices)
    described = replace(batch, prompts=prompts, picture=None)
    sampler = make_sampler(run.model, settings)
    count = len(sampler.steps)
    alone = replace(settings, guidance_scale=1.0)
    conditions = _make_conditions(run.model, described, alone, count)
    source = replace(run, sampler=sampler, conditions=conditions)
    predict = partial(_output, source)
    if isinstance(sampler, Ddim) and settings.inversion == "ddim":
        steps = deterministic(run.clean, sampler, predict)
    else:
        steps = edit_friendly(run.clean, run.noise.start, sampler, predict)
    inversion = yield from _each(steps, 2 * count)
    return replace(inversion, start=run.finite(inversion.start, "inverting frames"))


def _each(
    steps: Generator[int, None, Inversion], count: int
) -> Generator[StepDone, None, Inversion]:
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            return end.value
        yield StepDone(done, count)


def denoised(run: BatchRun) -> Generator[StepDone, None, list[Tensor]]:
    """The latents entering every step, and the clean ones last.

    On a device other than the processor nothing in here waits for it, but for smoothing with an
    autoencoder in float16; whether all numbers were finite is for `run.finite.settle` to say.
    """
    guidance = _make_guidance(run)
    steps = run.sampler.steps
    smoothed = _smoothed_steps(run.settings, steps)
    before = len(steps) if run.inversion is not None else 0
    record = [_with_anchors(_initial_latents(run), run.anchors, 0)]
    for k in range(len(steps)):
        x = record[-1]
        step = guidance.at_step(
            run_index=k,
            run_steps=len(steps),
            schedule_share=steps.position(k),
            noise_share=steps.noise_share(k),
        )
        output = _predict(run, x, k, step)
        if k in smoothed and k + 1 < len(steps):
            output = _smoothed(run, output, x, k)
        stepped = run.finite(_stepped(run, output, x, k), "denoising")
        record.append(_with_anchors(stepped, run.anchors, k + 1))
        yield StepDone(before + k + 1, before + len(steps))
    return record


def _finished(run: BatchRun, record: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The pictures, and the record; smoothing on the last step needs no autoencoder.

    Only the last frame's latents, which the next batch begins with, take in what was smoothed.
    """
    pictures = decode_latents(run.model, record[-1])
    if len(record) - 2 not in _smoothed_steps(run.settings, run.sampler.steps):
        return pictures, record
    carried = run.background.carry(pictures)
    last = record[-1][-1:] + _change(run, pictures[-1:], carried[-1:]).to(record[-1])
    return carried, [*record[:-1], torch.cat([record[-1][:-1], last])]


def _stepped(run: BatchRun, output: Tensor, x: Tensor, k: int) -> Tensor:
    """The latents after step k."""
    if run.inversion is not None:
        return _corrected(run, run.inversion, output, x, k)
    noise = sent(run.noise.steps.draw(), x) if run.sampler.draws_noise(k) else None
    return run.sampler.step(output, x, k, noise)


def _corrected(run: BatchRun, inversion: Inversion, output: Tensor, x: Tensor, k: int) -> Tensor:
    """The latents after step k of an edit: as much of its correction as is kept, the rest noise."""
    if not inversion.corrections:
        return without_noise(run.sampler, output, x, k)
    keep = run.settings.keep
    correction = keep * inversion.corrections[k]
    if keep == 1 or not run.sampler.draws_noise(k):
        return without_noise(run.sampler, output, x, k) + correction
    noise = (1 - keep**2) ** 0.5 * sent(run.noise.steps.draw(), x)
    return run.sampler.step(output, x, k, noise) + correction


def _make_conditions(
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


def _origins(batch: KeyframeBatch, correspondence: BatchCorrespondence) -> list[Origins]:
    """Where the pixels of each frame were first seen, in this batch or before it."""
    first = _first_in_time(batch)
    # On the CPU, where noise is drawn.
    traced = trace_origins(
        correspondence.backward[first:-1].cpu(),
        ~correspondence.occluded_backward[first:-1].cpu(),
        batch.indices[first:],
        batch.anchors.origins if batch.anchors else None,
    )
    height, width = correspondence.size
    alone = [Origins.of_itself(number, height, width, "cpu") for number in batch.indices[:first]]
    return [*alone, *traced]


def _first_in_time(batch: KeyframeBatch) -> int:
    """The frame that those after it follow: the first anchor lies far before the second."""
    return 0 if batch.anchors is None else 1


def _make_noise(
    settings: RestyleSettings,
    numbers: Sequence[int],
    clean: Tensor,
    origins: Sequence[Origins],
) -> BatchNoise:
    def noise(kind: NoiseKind) -> Noise:
        seeds = [settings.keyframe_seeds.get(number, settings.seed) for number in numbers]
        shape = clean.shape[1:]
        return make_noise(kind, seeds=seeds, numbers=numbers, shape=shape, origins=origins)

    start = noise(settings.start_noise)
    is_one = settings.step_noise == settings.start_noise
    return BatchNoise(start, start if is_one else noise(settings.step_noise))


def _initial_latents(run: BatchRun) -> Tensor:
    if run.inversion is not None:
        return run.inversion.start
    return run.sampler.start(run.clean, sent(run.noise.start.draw(), run.clean))


def _make_guidance(run: BatchRun) -> Guidance:
    return Guidance(
        correspondence=run.correspondence,
        reference=_reference_pass(run),
        attention=run.settings.attention,
        optimisation=run.settings.optimisation,
        smoothing=run.settings.smoothing,
        maps=run.maps,
    )


def _reference_pass(run: BatchRun) -> Reference:
    """The U-Net's view of the input frames with next to no noise, without ControlNet.

    Attention needs that of each half of classifier-free guidance, features the prompt's alone.
    """
    attention, optimisation = run.settings.attention, run.settings.optimisation
    needs_features = optimisation.is_on and optimisation.spatial
    if not (needs_features or attention.spatial):
        return Reference()
    frames = run.clean.shape[0]
    with recording(
        run.model.unet, features=needs_features, attention=attention.spatial
    ) as reference:
        embeddings = run.conditions.embeddings[-1]
        embeddings = embeddings if attention.spatial else embeddings[-frames:]
        run.model.unet(
            run.reference_input.repeat(len(embeddings) // frames, 1, 1, 1),
            run.reference_timestep,
            encoder_hidden_states=embeddings,
            return_dict=False,
            **run.conditions.added.of_last(len(embeddings)).in_step(-1),
        )
    return reference


def _reference_input(
    model: Model, settings: RestyleSettings, clean: Tensor, timestep: int
) -> Tensor:
    """What the reference pass sees, in the model's precision."""
    # One noise for all, as it would tell frames apart that are alike.
    generator = torch.Generator("cpu").manual_seed(settings.seed)
    noise = torch.randn(clean[:1].shape, generator=generator).to(clean).expand_as(clean)
    return noise_level(model.scheduler_config, timestep).noised(clean, noise).to(model.dtype)


def _predict(run: BatchRun, x: Tensor, k: int, step: GuidanceStep) -> Tensor:
    """The model's output for latents x (f, c, h, w) in step k, guided towards the prompt."""
    with guided(run.model.unet, step):
        output = _output(run, x, k)
    if run.conditions.halves == 1:
        return output
    unconditional, conditional = output.chunk(2)
    guided_output = unconditional + run.conditions.guidance_scale * (conditional - unconditional)
    return rescaled(guided_output, conditional, run.conditions.guidance_rescale)


def _output(run: BatchRun, x: Tensor, k: int) -> Tensor:
    """What the networks say of latents x (f, c, h, w) in step k, for every half of CFG."""
    x, t = run.sampler.model_input(x, k), run.sampler.steps.timesteps[k]
    words, added = run.conditions.embeddings[k], run.conditions.added.in_step(k)
    residuals = _control_residuals(run, x, t, words, added)
    with _free_u(run), showing(run.model.unet, run.conditions.picture):
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


def _smoothed_steps(settings: RestyleSettings, steps: Steps) -> frozenset[int]:
    """The executed steps whose pictures are smoothed: those that begin in the chosen span.

    A short schedule may have none there; then it is the one in which the span's middle lies.
    """
    smoothing = settings.smoothing
    if not smoothing.is_on or smoothing.start == smoothing.stop:
        return frozenset()
    positions = [steps.position(k) for k in range(len(steps))]
    inside = [k for k, at in enumerate(positions) if smoothing.start <= at < smoothing.stop]
    middle = (smoothing.start + smoothing.stop) / 2
    before = [k for k, at in enumerate(positions) if at <= middle]
    return frozenset(inside or before[-1:])


def _smoothed(run: BatchRun, output: Tensor, x: Tensor, k: int) -> Tensor:
    """The model output that predicts the smoothed clean picture instead of its own."""
    predicted = run.sampler.predicted_x0(output, x, k)
    pictures = decode_latents(run.model, predicted, run.finite)
    carried = run.background.carry(pictures)
    change = _change(run, pictures, carried).to(x.dtype)
    return run.sampler.output_that_predicts(predicted + change, x, k)


def _change(run: BatchRun, pictures: Tensor, carried: Tensor) -> Tensor:
    """What smoothing did, in latents: the autoencoder's own loss, in both, cancels out."""
    after, before = (encode_images(run.model, x, run.finite) for x in (carried, pictures))
    return after - before


def _with_anchors(x: Tensor, anchors: AnchorLatents | None, step: int) -> Tensor:
    """The anchor frames' latents replaced by those recorded in the batch before."""
    if anchors is None:
        return x
    return torch.cat([anchors.first[step].to(x), anchors.last[step].to(x), x[2:]])


def _anchor_latents(record: Sequence[Tensor], origins: Origins) -> AnchorLatents:
    first, last = (tuple(x[part].cpu() for x in record) for part in (slice(1), slice(-1, None)))
    return AnchorLatents(first, last, origins)


def _as_tensor(images: Sequence[Image], model: Model) -> Tensor:
    """Pictures as (f, 3, H, W) in [-1, 1] on the model's device."""
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return (stacked.to(torch.float32) / 255 * 2 - 1).to(model.device)


def _as_images(x: Tensor) -> tuple[Image, ...]:
    """Tensors in [-1, 1] as pictures, rounded to the nearest level."""
    levels = ((x.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return tuple(levels.permute(0, 2, 3, 1).cpu().numpy())
