"""The methods that FRESCO is compared with do what their papers say, and leave no trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from baselines.attention import self_attentions
from baselines.control_video import control_video, interleaved
from baselines.fate_zero import fate_zero
from baselines.frame_by_frame import frame_by_frame
from baselines.fresco import FRESCO, Adaptations
from baselines.latents import StepPlace, clean_latents_through
from baselines.rerender import rerender
from baselines.strategy import Keyframes, Strategy, plain, translated
from baselines.text2video_zero import text2video_zero
from fresco_engine.diffusion.model import Model
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Image
from torch import Tensor

from tests.bench.conftest import keyframes_of

_METHODS = {
    "frame by frame": frame_by_frame,
    "Text2Video-Zero": text2video_zero,
    "ControlVideo": control_video,
    "FateZero": fate_zero,
    "Rerender-A-Video": rerender,
    "FRESCO": FRESCO,
}
_ALL = pytest.mark.parametrize("method", _METHODS.values(), ids=_METHODS.keys())


def _differ(one: Image, two: Image) -> float:
    return float(np.abs(one.astype(float) - two).mean())


def _predictions(
    method: Strategy, model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> list[Tensor]:
    """What the U-Net predicts last for each frame (c, h, w).

    The pictures of random networks hardly show what attention does.
    """
    said: list[Tensor] = []

    def note(_: Any, __: Any, output: tuple[Tensor]) -> None:
        said.append(output[0].chunk(2)[-1])

    handle = model.unet.register_forward_hook(note)
    try:
        method(model, keyframes, settings)
    finally:
        handle.remove()
    # Rerender-A-Video goes frame by frame, two steps each.
    return list(torch.cat(said[1::2]) if method is rerender else said[-1])


def _is_same(one: Tensor, two: Tensor) -> bool:
    """Alike but for rounding, which random networks magnify from step to step."""
    return bool((one - two).abs().max() < 1e-2 * one.abs().max())


@_ALL
def test_a_method_translates_every_keyframe_and_leaves_the_networks_as_they_were(
    method: Strategy, model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    networks = (model.unet, *(control.network for control in model.controls))
    assert len(networks) == 2
    before = [{n: one.processor for n, one in self_attentions(net).items()} for net in networks]

    results = method(model, keyframes, settings)

    after = [{n: one.processor for n, one in self_attentions(net).items()} for net in networks]
    assert [one.shape for one in results] == [one.shape for one in keyframes.images]
    assert after == before
    assert not model.unet._forward_hooks
    assert not model.unet._forward_pre_hooks


@_ALL
def test_a_method_changes_what_the_network_predicts(
    method: Strategy, model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    predictions = _predictions(method, model, keyframes, settings)
    shared = _predictions(Adaptations(), model, keyframes, settings)

    assert not _is_same(predictions[1], shared[1])


def test_a_frame_by_itself_does_not_depend_on_the_others(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    changed = keyframes_of([*keyframes.images[:3], 255 - keyframes.images[3]])

    predictions = _predictions(frame_by_frame, model, keyframes, settings)

    again = _predictions(frame_by_frame, model, changed, settings)
    assert [_is_same(*pair) for pair in zip(predictions, again, strict=True)] == [
        True,
        True,
        True,
        False,
    ]


def test_in_text2video_zero_frames_depend_on_the_first_and_on_themselves_only(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    first, second, third, fourth = keyframes.images

    predictions = _predictions(text2video_zero, model, keyframes, settings)

    swapped = keyframes_of([first, third, second, fourth])
    assert _is_same(predictions[1], _predictions(text2video_zero, model, swapped, settings)[2])
    other = keyframes_of([fourth, second, third, first])
    assert not _is_same(predictions[1], _predictions(text2video_zero, model, other, settings)[1])


def test_in_text2video_zero_the_first_frame_is_as_it_were_alone(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    alone = keyframes_of([keyframes.images[0]])

    (single,) = _predictions(Adaptations(), model, alone, settings)

    assert _is_same(_predictions(text2video_zero, model, keyframes, settings)[0], single)


def test_in_controlvideo_every_frame_depends_on_every_other(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    changed = keyframes_of([*keyframes.images[:3], 255 - keyframes.images[3]])

    predictions = _predictions(control_video, model, keyframes, settings)

    others = _predictions(control_video, model, changed, settings)
    assert not any(_is_same(*pair) for pair in zip(predictions, others, strict=True))


def test_in_fatezero_frames_depend_on_the_middle_one_and_on_themselves_only(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    first, second, third, fourth = keyframes.images

    predictions = _predictions(fate_zero, model, keyframes, settings)

    for changed, touched in (
        ([255 - first, second, third, fourth], [0]),
        ([first, second, 255 - third, fourth], [0, 1, 2, 3]),
    ):
        others = _predictions(fate_zero, model, keyframes_of(changed), settings)
        differing = [i for i in range(4) if not _is_same(predictions[i], others[i])]
        assert differing == touched


def test_interleaved_smoothing_takes_the_flicker_out_of_every_second_frame(
    keyframes: Keyframes,
) -> None:
    stacked = torch.from_numpy(np.stack(keyframes.images)).permute(0, 3, 1, 2).float()
    pictures = stacked / 127.5 - 1
    flickering = pictures.clone()
    flickering[1] += 0.5

    smoothed = interleaved(flickering, keyframes.correspondence, first=1)

    shown = ~(
        keyframes.correspondence.occluded_backward[0] & keyframes.correspondence.occluded_forward[1]
    )
    left = (smoothed[1] - pictures[1]).abs().mean(0)[shown]
    assert left.mean() < 0.1
    assert torch.equal(smoothed[[0, 2, 3]], flickering[[0, 2, 3]])


def test_interleaved_smoothing_in_the_second_turn_takes_the_other_frames(
    keyframes: Keyframes,
) -> None:
    pictures = torch.rand(4, 3, 64, 64)

    smoothed = interleaved(pictures, keyframes.correspondence, first=2)

    assert torch.equal(smoothed[[0, 1, 3]], pictures[[0, 1, 3]])
    assert not torch.equal(smoothed[2], pictures[2])


@pytest.mark.parametrize("method", [fate_zero, rerender, control_video])
def test_frames_that_are_alike_come_out_alike(
    method: Strategy, model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    still = keyframes_of([keyframes.images[0]] * 3)

    first, second, third = method(model, still, settings)

    assert _differ(first, second) < 2
    assert _differ(second, third) < 2


def test_in_rerender_the_first_frame_is_free(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    alone = keyframes_of([keyframes.images[0]])

    (single,) = _predictions(Adaptations(), model, alone, settings)

    assert _is_same(_predictions(rerender, model, keyframes, settings)[0], single)


def test_in_rerender_a_frame_is_bound_to_the_first_and_the_one_before_only(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    first, second, third, fourth = keyframes.images

    last = _predictions(rerender, model, keyframes, settings)[3]

    def changed(*images: Image) -> Tensor:
        return _predictions(rerender, model, keyframes_of([*images]), settings)[len(images) - 1]

    assert not _is_same(last, changed(255 - first, second, third, fourth))
    assert not _is_same(last, changed(first, second, 255 - third, fourth))
    earlier = _predictions(rerender, model, keyframes, settings)[2]
    assert _is_same(earlier, changed(first, second, third))


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_clean_latents_that_are_left_alone_change_nothing(
    model: Model, keyframes: Keyframes, settings: RestyleSettings, guidance: float
) -> None:
    chosen = plain(replace(settings, guidance_scale=guidance))
    seen: list[StepPlace] = []

    def leave(_: Tensor, place: StepPlace) -> None:
        seen.append(place)

    with clean_latents_through(model, chosen, leave):
        hooked = translated(model, keyframes, chosen)
    with clean_latents_through(model, chosen, lambda clean, _: clean):
        repeated = translated(model, keyframes, chosen)

    free = translated(model, keyframes, chosen)
    assert seen == [StepPlace(0, 2), StepPlace(1, 2)]
    assert all(map(np.array_equal, hooked, free))
    assert max(map(_differ, repeated, free)) < 0.1


def test_clean_latents_of_the_last_step_are_what_comes_out(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> None:
    chosen = plain(settings)

    def same(clean: Tensor, _: StepPlace) -> Tensor:
        return clean[:1].expand_as(clean)

    with clean_latents_through(model, chosen, same):
        results = translated(model, keyframes, chosen)

    assert max(_differ(results[0], one) for one in results[1:]) < 1


def test_a_part_of_the_steps_has_one_step_at_least() -> None:
    few = [StepPlace(index, 3).is_within(0.5, 0.6) for index in range(3)]
    many = [StepPlace(index, 20).is_within(0.5, 0.8) for index in range(20)]

    assert sum(few) == 1
    assert [index for index, is_in in enumerate(many) if is_in] == list(range(10, 16))
