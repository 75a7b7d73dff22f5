"""Very flat, very wide and tiny clips: no crash in the flow search, no memory that runs away."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from fresco_engine.correspondence.flow import DisFlow, FlowPreset
from fresco_engine.diffusion.model import Model
from fresco_engine.looks import look
from fresco_engine.planning import plan
from fresco_engine.propagation_settings import PropagateSettings
from fresco_engine.rendering import render, render_propagation
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import RunWarned
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image
from fresco_media.types import Image

SIZES = [(320, 24), (200, 20), (24, 320), (16, 16), (8, 8), (2, 2), (64, 1), (1, 64), (1024, 16)]


def moving(size: tuple[int, int], index: int) -> Image:
    """A texture that moves to the left."""
    width, height = size
    coarse = np.random.default_rng(7).integers(0, 255, (max(2, height // 4), width // 4 + 4, 3))
    wide = cv2.resize(coarse.astype(np.uint8), (width + 16, height))
    return np.asarray(wide[:, index : index + width], np.uint8)


def sequence(folder: Path, size: tuple[int, int], count: int = 4) -> Clip:
    folder.mkdir()
    for index in range(count):
        write_image(folder / f"f_{index:04d}.png", moving(size, index))
    return Clip.open(folder)


@pytest.mark.parametrize("size", [*SIZES, (1, 1), (4096, 16), (16, 4096), (96, 31), (31, 40)])
@pytest.mark.parametrize("preset", ["fast", "quick", "standard", "fine"])
def test_flow_is_found_whatever_shape_pictures_have(
    size: tuple[int, int], preset: FlowPreset
) -> None:
    first, second = moving(size, 0), moving(size, 2)
    search = DisFlow(preset)

    flow = search(first, second)
    refined = search.refine(first, second, flow)

    assert flow.shape == refined.shape == (size[1], size[0], 2)
    assert np.isfinite(flow).all()
    assert np.isfinite(refined).all()


def test_the_guess_is_left_as_it_was() -> None:
    guess = np.zeros((8, 8, 2), np.float32)

    DisFlow().refine(moving((8, 8), 0), moving((8, 8), 2), guess)

    assert not guess.any()


@pytest.mark.parametrize("kind", ["flow", "patch"])
@pytest.mark.parametrize("size", SIZES)
def test_painted_keys_are_carried_over_the_thinnest_clips(
    tmp_path: Path, size: tuple[int, int], kind: Literal["flow", "patch"]
) -> None:
    clip = sequence(tmp_path / "clip", size)
    (tmp_path / "keys").mkdir()
    for index in (0, 3):
        write_image(tmp_path / "keys" / f"{index}.png", 255 - moving(size, index))
    output = tmp_path / "out_%d.png"

    events = render_propagation(
        clip, tmp_path / "keys", output, PropagateSettings(interpolation=kind)
    )

    assert [event for event in events if isinstance(event, RunWarned)] == []
    assert [frame.image.shape for frame in Clip.open(output).frames()] == [
        (size[1], size[0], 3)
    ] * 4


@pytest.mark.parametrize("size", [(320, 24), (2, 2), (1, 64), (1024, 16)])
def test_the_thinnest_clips_are_restyled(
    tiny_model: Model, tmp_path: Path, size: tuple[int, int]
) -> None:
    clip = sequence(tmp_path / "clip", size, count=2)
    settings = RestyleSettings(prompt="blue", size=64, steps=1, control="none").with_preset("draft")

    picture = look(clip, 0, settings, tiny_model)
    planned = plan(clip, settings)
    events = list(render(clip, tmp_path / "out_%d.png", settings, tiny_model))

    assert picture.shape == (size[1], size[0], 3)
    assert planned.working_size[0] * planned.working_size[1] < 12 * 64 * 64 + 8 * sum(
        planned.working_size
    )
    told = [event.message for event in events if isinstance(event, RunWarned)]
    is_long = max(size) > 8 * min(size)
    assert any("so long and thin" in message for message in told) == is_long


def test_a_size_asked_for_by_hand_is_bounded_and_told(tmp_path: Path) -> None:
    size = (1024, 16)
    clip = sequence(tmp_path / "clip", size, count=2)
    (tmp_path / "keys").mkdir()
    write_image(tmp_path / "keys" / "0.png", moving(size, 0))
    settings = PropagateSettings(interpolation="flow", size=64)

    events = list(render_propagation(clip, tmp_path / "keys", tmp_path / "o_%d.png", settings))

    (told,) = (event.message for event in events if isinstance(event, RunWarned))
    assert "worked on at 1448x23" in told
