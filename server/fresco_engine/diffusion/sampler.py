"""Translating one batch of keyframes: SDEdit, ControlNet, guidance, anchors.

With every adaptation off the result equals diffusers' own ControlNet image-to-image pipeline with
one generator per frame, bit for bit on one device.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.origins import Origins, trace_origins
from fresco_engine.correspondence.warp import partly
from fresco_engine.diffusion.batch_run import (
    AnchorLatents,
    BatchNoise,
    BatchRun,
    KeyframeBatch,
    StepDone,
    Translation,
    make_conditions,
    model_output,
)
from fresco_engine.diffusion.editing.edit import Edit, prepared_edit
from fresco_engine.diffusion.editing.inversion import Inversion, without_noise
from fresco_engine.diffusion.editing.kept_inversions import NO_INVERSIONS, KeptInversions
from fresco_engine.diffusion.finite import AutoencoderOverflowed, FiniteWatch
from fresco_engine.diffusion.guidance import Guidance, GuidanceStep, Reference, maps_ahead
from fresco_engine.diffusion.hooks import guided, guided_sizes, recording
from fresco_engine.diffusion.latents import (
    decode_latents,
    encode_images,
    use_full_precision,
)
from fresco_engine.diffusion.memory import device_memory, sent
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.noise import Noise, make_noise
from fresco_engine.diffusion.rescale import rescaled
from fresco_engine.diffusion.samplers import Steps, make_sampler
from fresco_engine.diffusion.schedule import noise_level
from fresco_engine.diffusion.smoothing import CarriedBackground
from fresco_engine.settings import NoiseKind, RestyleSettings

_REFERENCE_TIMESTEP = 1
"""Next to no noise: what Stable Diffusion's 20 steps end with. Few steps end far above it."""


def translate(
    model: Model,
    batch: KeyframeBatch,
    settings: RestyleSettings,
    correspondence: BatchCorrespondence,
    inversions: KeptInversions = NO_INVERSIONS,
) -> Generator[StepDone, None, Translation]:
    """Translate one batch; yields after every denoising step and returns the `Translation`.

    `settings` must be resolved (no `None` that the model decides). `correspondence` is at the
    padded working size, in the order of `batch.images`. What an edit finds of its batch is kept in
    `inversions` and taken from there.

    Raises:
        OutOfDeviceMemory: the device cannot hold the batch.
        ResultNotFinite: the model computes NaN or infinity.
    """
    with device_memory("translating keyframes"):
        try:
            return (yield from _translate(model, batch, settings, correspondence, inversions))
        except AutoencoderOverflowed:
            use_full_precision(model)
        again = _translate(model, batch, settings, correspondence, inversions)
        return (yield from _told_again(again))


def _told_again(
    steps: Generator[StepDone, None, Translation],
) -> Generator[StepDone, None, Translation]:
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        yield replace(step, is_again=True)


@torch.no_grad()  # As a decorator it is lifted while the consumer looks at a step.
def _translate(
    model: Model,
    batch: KeyframeBatch,
    settings: RestyleSettings,
    correspondence: BatchCorrespondence,
    inversions: KeptInversions,
) -> Generator[StepDone, None, Translation]:
    origins = _origins(batch, correspondence)
    run = prepared(model, batch, settings, correspondence, origins)
    edit = None
    if settings.is_edit:
        edit = yield from prepared_edit(run, batch, inversions, _region_of_latents(run))
    record = yield from denoised(run, edit)
    run.finite.settle()
    pictures, record = _finished(run, record, batch.passed_on)
    regions = _regions(run, batch, edit)
    latents = tuple(x.cpu() for x in record)
    return Translation(_as_images(pictures), latents, tuple(origins), regions)


def _foreground(run: BatchRun) -> Tensor | None:
    """Where the batch may be changed at its pictures' size, if its correspondence says so."""
    foreground, chosen = run.correspondence.foreground, run.settings.region
    if chosen == "all" or run.settings.is_region_of_words:
        return None
    return ~foreground if chosen == "background" else foreground


def _region_of_latents(run: BatchRun) -> Tensor | None:
    """Where latents may leave the input's, (f, 1, h, w); all that a region has any part in."""
    region = _foreground(run)
    height, width = run.clean.shape[-2:]
    return None if region is None else partly(region, height, width)[:, None]


