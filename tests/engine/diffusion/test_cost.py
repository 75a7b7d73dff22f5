"""What a batch will cost is told without its numbers, and agrees with what it then takes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.origins import Origins
from fresco_engine.diffusion.batch_run import BatchRun, KeyframeBatch
from fresco_engine.diffusion.cost import BatchCost, PeakMemory, batch_cost, working_bytes
from fresco_engine.diffusion.latents import decode_latents
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.sampler import denoised, prepared
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import OptimisationSettings, RestyleSettings
from torch.utils.flop_counter import FlopCounterMode

from tests.fakes.tiny_xl import write_xl_folder

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


SHAPE = {"frames": 4, "height": 64, "width": 96}


@pytest.fixture(scope="module")
def told(tiny_model: Model) -> BatchCost:
    """What a batch of four small pictures will cost."""
    return batch_cost(tiny_model, tiny_model.resolved(SETTINGS), **SHAPE)


def test_libraries_say_nothing_of_what_is_only_weighed(
    tiny_model: Model, capfd: pytest.CaptureFixture[str]
) -> None:
    library = logging.getLogger("diffusers")
    library.addHandler(handler := logging.StreamHandler())
    try:
        batch_cost(tiny_model, tiny_model.resolved(SETTINGS), **SHAPE)
    finally:
        library.removeHandler(handler)

    assert capfd.readouterr().err == ""


def bytes_of(model: Model, **changes: int) -> int:
    return working_bytes(model, model.resolved(SETTINGS), **{**SHAPE, **changes})


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
    tiny_model: Model, make_correspondence: MakeCorrespondence, told: BatchCost
) -> None:
    run = made_ready(tiny_model, make_correspondence(4, 64, 96, motion=0.0, hidden=0.0))
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter, PeakMemory() as memory:
        record = drained(denoised(run))
        decode_latents(tiny_model, record[-1])

    # Without numbers the optimiser has no kernel that works in place.
    assert memory.peak * 0.95 < told.working_bytes < memory.peak * 1.4
    assert told.operations == pytest.approx(counter.get_total_flops(), rel=0.1)


def test_weights_are_those_of_all_networks(tiny_model: Model, told: BatchCost) -> None:
    networks = (tiny_model.unet, tiny_model.vae, tiny_model.text_encoder)
    bound = (control.network for control in tiny_model.controls)
    states = (cast(Any, network).state_dict() for network in (*networks, *bound))
    stored = sum(x.numel() * x.element_size() for state in states for x in state.values())

    assert told.weights_bytes == pytest.approx(stored, rel=0.01)


def test_more_frames_pixels_or_precision_take_more(tiny_model: Model, told: BatchCost) -> None:
    wider = batch_cost(tiny_model, tiny_model.resolved(SETTINGS), **{**SHAPE, "width": 192})
    assert wider.operations > 1.8 * told.operations
    assert bytes_of(tiny_model) == told.working_bytes
    assert bytes_of(tiny_model, frames=8) > 1.6 * told.working_bytes
    halved = replace(tiny_model, dtype=torch.float16)
    assert bytes_of(halved) < 0.8 * told.working_bytes


def test_a_model_of_xls_shape_is_told_as_it_runs(
    tmp_path: Path, make_correspondence: MakeCorrespondence
) -> None:
    card = {"name": "tiny", "controls": {"tile": "controlnet"}, "defaults": {"control": "tile"}}
    model = load_model(write_xl_folder(tmp_path, card=card), control="tile", device="cpu")
    run = made_ready(model, make_correspondence(4, 64, 96, motion=0.0, hidden=0.0))
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter, PeakMemory() as memory:
        record = drained(denoised(run))
        decode_latents(model, record[-1])

    told = batch_cost(model, model.resolved(SETTINGS), **SHAPE)

    assert memory.peak * 0.95 < told.working_bytes < memory.peak * 1.4
    assert told.operations == pytest.approx(counter.get_total_flops(), rel=0.1)


def test_what_reads_a_reference_picture_counts_before_the_batch(
    tiny_model: Model, told: BatchCost
) -> None:
    resolved = tiny_model.resolved(replace(SETTINGS, reference="look.png"))

    shown = batch_cost(tiny_model, resolved, **SHAPE)
    unheeded = working_bytes(tiny_model, replace(resolved, reference_scale=0.0), **SHAPE)

    assert unheeded == told.working_bytes
    assert shown.working_bytes == 4 * 632_076_800  # CLIP ViT-H/14, beside a tiny model.
    assert shown.operations > told.operations


def test_tensors_count_until_nobody_holds_them() -> None:
    with PeakMemory() as memory:
        held = torch.zeros(1000)
        view = held[10:]
        for _ in range(5):
            torch.ones(2000)

    assert memory.peak == 4 * 3000
    assert view.sum() == 0
