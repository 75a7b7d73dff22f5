"""The background is carried along the flow; what moves or was hidden stays as it is."""

from collections.abc import Callable

import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.guidance import Guidance, Reference
from fresco_engine.diffusion.smoothing import CarriedBackground, background_weights, dilated
from fresco_engine.settings import AttentionSettings, OptimisationSettings, SmoothingSettings

FRAMES, HEIGHT, WIDTH = 3, 24, 32
MakeCorrespondence = Callable[..., BatchCorrespondence]


def still_correspondence(
    *,
    foreground: torch.Tensor | None = None,
    hidden: torch.Tensor | None = None,
    colours: torch.Tensor | None = None,
    shift: int = 0,
) -> BatchCorrespondence:
    """A camera that pans by `shift` pixels a frame; nothing moves on its own unless said."""
    flow = torch.zeros(FRAMES, 2, HEIGHT, WIDTH)
    flow[:, 0] = shift
    nothing = torch.zeros(FRAMES, HEIGHT, WIDTH, dtype=torch.bool)
    hidden = nothing if hidden is None else hidden
    return BatchCorrespondence(
        flow,
        -flow,
        nothing,
        hidden,
        nothing if foreground is None else foreground,
        torch.zeros(FRAMES, 3, HEIGHT, WIDTH) if colours is None else colours,
        nothing,
        hidden,
    )


def noise_frames() -> torch.Tensor:
    return torch.rand(FRAMES, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))


def test_a_still_background_becomes_the_first_frames() -> None:
    frames = noise_frames()

    carried = CarriedBackground.of(still_correspondence(), 0).carry(frames)

    torch.testing.assert_close(carried, frames[:1].expand_as(frames))


def test_a_panned_background_is_warped_along() -> None:
    frames = noise_frames()

    carried = CarriedBackground.of(still_correspondence(shift=2), 0).carry(frames)

    torch.testing.assert_close(carried[1, :, :, 2:], frames[0, :, :, :-2], atol=1e-5, rtol=1e-5)


def test_the_foreground_and_a_border_around_it_stay() -> None:
    frames = noise_frames()
    foreground = torch.zeros(FRAMES, HEIGHT, WIDTH, dtype=torch.bool)
    foreground[:, 8:16, 8:16] = True

    carried = CarriedBackground.of(still_correspondence(foreground=foreground), 5).carry(frames)

    torch.testing.assert_close(carried[..., 6:18, 6:18], frames[..., 6:18, 6:18])
    assert not torch.equal(carried[1], frames[1])


def test_what_the_frame_before_did_not_show_stays() -> None:
    frames = noise_frames()
    hidden = torch.zeros(FRAMES, HEIGHT, WIDTH, dtype=torch.bool)
    hidden[:, :, :4] = True

    carried = CarriedBackground.of(still_correspondence(hidden=hidden), 0).carry(frames)

    torch.testing.assert_close(carried[1, :, :, :4], frames[1, :, :, :4])


def test_a_texture_that_the_flow_misses_by_a_little_leaves_no_speckles() -> None:
    checks = torch.arange(HEIGHT)[:, None].add(torch.arange(WIDTH)).remainder(2)
    colours = torch.zeros(FRAMES, 3, HEIGHT, WIDTH)
    # Every other pixel differs by more, and the rest by less, than the same thing's may.
    colours[1:] = 0.2 * checks
    frames = torch.zeros(FRAMES, 3, HEIGHT, WIDTH)
    frames[0] = 1

    carried = CarriedBackground.of(still_correspondence(colours=colours), 5).carry(frames)

    inside = carried[1, 0, 4:-4, 4:-4]
    assert 0.6 < inside.min() < inside.max() < 0.9


def test_weights_are_soft_and_never_above_one() -> None:
    foreground = torch.zeros(FRAMES, HEIGHT, WIDTH, dtype=torch.bool)
    foreground[:, :, :8] = True

    weights = background_weights(still_correspondence(foreground=foreground), dilation=5)

    assert weights.shape == (FRAMES - 1, 1, HEIGHT, WIDTH)
    assert weights.max() <= 1
    assert ((weights > 0) & (weights < 1)).any()


def test_a_single_frame_is_returned_as_it_is(make_correspondence: MakeCorrespondence) -> None:
    frame = noise_frames()[:1]

    background = CarriedBackground.of(make_correspondence(1, HEIGHT, WIDTH), 5)

    assert background.carry(frame) is frame


def test_dilation_grows_a_mask_by_half_its_size_on_each_side() -> None:
    mask = torch.zeros(1, 9, 9, dtype=torch.bool)
    mask[0, 4, 4] = True

    assert dilated(mask, 5).sum() == 25
    assert dilated(mask, 1) is mask


def test_smoothing_reaches_the_features_of_an_optimised_step() -> None:
    features = torch.rand(2 * FRAMES, 4, 12, 16, generator=torch.Generator().manual_seed(1))
    guidance = Guidance(
        correspondence=still_correspondence(),
        reference=Reference(),
        attention=AttentionSettings(),
        optimisation=OptimisationSettings(spatial=False, iterations=1),
        smoothing=SmoothingSettings(is_on=True, dilation=0),
    )
    step = guidance.at_step(run_index=0, run_steps=2, schedule_share=0.0, noise_share=0.9)

    smoothed = step.optimise(0, features)

    first_half, second_half = smoothed.split(FRAMES)
    torch.testing.assert_close(first_half, first_half[:1].expand_as(first_half))
    torch.testing.assert_close(second_half, second_half[:1].expand_as(second_half))
    assert not torch.equal(first_half, second_half)
