"""A clip that is changed in a region only: elsewhere it keeps its own pixels, to the bit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fresco_engine.checkpoint import CheckpointReader, FolderCheckpoint, fork
from fresco_engine.compositing.composer import Composer
from fresco_engine.compositing.regions import CarriedRegion
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import InvalidSettings
from fresco_engine.looks import look_frame
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import Event
from fresco_media.clip import Clip
from fresco_media.stills.images import working_size, write_image
from fresco_media.types import Image

from tests.engine.conftest import MakeClip, scene, write_clip
from tests.engine.runs import SETTINGS, frames_of, keyframes_of, same_pictures, taken

SMALLER = replace(SETTINGS, size=64, strength=1.0)
"""Than the clip, so that what was only scaled there and back is no longer the clip's own."""
EDIT = replace(SMALLER, mode="edit", source_prompt="of blue", keep=0.5, guidance_scale=3.0)
MODES = pytest.mark.parametrize("settings", [SMALLER, EDIT], ids=["restyle", "edit"])


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    return Clip.open(write_clip(tmp_path / "clip.mp4", scene(10, size=(120, 96))))


@pytest.fixture
def masked(tmp_path: Path) -> dict[str, Any]:
    """Settings with a mask that is white in the middle of every frame."""
    drawn = np.zeros((96, 120, 3), np.uint8)
    drawn[24:72, 30:90] = 255
    write_image(tmp_path / "mask.png", drawn)
    return {"region": "subject", "subject_mask": str(tmp_path / "mask.png")}


def inside() -> np.ndarray:
    found = np.zeros((96, 120), bool)
    found[24:72, 30:90] = True
    return found


def pictures(events: Iterable[Event]) -> dict[int, Image]:
    return {one.frame.index: one.frame.image for one in frames_of(events)}


def own(clip: Clip) -> dict[int, Image]:
    return {frame.index: frame.image for frame in clip.frames(0, clip.info.frame_count)}


@MODES
@pytest.mark.parametrize("region", ["subject", "background"])
def test_outside_of_a_mask_every_frame_is_the_clips_own_to_the_bit(
    settings: RestyleSettings, region: str, clip: Clip, masked: dict[str, Any], tiny_model: Model
) -> None:
    chosen = replace(settings, **{**masked, "region": region})
    changed = inside() if region == "subject" else ~inside()

    events = list(restyle(clip, chosen, tiny_model))

    source = own(clip)
    made = {**pictures(events), **{-key.index: key.image for key in keyframes_of(events)}}
    for index, image in made.items():
        np.testing.assert_array_equal(image[~changed], source[abs(index)][~changed])
        assert not np.array_equal(image[changed], source[abs(index)][changed])


@MODES
def test_a_moving_subject_is_followed_between_keyframes(
    settings: RestyleSettings, clip: Clip, tiny_model: Model
) -> None:
    events = list(restyle(clip, replace(settings, region="background"), tiny_model))

    source = own(clip)
    kept = [(image == source[index]).all(-1).mean() for index, image in pictures(events).items()]
    assert len(kept) == clip.info.frame_count
    assert all(0.02 < share < 0.98 for share in kept)


def test_what_was_stopped_goes_on_with_the_same_pictures_and_serves_them(
    clip: Clip, tiny_model: Model, tmp_path: Path
) -> None:
    chosen = replace(EDIT, region="background", batch_size=3)
    whole = list(restyle(clip, chosen, tiny_model))
    folder = tmp_path / "job"

    taken(restyle(clip, chosen, tiny_model, checkpoint=FolderCheckpoint(folder)), 30)
    events = list(restyle(clip, chosen, tiny_model, checkpoint=FolderCheckpoint(folder)))

    assert same_pictures(events, whole)
    reader = CheckpointReader(folder)
    for frame in frames_of(events):
        stored = reader.picture("frames", frame.frame.index)
        assert stored is not None
        np.testing.assert_array_equal(stored, frame.frame.image)


