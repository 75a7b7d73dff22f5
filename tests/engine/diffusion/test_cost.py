"""What a batch will cost is told without its numbers, and agrees with what it then takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.origins import Origins
from fresco_engine.diffusion.cost import BatchCost, PeakMemory, batch_cost
from fresco_engine.diffusion.latents import decode_latents
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.sampler import BatchRun, KeyframeBatch, denoised, prepared
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import OptimisationSettings, RestyleSettings
from torch.utils.flop_counter import FlopCounterMode

MakeCorrespondence = Callable[..., BatchCorrespondence]
SETTINGS = RestyleSettings(
    prompt="blue",
    size=64,
    steps=2,
    strength=1.0,
    guidance_scale=3.0,
    start_noise="own",
    step_noise="own",
    optimisation=OptimisationSettings(iterations=3),
)


def cost_of(model: Model, **changes: Any) -> BatchCost:
    shape = {"frames": 4, "height": 64, "width": 96, **changes}
    return batch_cost(model, model.resolved(SETTINGS), **shape)


def made_ready(model: Model, correspondence: BatchCorrespondence) -> BatchRun:
    frames = correspondence.frame_count
    height, width = correspondence.size
    batch = KeyframeBatch(
        indices=tuple(range(frames)),
        images=(np.full((height, width, 3), 90, np.uint8),) * frames,
        prompts=("blue",) * frames,
    )
    origins = [Origins.of_itself(number, height, width, "cpu") for number in range(frames)]
    with torch.no_grad():
        return prepared(model, batch, model.resolved(SETTINGS), correspondence, origins)


def test_memory_and_arithmetic_agree_with_a_run_with_numbers(
    tiny_model: Model, make_correspondence: MakeCorrespondence
) -> None:
    run = made_ready(tiny_model, make_correspondence(4, 64, 96, motion=0.0, hidden=0.0))
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter, PeakMemory() as memory:
        record = drained(denoised(run))
        decode_latents(tiny_model, record[-1])

    told = cost_of(tiny_model)

    # Without numbers the optimiser has no kernel that works in place.
    assert memory.peak * 0.95 < told.working_bytes < memory.peak * 1.4
    assert told.operations == pytest.approx(counter.get_total_flops(), rel=0.1)


def test_weights_are_those_of_all_networks(tiny_model: Model) -> None:
    networks = (tiny_model.unet, tiny_model.vae, tiny_model.text_encoder)
    bound = (control.network for control in tiny_model.controls)
    states = (cast(Any, network).state_dict() for network in (*networks, *bound))
    stored = sum(x.numel() * x.element_size() for state in states for x in state.values())

    assert cost_of(tiny_model).weights_bytes == pytest.approx(stored, rel=0.01)


def test_more_frames_pixels_or_precision_take_more(tiny_model: Model) -> None:
    told = cost_of(tiny_model)

    assert cost_of(tiny_model, frames=8).working_bytes > 1.6 * told.working_bytes
    assert cost_of(tiny_model, width=192).operations > 1.8 * told.operations
    halved = replace(tiny_model, dtype=torch.float16)
    assert cost_of(halved).working_bytes < 0.8 * told.working_bytes


def test_what_reads_a_reference_picture_counts_before_the_batch(tiny_model: Model) -> None:
    resolved = tiny_model.resolved(replace(SETTINGS, reference="look.png"))
    shape = {"frames": 4, "height": 64, "width": 96}

    shown, unheeded = (
        batch_cost(tiny_model, one, **shape)
        for one in (resolved, replace(resolved, reference_scale=0.0))
    )

    assert unheeded == cost_of(tiny_model)
    assert shown.working_bytes == 4 * 632_076_800  # CLIP ViT-H/14, beside a tiny model.
    assert shown.operations > unheeded.operations


def test_tensors_count_until_nobody_holds_them() -> None:
    with PeakMemory() as memory:
        held = torch.zeros(1000)
        view = held[10:]
        for _ in range(5):
            torch.ones(2000)

    assert memory.peak == 4 * 3000
    assert view.sum() == 0
