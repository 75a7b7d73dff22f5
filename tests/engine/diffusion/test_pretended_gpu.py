"""Denoising on a device that only pretends: no step waits for it, and nothing lies elsewhere.

Tensors on torch's device "meta" know shapes and precisions but hold no numbers, so that whatever
needs one on the host fails, be it a copy, a branch, or a size that depends on the pictures. What
this device lets pass, other than a GPU would, `Strict` refuses. All that is made ready before the
steps is real.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.origins import Origins
from fresco_engine.diffusion.batch_run import AnchorLatents, BatchRun, KeyframeBatch
from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.cost import moved, on_meta
from fresco_engine.diffusion.finite import FiniteWatch
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.picture_prompt.prompt import PicturePrompt
from fresco_engine.diffusion.sampler import denoised, prepared
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import (
    AttentionSettings,
    OptimisationSettings,
    RestyleSettings,
    SamplerKind,
    SmoothingSettings,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.fakes.tiny_models import write_model_folder
from tests.fakes.tiny_t2i_adapter import tiny_t2i_adapter
from tests.fakes.tiny_xl import write_xl_folder

MakeCorrespondence = Callable[..., BatchCorrespondence]
DEVICE = "meta"
_OPS = torch.ops.aten
COPIES = (_OPS._to_copy, _OPS.copy_)
PRODUCTS = (
    _OPS.mm,
    _OPS.bmm,
    _OPS.addmm,
    _OPS.baddbmm,
    _OPS.convolution,
    _OPS._scaled_dot_product_attention_math,
    _OPS._scaled_dot_product_flash_attention_for_cpu,
    _OPS._scaled_dot_product_fused_attention_overrideable,
)
SIZE, FRAMES = 64, 3
NO_ATTENTION = AttentionSettings(spatial=False, cross_frame=False, temporal=False)
NO_OPTIMISATION = OptimisationSettings(temporal=False, spatial=False)
NO_SMOOTHING = SmoothingSettings(is_on=False)
FULL = RestyleSettings(
    prompt="blue",
    steps=2,
    strength=1.0,
    guidance_scale=3.0,
    size=SIZE,
    start_noise="own",
    step_noise="own",
    optimisation=OptimisationSettings(iterations=2),
    smoothing=NO_SMOOTHING,
)
ALONE = {
    "nothing": replace(FULL, attention=NO_ATTENTION, optimisation=NO_OPTIMISATION),
    "spatial attention": replace(
        FULL, attention=replace(NO_ATTENTION, spatial=True), optimisation=NO_OPTIMISATION
    ),
    "cross-frame attention": replace(
        FULL, attention=replace(NO_ATTENTION, cross_frame=True), optimisation=NO_OPTIMISATION
    ),
    "temporal attention": replace(
        FULL, attention=replace(NO_ATTENTION, temporal=True), optimisation=NO_OPTIMISATION
    ),
    "temporal optimisation": replace(
        FULL, attention=NO_ATTENTION, optimisation=replace(FULL.optimisation, spatial=False)
    ),
    "spatial optimisation": replace(
        FULL, attention=NO_ATTENTION, optimisation=replace(FULL.optimisation, temporal=False)
    ),
    "smoothing": replace(
        FULL,
        attention=NO_ATTENTION,
        optimisation=NO_OPTIMISATION,
        smoothing=SmoothingSettings(start=0.0, stop=0.9),
    ),
    "no guidance by words": replace(FULL, guidance_scale=1.0),
    "FreeU": replace(FULL, free_u=True),
    "everything": replace(FULL, smoothing=SmoothingSettings(start=0.0, stop=0.9)),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    card = {"name": "tiny", "controls": {"tile": "controlnet"}, "defaults": {"control": "tile"}}
    write_model_folder(folder, card=card)
    return load_model(Path(folder), control="tile", device="cpu")


@pytest.fixture(scope="module")
def xl(tmp_path_factory: pytest.TempPathFactory) -> Model:
    card = {"name": "tiny", "controls": {"tile": "controlnet"}, "defaults": {"control": "tile"}}
    folder = write_xl_folder(tmp_path_factory.mktemp("xl"), card=card)
    return load_model(folder, control="tile", device="cpu")


class Strict(TorchDispatchMode):
    """Refuses what a GPU would: operands that lie elsewhere, or of several precisions."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        is_copy = func.overloadpacket in COPIES
        # A number may come from the processor.
        placed = [x for x in tensors if x.dim() or x.device.type == DEVICE]
        devices = {x.device.type for x in placed}
        assert is_copy or len(devices) < 2, f"{func} on {devices}"
        kinds = {x.dtype for x in placed if x.is_floating_point()}
        is_product = func.overloadpacket in PRODUCTS
        assert not is_product or len(kinds) < 2, f"{func} of {kinds}"
        return func(*args, **(kwargs or {}))


class FreshNoise:
    """Noise without a seed, as fake tensors have no numbers to draw."""

    def __init__(self, shape: torch.Size) -> None:
        self._shape = shape

    def draw(self) -> torch.Tensor:
        return torch.randn(self._shape)


