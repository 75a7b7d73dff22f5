"""Controls that a network finds, over a whole clip and in a look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.detectors.depth import DepthDetector
from fresco_engine.diffusion.detectors.detector import Found
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import InvalidSettings, RangeOutsideClip
from fresco_engine.looks import look_controls
from fresco_engine.restyling import restyle
from fresco_engine.types import Event
from fresco_media.clip import Clip
from fresco_media.stills.images import fit, unfit, working_size
from fresco_media.types import Image

from tests.engine.conftest import MakeClip, scene, write_clip
from tests.engine.runs import SETTINGS, keyframes_of, plan_of, same_pictures, taken
from tests.fakes.tiny_detectors import tiny_depth

DEPTH = replace(SETTINGS, control="depth")


class CountingDepth(DepthDetector):
    """Depth that counts how often it was asked for."""

    asked = 0

    def detect(self, image: Image) -> Found:
        self.asked += 1
        return super().detect(image)


@pytest.fixture
def detector() -> CountingDepth:
    return CountingDepth(tiny_depth(), torch.device("cpu"))


@pytest.fixture
def model(tiny_model: Model, detector: CountingDepth) -> Model:
    """A model bound by depth."""
    network = tiny_model.controls[0].network
    return replace(
        tiny_model, controls=(LoadedControl(kind="depth", network=network, detector=detector),)
    )


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    """Two shots with several batches each."""
    return Clip.open(write_clip(tmp_path / "two shots.mp4", scene(32, cut_at=20)))


def test_every_keyframe_is_looked_at_once(
    clip: Clip, model: Model, detector: CountingDepth
) -> None:
    events = list(restyle(clip, DEPTH, model))

    assert detector.asked == len(plan_of(events).keyframes)


def test_a_run_that_goes_on_scales_depth_as_it_began(
    clip: Clip, model: Model, tmp_path: Path
) -> None:
    whole = list(restyle(clip, DEPTH, model))
    late = next(n for n in range(len(whole)) if len(keyframes_of(whole[:n])) == 6)

    checkpoint = FolderCheckpoint(tmp_path / "checkpoint")
    taken(restyle(clip, DEPTH, model, checkpoint=checkpoint), late)
    again: list[Event] = list(
        restyle(clip, DEPTH, model, checkpoint=FolderCheckpoint(tmp_path / "checkpoint"))
    )

    assert same_pictures(again, whole)


def test_what_binds_is_shown_at_source_size_side_by_side(
    make_clip: MakeClip, tiny_model: Model, model: Model
) -> None:
    clip = make_clip(5)
    both = replace(model, controls=(*tiny_model.controls, *model.controls))

    shown = look_controls(clip, 3, SETTINGS, both)

    source = next(clip.frames_at([3])).image
    size = working_size(80, 64, SETTINGS.size)
    assert shown.shape == (64, 160, 3)
    np.testing.assert_array_equal(shown[:, :80], unfit(fit(source, size), size))
    assert (shown[:, 80:].min(), shown[:, 80:].max()) == (0, 255)
    with pytest.raises(RangeOutsideClip):
        look_controls(clip, 5, SETTINGS, both)


def test_where_nothing_binds_nothing_is_shown(make_clip: MakeClip, tiny_model: Model) -> None:
    with pytest.raises(InvalidSettings, match="nothing to show; choose what is to bind"):
        look_controls(make_clip(5), 3, SETTINGS, replace(tiny_model, controls=()))
