"""What guides which step, and what a batch's guidance holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.guidance import Guidance, Reference, attended_tokens
from fresco_engine.settings import AttentionSettings, OptimisationSettings

FRAMES, HEIGHT, WIDTH = 3, 4, 5
LAYER = "up_blocks.3.attentions.0.transformer_blocks.0.attn1"

MakeCorrespondence = Callable[..., BatchCorrespondence]


@pytest.fixture
def guidance(make_correspondence: MakeCorrespondence) -> Guidance:
    tokens = HEIGHT * WIDTH
    return Guidance(
        correspondence=make_correspondence(FRAMES, 8 * HEIGHT, 8 * WIDTH),
        reference=Reference(
            {3: torch.randn(FRAMES, 6, HEIGHT, WIDTH)},
            {LAYER: (torch.randn(FRAMES, tokens, 2, 4), torch.randn(FRAMES, tokens, 2, 4))},
        ),
        attention=AttentionSettings(),
        optimisation=OptimisationSettings(iterations=2),
    )


def test_the_papers_schedule_of_twenty_steps_of_which_four_are_skipped(
    guidance: Guidance,
) -> None:
    steps = [
        guidance.at_step(
            run_index=place - 4,
            run_steps=16,
            schedule_share=place / 20,
            noise_share=(19 - place) / 20,
        )
        for place in range(4, 20)
    ]

    assert [step.spatial for step in steps] == [True] + 15 * [False]
    assert all(step.cross_frame for step in steps)
    assert [step.temporal for step in steps] == 9 * [True] + 7 * [False]
    assert [step.features for step in steps] == 11 * [True] + 5 * [False]


@pytest.mark.parametrize(
    ("share", "steps"), [(0.0, 1), (0.05, 1), (0.2, 2), (1.0, 10)], ids=["0", "0.05", "0.2", "1"]
)
def test_spatial_guidance_lasts_its_share_of_the_executed_steps_but_at_least_one(
    share: float, steps: int, guidance: Guidance
) -> None:
    settings = AttentionSettings(spatial_until=share)
    guidance = replace(guidance, attention=settings)

    active = [
        guidance.at_step(run_index=i, run_steps=10, schedule_share=0, noise_share=0).spatial
        for i in range(10)
    ]

    assert active == steps * [True] + (10 - steps) * [False]


def test_all_of_the_first_frame_and_what_is_new_in_later_ones_is_attended(
    make_correspondence: MakeCorrespondence,
) -> None:
    hidden = torch.zeros(FRAMES, 1, 4, dtype=torch.bool)
    hidden[0, 0, 2] = True  # in frame 1, not shown by frame 0
    hidden[1, 0, 0] = True  # in frame 2, not shown by frame 1
    hidden[2, 0, 1] = True  # in frame 0, not shown by frame 2
    correspondence = replace(make_correspondence(FRAMES, 1, 4), occluded_backward=hidden)

    tokens = attended_tokens(correspondence)

    assert tokens.tolist() == [0, 1, 2, 3, 4 + 2, 8 + 0]


def test_a_layer_is_given_the_parts_that_are_on(guidance: Guidance) -> None:
    first = guidance.at_step(run_index=0, run_steps=9, schedule_share=0, noise_share=1)
    last = guidance.at_step(run_index=8, run_steps=9, schedule_share=1, noise_share=0)

    early, late = first.layer(LAYER, HEIGHT, WIDTH), last.layer(LAYER, HEIGHT, WIDTH)

    assert early.reference is not None
    assert early.paths is not None
    assert late.reference is None
    assert late.paths is None
    assert late.attended is early.attended is guidance.map(HEIGHT, WIDTH).attended


def test_a_layer_the_reference_lacks_is_a_key_error(guidance: Guidance) -> None:
    step = guidance.at_step(run_index=0, run_steps=9, schedule_share=0, noise_share=1)

    with pytest.raises(KeyError, match="unheard of"):
        step.layer("unheard of", HEIGHT, WIDTH)


def test_a_layer_recorded_at_another_size_is_a_key_error(guidance: Guidance) -> None:
    step = guidance.at_step(run_index=0, run_steps=9, schedule_share=0, noise_share=1)

    with pytest.raises(KeyError, match="attn1"):
        step.layer(LAYER, 2 * HEIGHT, WIDTH)


def test_a_block_the_reference_lacks_is_a_key_error(guidance: Guidance) -> None:
    step = guidance.at_step(run_index=0, run_steps=9, schedule_share=0, noise_share=1)

    with pytest.raises(KeyError):
        step.optimise(2, torch.randn(2 * FRAMES, 6, HEIGHT, WIDTH))


def test_only_the_blocks_of_the_settings_are_optimised(guidance: Guidance) -> None:
    settings = OptimisationSettings(blocks=(1, 3))
    guidance = replace(guidance, optimisation=settings)

    step = guidance.at_step(run_index=0, run_steps=9, schedule_share=0, noise_share=1)

    assert [step.optimises(block) for block in range(4)] == [False, True, False, True]


def test_one_frame_alone_needs_neither_neighbours_nor_paths(
    make_correspondence: MakeCorrespondence,
) -> None:
    guidance = Guidance(
        correspondence=make_correspondence(1, 8 * HEIGHT, 8 * WIDTH),
        reference=Reference(),
        attention=AttentionSettings(spatial=False),
        optimisation=OptimisationSettings(spatial=False),
    )

    step = guidance.at_step(run_index=0, run_steps=9, schedule_share=0, noise_share=1)

    assert not step.guides_attention
    assert not any(step.optimises(block) for block in range(4))


def test_a_map_of_a_size_is_worked_out_once(guidance: Guidance) -> None:
    assert guidance.map(HEIGHT, WIDTH) is guidance.map(HEIGHT, WIDTH)
    assert guidance.target(3) is guidance.target(3)