def on_the_gpu(run: BatchRun, dtype: torch.dtype) -> BatchRun:
    """A batch that was made ready on the processor, as if it had been on the device."""
    device = torch.device(DEVICE)
    model = on_meta(run.model, dtype)
    sampler = copy(run.sampler)
    sampler.steps = moved(sampler.steps, device)
    noise = FreshNoise(run.clean.shape)
    bound = zip(run.conditions.controls, model.controls, strict=True)
    seen = PicturePrompt.unseen(model.unet, tokens=4).for_batch(run.conditions.halves, FRAMES)
    return replace(
        run,
        model=model,
        sampler=sampler,
        correspondence=moved(run.correspondence, device),
        conditions=replace(
            run.conditions,
            embeddings=tuple(words.to(device, dtype) for words in run.conditions.embeddings),
            added=replace(
                run.conditions.added,
                pooled=tuple(whole.to(device, dtype) for whole in run.conditions.added.pooled),
                sizes=moved(run.conditions.added.sizes, device),
            ),
            controls=tuple(
                replace(
                    one,
                    network=loaded.network,
                    pictures=one.pictures.to(device, dtype),
                    features=tuple(x.to(device, dtype) for x in one.features),
                )
                for one, loaded in bound
            ),
            picture=run.conditions.picture and seen,
        ),
        noise=replace(run.noise, start=noise, steps=noise),
        clean=run.clean.to(device),
        reference_input=run.reference_input.to(device, dtype),
        anchors=moved(run.anchors, device),
        maps=moved(run.maps, device),
        background=moved(run.background, device),
        finite=FiniteWatch(model),
    )


def ready(model: Model, settings: RestyleSettings, correspondence: BatchCorrespondence) -> BatchRun:
    """A batch with anchors, on the processor."""
    image = np.full((SIZE, SIZE, 3), 90, np.uint8)
    resolved = model.resolved(settings)
    origins = [Origins.of_itself(number, SIZE, SIZE, "cpu") for number in range(FRAMES)]
    latents = (torch.zeros(1, 4, SIZE // 8, SIZE // 8),) * 10
    batch = KeyframeBatch(
        indices=tuple(range(FRAMES)),
        images=(image,) * FRAMES,
        prompts=("blue",) * FRAMES,
        anchors=AnchorLatents(latents, latents, origins[0]),
    )
    return prepared(model, batch, resolved, correspondence, origins)


def check(run: BatchRun, dtype: torch.dtype) -> None:
    pretended = on_the_gpu(run, dtype)

    with Strict():
        record = drained(denoised(pretended))

    assert {x.device.type for x in record} == {DEVICE}
    assert {x.dtype for x in record} == {torch.float32}


@pytest.mark.parametrize("name", ALONE)
def test_no_adaptation_waits_for_the_device_or_leaves_it(
    name: str, model: Model, make_correspondence: MakeCorrespondence
) -> None:
    run = ready(model, ALONE[name], make_correspondence(FRAMES, SIZE, SIZE))

    check(run, torch.bfloat16)
    check(run, torch.float16)


@pytest.mark.parametrize("name", ["spatial attention", "everything"])
def test_nor_does_one_in_a_model_of_xls_shape(
    name: str, xl: Model, make_correspondence: MakeCorrespondence
) -> None:
    run = ready(xl, ALONE[name], make_correspondence(FRAMES, SIZE, SIZE))

    check(run, torch.bfloat16)
    check(run, torch.float16)  # Its autoencoder stays in float32.


@pytest.mark.parametrize("kind", get_args(SamplerKind))
def test_no_sampler_waits_for_the_device_or_leaves_it(
    kind: SamplerKind, model: Model, make_correspondence: MakeCorrespondence
) -> None:
    # Three steps are enough for those that remember two.
    settings = replace(ALONE["nothing"], sampler=kind, steps=3)

    check(ready(model, settings, make_correspondence(FRAMES, SIZE, SIZE)), torch.float16)


def test_a_t2i_adapter_has_no_step_wait_for_the_device_or_leave_it(
    model: Model, make_correspondence: MakeCorrespondence
) -> None:
    control = LoadedControl(kind="tile", network=tiny_t2i_adapter())
    settings = replace(ALONE["nothing"], control="tile")
    run = ready(
        replace(model, controls=(control,)), settings, make_correspondence(FRAMES, SIZE, SIZE)
    )

    assert all(one.features for one in run.conditions.controls)
    check(run, torch.float16)


@pytest.mark.parametrize("guidance", [3.0, 1.0])
def test_a_reference_picture_has_no_step_wait_for_the_device_or_leave_it(
    guidance: float, model: Model, make_correspondence: MakeCorrespondence
) -> None:
    settings = replace(ALONE["nothing"], guidance_scale=guidance)
    run = ready(model, settings, make_correspondence(FRAMES, SIZE, SIZE))
    shown = replace(run.conditions, picture=PicturePrompt.unseen(model.unet, tokens=4))

    check(replace(run, conditions=shown), torch.float16)


def test_what_a_gpu_would_wait_for_or_refuse_is_noticed(
    model: Model, make_correspondence: MakeCorrespondence
) -> None:
    run = on_the_gpu(ready(model, FULL, make_correspondence(FRAMES, SIZE, SIZE)), torch.bfloat16)
    elsewhere = replace(run, reference_input=torch.ones(run.reference_input.shape))
    too_precise = replace(run, reference_input=run.reference_input.float())

    with pytest.raises(NotImplementedError, match="nonzero"):
        drained(denoised(replace(run, maps={})))  # They are worked out within a step then.
    with pytest.raises(AssertionError, match="cpu"), Strict():
        drained(denoised(elsewhere))
    with pytest.raises(AssertionError, match="float32"), Strict():
        drained(denoised(too_precise))
