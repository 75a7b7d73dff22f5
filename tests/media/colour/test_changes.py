"""Clips whose colours are stored in another way from some frame on, as where they were joined."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.colour.tags import look_alike, tags_within
from fresco_media.types import ColourTags, Image

from tests.media.odd_files import join

MakeClip = Callable[..., Path]

# Primaries, transfer, matrix and range (ITU-T H.273).
BT709, BT601 = (1, 1, 1, 1), (5, 6, 5, 1)
FULL = (1, 1, 1, 2)
PQ, HLG = (9, 16, 9, 1), (9, 18, 9, 1)
LINEAR = (1, 8, 1, 1)


def images(path: Path) -> list[Image]:
    return [frame.image for frame in Clip.open(path).frames()]


def part(make_clip: MakeClip, name: str, tags: tuple[int, int, int, int]) -> Path:
    return make_clip(name, tags=tags, frame_count=6, options={"bf": "0"})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *((PQ, BT709), (BT709, PQ), (BT709, HLG), (HLG, BT709), (HLG, PQ)),
        *((BT601, BT709), (BT709, FULL), (FULL, BT601), (LINEAR, BT709)),
    ],
)
def test_every_frame_is_shown_by_what_it_says_itself(
    make_clip: MakeClip,
    tmp_path: Path,
    first: tuple[int, int, int, int],
    second: tuple[int, int, int, int],
) -> None:
    parts = [part(make_clip, "a.ts", first), part(make_clip, "b.ts", second)]
    clip = Clip.open(join(tmp_path / "joined.ts", parts))

    shown = [frame.image for frame in clip.frames()]

    for image, alone in zip(shown, images(parts[0]) + images(parts[1]), strict=True):
        np.testing.assert_array_equal(image, alone)
    assert any("stored in another way from frame 6 on" in said for said in clip.warnings)
    (single,) = Clip.open(clip.info.path).frames_at([8])
    np.testing.assert_array_equal(single.image, shown[8])


def test_that_hdr_begins_on_the_way_is_told(make_clip: MakeClip, tmp_path: Path) -> None:
    parts = [part(make_clip, "a.ts", BT709), part(make_clip, "b.ts", PQ)]
    clip = Clip.open(join(tmp_path / "joined.ts", parts))

    assert not any("HDR" in said for said in clip.warnings)
    list(clip.frames())

    assert any("from frame 6 on" in said and "HDR (PQ)" in said for said in clip.warnings)


@pytest.mark.parametrize("tags", [BT709, BT601, FULL, PQ])
def test_nothing_is_said_where_colours_stay(
    make_clip: MakeClip, tmp_path: Path, tags: tuple[int, int, int, int]
) -> None:
    parts = [part(make_clip, "a.ts", tags), part(make_clip, "b.ts", tags)]
    clip = Clip.open(join(tmp_path / "joined.ts", parts))

    for _ in range(2):
        list(clip.frames())

    assert not any("stored in another way" in said for said in clip.warnings)


def frame_of(tags: tuple[int, int, int, int], pixel_format: str = "yuv420p") -> av.VideoFrame:
    frame = av.VideoFrame(32, 32, pixel_format)
    frame.color_primaries, frame.color_trc = tags[:2]
    frame.colorspace, frame.color_range = tags[2:]
    return frame


def test_what_a_frame_leaves_open_stays() -> None:
    first = ColourTags(primaries=9, transfer=18, matrix=9)

    assert tags_within(frame_of((2, 2, 2, 0)), first, first) == first
    full = ColourTags(primaries=1, transfer=1, matrix=1, is_full_range=True)
    assert tags_within(frame_of((2, 2, 2, 0)), full, full) == full


@pytest.mark.parametrize("matrix", [5, 6, 2])
def test_one_matrix_under_several_numbers_is_no_change(matrix: int) -> None:
    assert look_alike(ColourTags(matrix=matrix), ColourTags(matrix=5), 576)
    assert not look_alike(ColourTags(matrix=matrix), ColourTags(matrix=1), 576)


def test_yuv_after_rgb_has_no_matrix_of_rgb() -> None:
    first = ColourTags(matrix=0, is_full_range=True)

    found = tags_within(frame_of((2, 2, 2, 0)), first, first)

    assert (found.matrix, found.is_full_range) == (2, False)
    assert look_alike(found, ColourTags(matrix=6), 32)
    assert not look_alike(found, ColourTags(matrix=6, is_full_range=True), 32)
