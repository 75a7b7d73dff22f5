"""A frame painted with a key's patches."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fresco_engine.errors import InvalidSettings
from fresco_engine.interpolation.flows import KeyFlow
from fresco_engine.interpolation.guides import GuideWeights, extended_flow
from fresco_engine.interpolation.patches import CpuPatches
from fresco_engine.interpolation.patches_torch import TorchPatches
from fresco_engine.interpolation.synthesis import Synthesiser, SynthesisSettings
from fresco_media.types import Image

SIDE = 64


def texture(seed: int, width: int = SIDE) -> Image:
    noise = np.random.default_rng(seed).standard_normal((SIDE, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip(128 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def still(mismatch: float = 0.0, visible: float = 1.0) -> KeyFlow:
    """A flow that claims that nothing moves."""
    plane = np.ones((SIDE, SIDE), np.float32)
    return KeyFlow(np.zeros((SIDE, SIDE, 2), np.float32), visible * plane, mismatch * plane)


def test_where_flow_is_believed_its_picture_comes_back_untouched() -> None:
    key, style = texture(0), texture(1)

    made = Synthesiser(key, style, CpuPatches(), SynthesisSettings()).paint(key, still())

    np.testing.assert_array_equal(made.image, style)
    assert not made.searched.any()


def test_where_flow_is_wrong_the_patches_mend_it() -> None:
    wide = texture(0, SIDE + 6)
    key, frame = wide[:, :SIDE].copy(), wide[:, 6:].copy()
    doubted = still(mismatch=200)

    made = Synthesiser(key, 255 - key, CpuPatches(), SynthesisSettings()).paint(frame, doubted)

    inner = (slice(6, -6), slice(6, -14))
    assert np.abs(made.image.astype(int) - (255 - frame))[inner].mean() < 6
    assert np.abs(key.astype(int) - frame)[inner].mean() > 30
    assert np.median(made.places[inner][..., 0] - np.arange(SIDE)[6:-14]) == 6


def test_only_the_doubted_region_and_its_border_change() -> None:
    key, style = texture(0), texture(1)
    seen = still()
    mismatch = seen.mismatch.copy()
    mismatch[20:30, 20:30] = 200

    made = Synthesiser(key, style, CpuPatches(), SynthesisSettings()).paint(
        texture(2), replace(seen, mismatch=mismatch)
    )

    is_changed = (made.image != style).any(axis=-1)
    assert is_changed[20:30, 20:30].mean() > 0.5
    is_changed[15:35, 15:35] = False
    assert not is_changed.any()


def test_torch_paints_the_same_frames_one_after_another() -> None:
    key, style, frames = texture(0), texture(1), [texture(2), texture(3)]
    step = np.zeros((SIDE, SIDE, 2), np.float32)
    settings = SynthesisSettings(turns=(1, 1))

    pictures = []
    for patches in (CpuPatches(), TorchPatches("cpu")):
        synthesiser = Synthesiser(key, style, patches, settings)
        first = synthesiser.paint(frames[0], still(mismatch=200))
        second = synthesiser.paint(frames[1], still(mismatch=200), first, step)
        pictures.append(np.stack([first.image, second.image]))

    np.testing.assert_array_equal(*pictures)


def test_hidden_pixels_move_on_with_what_is_visible_around_them() -> None:
    flow = np.full((SIDE, SIDE, 2), 4, np.float32)
    visible = np.ones((SIDE, SIDE), np.float32)
    visible[24:40, 24:40] = 0
    flow[24:40, 24:40] = -30

    extended = extended_flow(flow, visible)

    np.testing.assert_allclose(extended, 4, atol=1)
    np.testing.assert_array_equal(extended[:16], flow[:16])


def test_a_guide_without_weight_leaves_no_trace_in_the_channels() -> None:
    weights = GuideWeights(edge=0)

    assert weights.levels(weights.edge).max() == 0
    assert weights.levels(weights.largest).max() == 255


@pytest.mark.parametrize("field", ["turns", "strides"])
def test_a_search_without_turns_is_refused(field: str) -> None:
    with pytest.raises(InvalidSettings, match="synthesis"):
        SynthesisSettings(**{field: ()})  # pyright: ignore[reportArgumentType]