def test_what_was_composed_is_not_composed_again(
    clip: Clip, tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = replace(SMALLER, region="background")
    whole = list(restyle(clip, chosen, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    def never(*_: object) -> None:
        raise AssertionError("composed again")

    monkeypatch.setattr(Composer, "frame", never)
    monkeypatch.setattr(Composer, "keyframe", never)
    events = list(restyle(clip, chosen, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    assert same_pictures(events, whole)


def test_regions_are_let_go_as_the_frames_go_by(clip: Clip) -> None:
    region = CarriedRegion(clip, 10)
    size = working_size(120, 96, 64)
    everywhere = np.ones(size.padded[::-1], np.bool_)
    for key in range(0, 10, 3):
        region.add(key, everywhere, size)

    for index in range(10):
        assert region.at(index).all()
        region.leave(index)

    assert list(region._known) == [9]


def test_another_try_at_a_keyframe_leaves_the_others_as_they_are(
    clip: Clip, tiny_model: Model, tmp_path: Path
) -> None:
    chosen = replace(SMALLER, region="background")
    first = list(restyle(clip, chosen, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "first")))
    last = keyframes_of(first)[-1].index
    fork(tmp_path / "first", tmp_path / "second", [last])
    again = replace(chosen, keyframe_seeds={last: 99})

    events = list(
        restyle(clip, again, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "second"))
    )

    before, after = pictures(first), pictures(events)
    changed = [index for index in before if not np.array_equal(before[index], after[index])]
    assert last in changed
    assert 0 not in changed


def test_a_painted_keyframe_counts_everywhere(
    clip: Clip, tiny_model: Model, tmp_path: Path
) -> None:
    painted = np.full((96, 120, 3), (10, 200, 30), np.uint8)
    write_image(tmp_path / "0.png", painted)
    chosen = replace(SMALLER, region="background", keyframe_pictures={0: str(tmp_path / "0.png")})

    events = list(restyle(clip, chosen, tiny_model))

    assert np.abs(pictures(events)[0].astype(int) - painted).max() <= 1


def test_a_look_shows_what_the_clip_will(
    clip: Clip, masked: dict[str, Any], tiny_model: Model
) -> None:
    looked = look_frame(clip, 3, replace(EDIT, **masked), tiny_model)

    changed, shown = inside(), looked.image
    np.testing.assert_array_equal(shown[~changed], own(clip)[3][~changed])
    assert not np.array_equal(shown[changed], own(clip)[3][changed])
    assert looked.region is not None
    np.testing.assert_array_equal(looked.region, changed)


def test_a_look_tells_what_moves_by_the_frames_about_it(clip: Clip, tiny_model: Model) -> None:
    looked = look_frame(clip, 4, replace(SMALLER, region="background"), tiny_model)

    red, green, _ = np.moveaxis(own(clip)[4].astype(int), -1, 0)
    moving = red - green > 120
    assert moving.any()
    assert looked.region is not None
    assert looked.region[moving].mean() < 0.1
    assert looked.region.mean() > 0.8


def test_a_look_at_a_whole_frame_knows_no_region(clip: Clip, tiny_model: Model) -> None:
    assert look_frame(clip, 3, EDIT, tiny_model).region is None


def test_nothing_is_changed_where_no_word_differs(clip: Clip, tiny_model: Model) -> None:
    chosen = replace(EDIT, prompt="blue", source_prompt="blue", region="words")

    events = list(restyle(clip, chosen, tiny_model))

    source = own(clip)
    assert all(np.array_equal(image, source[n]) for n, image in pictures(events).items())


def test_where_words_differ_a_part_is_changed_and_a_mask_goes_before_it(
    clip: Clip, masked: dict[str, Any], tiny_model: Model
) -> None:
    by_words = replace(EDIT, region="words")

    found = pictures(restyle(clip, by_words, tiny_model))
    drawn = pictures(restyle(clip, replace(by_words, **{**masked, "region": "words"}), tiny_model))

    source = own(clip)
    assert any(not np.array_equal(image, source[n]) for n, image in found.items())
    for index, image in drawn.items():
        np.testing.assert_array_equal(image[~inside()], source[index][~inside()])


def test_words_differ_in_an_edit_only() -> None:
    with pytest.raises(InvalidSettings, match="words differ only in an edit"):
        replace(SMALLER, region="words")


def test_all_of_the_picture_may_be_changed_unless_it_is_said(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    list(restyle(make_clip(4), SETTINGS, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    assert not list((tmp_path / "composites").iterdir())
