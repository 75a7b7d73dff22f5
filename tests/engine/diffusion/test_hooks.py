"""Guidance goes into a U-Net and comes out again without a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.attention import GuidedAttention, LayerGuidance
from fresco_engine.diffusion.guidance import Guidance, GuidanceStep, Reference
from fresco_engine.diffusion.hooks import guided, recording, self_attentions
from fresco_engine.settings import AttentionSettings, OptimisationSettings
from torch import Tensor

FRAMES = 3
ALL_ATTENTION = AttentionSettings()
BRIEF_OPTIMISATION = OptimisationSettings(iterations=3)
NO_ATTENTION = AttentionSettings(spatial=False, cross_frame=False, temporal=False)
NO_OPTIMISATION = OptimisationSettings(temporal=False, spatial=False)

MakeCorrespondence = Callable[..., BatchCorrespondence]


def denoise(unet: UNet2DConditionModel, *, batch: int, size: tuple[int, int] = (16, 16)) -> Tensor:
    random = torch.Generator().manual_seed(1)
    latents = torch.randn(batch, unet.conv_in.in_channels, *size, generator=random)
    text = torch.randn(batch, 5, 16, generator=random)
    with torch.no_grad():
        return unet(latents, 500, text).sample


def record(unet: UNet2DConditionModel, size: tuple[int, int] = (16, 16)) -> Reference:
    with recording(unet) as reference:
        denoise(unet, batch=FRAMES, size=size)
    return reference


def first_step(
    reference: Reference,
    correspondence: BatchCorrespondence,
    attention: AttentionSettings = ALL_ATTENTION,
    optimisation: OptimisationSettings = BRIEF_OPTIMISATION,
) -> GuidanceStep:
    guidance = Guidance(
        correspondence=correspondence,
        reference=reference,
        attention=attention,
        optimisation=optimisation,
    )
    return guidance.at_step(run_index=0, run_steps=20, schedule_share=0, noise_share=1)


def hooks_and_processors(unet: UNet2DConditionModel) -> tuple[list[int], list[int]]:
    hooks = [len(module._forward_pre_hooks) for module in unet.modules()]
    return hooks, [id(processor) for processor in unet.attn_processors.values()]


def test_the_layers_that_are_guided_are_found_by_their_names(
    tiny_unet: UNet2DConditionModel,
) -> None:
    names = [name for block in range(4) for name in self_attentions(tiny_unet, block)]

    expected = [
        name.removesuffix(".processor")
        for name in tiny_unet.attn_processors
        if name.startswith("up_blocks") and "attn1" in name
    ]
    assert sorted(names) == sorted(expected)


def test_recording_leaves_the_pass_bitwise_as_it_is(tiny_unet: UNet2DConditionModel) -> None:
    plain = denoise(tiny_unet, batch=FRAMES)

    with recording(tiny_unet) as reference:
        recorded = denoise(tiny_unet, batch=FRAMES)

    assert torch.equal(plain, recorded)
    assert [tuple(x.shape[-2:]) for x in reference.features.values()] == [
        (2, 2),
        (4, 4),
        (8, 8),
        (16, 16),
    ]
    assert set(reference.attention) == {
        *self_attentions(tiny_unet, 2),
        *self_attentions(tiny_unet, 3),
    }


def test_recording_keeps_only_what_is_wanted(tiny_unet: UNet2DConditionModel) -> None:
    with recording(tiny_unet, features=False, attention=False) as reference:
        denoise(tiny_unet, batch=FRAMES)

    assert reference == Reference()


def test_recorded_features_are_those_before_freeu_scales_them(
    make_unet: Callable[..., UNet2DConditionModel],
) -> None:
    unet = make_unet()
    plain = record(unet)
    unet.enable_freeu(s1=0.9, s2=0.2, b1=1.2, b2=1.4)

    scaled = record(unet)

    assert torch.equal(plain.features[0], scaled.features[0])


def test_guidance_acts_inside_and_leaves_no_trace(
    tiny_unet: UNet2DConditionModel, make_correspondence: MakeCorrespondence
) -> None:
    before, installed = denoise(tiny_unet, batch=2 * FRAMES), hooks_and_processors(tiny_unet)
    step = first_step(record(tiny_unet), make_correspondence(FRAMES, 128, 128))

    with guided(tiny_unet, step):
        inside = denoise(tiny_unet, batch=2 * FRAMES)

    assert not torch.allclose(before, inside, atol=1e-3)
    assert inside.isfinite().all()
    assert torch.equal(before, denoise(tiny_unet, batch=2 * FRAMES))
    assert hooks_and_processors(tiny_unet) == installed


def test_an_exception_inside_leaves_no_trace(
    tiny_unet: UNet2DConditionModel, make_correspondence: MakeCorrespondence
) -> None:
    installed = hooks_and_processors(tiny_unet)
    step = first_step(Reference(), make_correspondence(FRAMES, 128, 128))

    with pytest.raises(KeyError), guided(tiny_unet, step):
        denoise(tiny_unet, batch=2 * FRAMES)

    assert hooks_and_processors(tiny_unet) == installed


def test_everything_off_is_bitwise_the_plain_pass(
    tiny_unet: UNet2DConditionModel, make_correspondence: MakeCorrespondence
) -> None:
    before, installed = denoise(tiny_unet, batch=2 * FRAMES), hooks_and_processors(tiny_unet)
    correspondence = make_correspondence(FRAMES, 128, 128)
    step = first_step(Reference(), correspondence, NO_ATTENTION, NO_OPTIMISATION)

    with guided(tiny_unet, step):
        inside = denoise(tiny_unet, batch=2 * FRAMES)
        assert hooks_and_processors(tiny_unet) == installed

    assert torch.equal(before, inside)


def test_one_frame_alone_is_bitwise_the_plain_pass(
    tiny_unet: UNet2DConditionModel, make_correspondence: MakeCorrespondence
) -> None:
    before = denoise(tiny_unet, batch=2)
    attention = AttentionSettings(spatial=False)
    optimisation = OptimisationSettings(spatial=False)
    step = first_step(Reference(), make_correspondence(1, 128, 128), attention, optimisation)

    with guided(tiny_unet, step):
        inside = denoise(tiny_unet, batch=2)

    assert torch.equal(before, inside)


def test_the_processor_without_guidance_is_bitwise_the_stock_one(
    tiny_unet: UNet2DConditionModel,
) -> None:
    before = denoise(tiny_unet, batch=2 * FRAMES)
    layers = {**self_attentions(tiny_unet, 2), **self_attentions(tiny_unet, 3)}
    saved = {name: attn.processor for name, attn in layers.items()}

    for attn in layers.values():
        processor = GuidedAttention(lambda: LayerGuidance(frames=FRAMES))
        attn.set_processor(cast(Any, processor))
    inside = denoise(tiny_unet, batch=2 * FRAMES)
    for name, attn in layers.items():
        attn.set_processor(saved[name])

    assert torch.equal(before, inside)


SINGLE_PARTS = {
    "spatial": (replace(NO_ATTENTION, spatial=True), NO_OPTIMISATION),
    "cross-frame": (replace(NO_ATTENTION, cross_frame=True), NO_OPTIMISATION),
    "temporal": (replace(NO_ATTENTION, temporal=True), NO_OPTIMISATION),
    "optimised along flow": (NO_ATTENTION, OptimisationSettings(spatial=False, iterations=2)),
    "optimised for similarity": (NO_ATTENTION, OptimisationSettings(temporal=False, iterations=2)),
}


@pytest.mark.parametrize(
    ("attention", "optimisation"), SINGLE_PARTS.values(), ids=SINGLE_PARTS.keys()
)
def test_each_part_works_alone(
    attention: AttentionSettings,
    optimisation: OptimisationSettings,
    tiny_unet: UNet2DConditionModel,
    make_correspondence: MakeCorrespondence,
) -> None:
    before = denoise(tiny_unet, batch=2 * FRAMES)
    correspondence = make_correspondence(FRAMES, 128, 128)
    step = first_step(record(tiny_unet), correspondence, attention, optimisation)

    with guided(tiny_unet, step):
        inside = denoise(tiny_unet, batch=2 * FRAMES)

    assert not torch.equal(before, inside)
    assert inside.isfinite().all()


SHAPES = {
    "two layers a block": {"layers_per_block": 2},
    "large heads": {"attention_head_dim": 2},
    "linear projection": {"use_linear_projection": True},
    "nine input channels": {"in_channels": 9},
    "upcast attention": {"upcast_attention": True},
}


@pytest.mark.parametrize("changes", SHAPES.values(), ids=SHAPES.keys())
def test_unets_of_other_shapes_are_guided(
    changes: dict[str, object],
    make_unet: Callable[..., UNet2DConditionModel],
    make_correspondence: MakeCorrespondence,
) -> None:
    unet = make_unet(**changes)
    before = denoise(unet, batch=FRAMES)
    step = first_step(record(unet), make_correspondence(FRAMES, 128, 128))

    with guided(unet, step):
        inside = denoise(unet, batch=FRAMES)

    assert not torch.equal(before, inside)
    assert torch.equal(before, denoise(unet, batch=FRAMES))


def test_maps_of_odd_size_are_guided(
    tiny_unet: UNet2DConditionModel, make_correspondence: MakeCorrespondence
) -> None:
    size = (15, 9)
    before = denoise(tiny_unet, batch=2 * FRAMES, size=size)
    step = first_step(record(tiny_unet, size), make_correspondence(FRAMES, 120, 72))

    with guided(tiny_unet, step):
        inside = denoise(tiny_unet, batch=2 * FRAMES, size=size)

    assert inside.shape == before.shape
    assert not torch.equal(before, inside)