def _regions(run: BatchRun, batch: KeyframeBatch, edit: Edit | None) -> NDArray[np.bool_] | None:
    """Where the pictures of the batch may be shown."""
    if edit is not None and edit.words is not None:
        is_anchored = batch.anchors is not None
        return edit.words.masks(batch.images, run.correspondence, is_anchored=is_anchored)
    region = _foreground(run)
    return None if region is None else region.cpu().numpy()


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
        conditions=make_conditions(model, batch, settings, len(sampler.steps)),
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


def denoised(run: BatchRun, edit: Edit | None = None) -> Generator[StepDone, None, list[Tensor]]:
    """The latents entering every step, and the clean ones last; `edit` binds them to the input.

    On a device other than the processor nothing in here waits for it; whether all numbers were
    finite is for `run.finite.settle` to say.
    """
    guidance = _make_guidance(run)
    steps = run.sampler.steps
    smoothed = _smoothed_steps(run.settings, steps)
    before = 0 if edit is None else len(steps)
    record = [_with_anchors(_initial_latents(run, edit), run.anchors, 0)]
    for k in range(len(steps)):
        x = record[-1]
        step = guidance.at_step(
            run_index=k,
            run_steps=len(steps),
            schedule_share=steps.position(k),
            noise_share=steps.noise_share(k),
        )
        output = _predict(run, x, k, step, edit)
        if k in smoothed and k + 1 < len(steps):
            output = _smoothed(run, output, x, k)
        stepped = run.finite(_stepped(run, output, x, k, edit), "denoising")
        if edit is not None:
            stepped = edit.bound(stepped, k)
        record.append(_with_anchors(stepped, run.anchors, k + 1))
        yield StepDone(before + k + 1, before + len(steps))
    return record


def _finished(run: BatchRun, record: list[Tensor], passed_on: int) -> tuple[Tensor, list[Tensor]]:
    """The pictures, and the record; smoothing on the last step needs no autoencoder.

    Only latents that are `passed_on`, which other batches begin with, take in what was smoothed.
    """
    pictures = decode_latents(run.model, record[-1])
    if len(record) - 2 not in _smoothed_steps(run.settings, run.sampler.steps):
        return pictures, record
    carried = run.background.carry(pictures)
    change = _change(run, pictures[-passed_on:], carried[-passed_on:])
    last = record[-1].clone()
    last[-passed_on:] += change.to(last)
    return carried, [*record[:-1], last]


def _stepped(run: BatchRun, output: Tensor, x: Tensor, k: int, edit: Edit | None) -> Tensor:
    """The latents after step k."""
    if edit is not None:
        return _corrected(run, edit.inversion, output, x, k)
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


def _initial_latents(run: BatchRun, edit: Edit | None) -> Tensor:
    if edit is not None:
        return edit.inversion.start
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
            **run.conditions.added.part(slice(-len(embeddings), None)).in_step(-1),
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


def _predict(run: BatchRun, x: Tensor, k: int, step: GuidanceStep, edit: Edit | None) -> Tensor:
    """The model's output for latents x (f, c, h, w) in step k, guided towards the prompt."""
    output = _guided_output(run, x, k, step, edit)
    if run.conditions.halves == 1:
        return output
    unconditional, conditional = output.chunk(2)
    guided_output = unconditional + run.conditions.guidance_scale * (conditional - unconditional)
    return rescaled(guided_output, conditional, run.conditions.guidance_rescale)


def _guided_output(
    run: BatchRun, x: Tensor, k: int, step: GuidanceStep, edit: Edit | None
) -> Tensor:
    """The model's output for every half of guidance; an edit holds on to what its input shows."""
    if edit is None:
        with guided(run.model.unet, step):
            return model_output(run, x, k)
    seen = edit.seen(k)
    held = None if seen is None else seen.attention
    with guided(run.model.unet, step, held), edit.holding(k, seen) as adapt:
        return model_output(run, x, k, adapt)


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
    """The anchor frames' latents replaced by those recorded in earlier batches."""
    return x if anchors is None else anchors.put(x, step)


def _as_tensor(images: Sequence[Image], model: Model) -> Tensor:
    """Pictures as (f, 3, H, W) in [-1, 1] on the model's device."""
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return (stacked.to(torch.float32) / 255 * 2 - 1).to(model.device)


def _as_images(x: Tensor) -> tuple[Image, ...]:
    """Tensors in [-1, 1] as pictures, rounded to the nearest level."""
    levels = ((x.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return tuple(levels.permute(0, 2, 3, 1).cpu().numpy())
