"""A mask is matched to the clip it belongs to by number, by time, or holds for all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.errors import ClipNotFound, ClipUnreadable, MaskUnusable
from fresco_media.mask import MaskClip
from fresco_media.stills.images import write_image
from fresco_media.stills.mask_picture import white_of
from fresco_media.types import ClipProperties, Image

from tests.media.conftest import MakeClip

SIZE = (64, 48)


def marked(index: int, size: tuple[int, int] = SIZE) -> Image:
    """Black, with a white bar that is `index` steps of four pixels from the left."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    picture[:, 4 * index : 4 * index + 4] = 255
    return picture


def places(masks: np.ndarray) -> list[int]:
    """In which step the bar of each mask is."""
    return [int(np.flatnonzero(mask.any(axis=0))[0]) // 4 for mask in masks]


@pytest.fixture
def film(make_clip: MakeClip) -> Callable[..., Path]:
    """Makes a mask that is a film: the bar of picture i is at step i."""

    def make(count: int, **recipe: object) -> Path:
        pictures = [
            av.VideoFrame.from_ndarray(marked(index), format="rgb24") for index in range(count)
        ]
        return make_clip(
            "mask.mkv",
            frame_count=count,
            pictures=pictures,
            codec="ffv1",
            pixel_format="bgr0",
            **recipe,
        )

    return make


@pytest.fixture
def source(make_clip: MakeClip) -> ClipProperties:
    """A clip of 12 frames at 24 a second."""
    return Clip.open(make_clip("clip.mp4")).info


def sequence(folder: Path, pictures: Sequence[Image], first: int = 1001) -> Path:
    folder.mkdir()
    for index, picture in enumerate(pictures):
        write_image(folder / f"mask_{index + first:04d}.png", picture)
    return folder


def test_a_film_of_the_same_rate_shows_each_frame_its_own_mask(
    film: Callable[..., Path], source: ClipProperties
) -> None:
    mask = MaskClip.open(film(12), source)

    mask.check(0, 12, SIZE)
    assert places(mask.at(range(12), SIZE)) == list(range(12))


@pytest.mark.parametrize(
    ("count", "rate", "expected"),
    [
        (6, Fraction(12), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
        (15, Fraction(30), [0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14]),
    ],
    ids=["slower", "quicker"],
)
def test_a_film_of_another_rate_shows_what_it_shows_at_that_time(
    film: Callable[..., Path],
    source: ClipProperties,
    count: int,
    rate: Fraction,
    expected: list[int],
) -> None:
    mask = MaskClip.open(film(count, rate=rate), source)

    mask.check(0, 12, SIZE)
    assert places(mask.at(range(12), SIZE)) == expected


def test_stamps_that_are_rounded_to_milliseconds_change_nothing(
    film: Callable[..., Path], source: ClipProperties
) -> None:
    stamps = [round(1000 * index / 24) for index in range(12)]

    mask = MaskClip.open(film(12, stamps=stamps, time_base=Fraction(1, 1000)), source)

    mask.check(0, 12, SIZE)
    assert places(mask.at(range(12), SIZE)) == list(range(12))


def test_pictures_of_a_sequence_are_counted_whatever_the_clips_rate(
    tmp_path: Path, make_clip: MakeClip
) -> None:
    source = Clip.open(make_clip("slow.mp4", rate=Fraction(5))).info
    folder = sequence(tmp_path / "masks", [marked(index) for index in range(12)])

    mask = MaskClip.open(folder, source)

    mask.check(0, 12, SIZE)
    assert places(mask.at([0, 5, 11], SIZE)) == [0, 5, 11]


@pytest.mark.parametrize(
    ("clip_first", "mask_first", "count", "frames", "expected"),
    [
        (1001, 1003, 5, [2, 6], [0, 4]),
        (1003, 1001, 16, [0, 11], [2, 13]),
        (1, 0, 13, [0, 11], [1, 12]),
        (1001, 1, 14, [0, 11], [0, 11]),
        (1001, 1, 12, [0, 11], [0, 11]),
        (1001, 1003, 12, [0, 11], [0, 11]),
        (None, 4, 13, [0, 11], [0, 11]),
    ],
)
def test_pictures_numbered_as_the_frames_are_taken_by_number(
    tmp_path: Path,
    source: ClipProperties,
    clip_first: int | None,
    mask_first: int,
    count: int,
    frames: list[int],
    expected: list[int],
) -> None:
    if clip_first is not None:
        pictures = [marked(index) for index in range(12)]
        source = Clip.open(sequence(tmp_path / "clip", pictures, clip_first)).info
    shown = sequence(tmp_path / "mask", [marked(index) for index in range(count)], mask_first)

    mask = MaskClip.open(shown, source)

    mask.check(frames[0], frames[1] + 1, SIZE)
    assert places(mask.at(frames, SIZE)) == expected


def test_frames_without_a_picture_of_their_number_are_refused(tmp_path: Path) -> None:
    source = Clip.open(sequence(tmp_path / "clip", [marked(index) for index in range(12)], 0)).info
    shown = sequence(tmp_path / "mask", [marked(index) for index in range(6)], 4)

    mask = MaskClip.open(shown, source)

    with pytest.raises(MaskUnusable, match=r"that of frame 3, number 3, is not there"):
        mask.check(3, 8, SIZE)
    with pytest.raises(MaskUnusable, match=r"that of frame 10, number 10, is not there"):
        mask.check(4, 11, SIZE)
    assert any("that of frame 4 is number 4" in text for text in mask.warnings)


def test_one_picture_is_the_mask_of_every_frame(tmp_path: Path, source: ClipProperties) -> None:
    write_image(tmp_path / "mask.png", marked(7))

    mask = MaskClip.open(tmp_path / "mask.png", source)

    mask.check(0, 12, SIZE)
    assert places(mask.at([0, 3, 11], SIZE)) == [7, 7, 7]


def test_a_mask_of_another_size_is_scaled_and_told_apart_at_half(
    tmp_path: Path, source: ClipProperties
) -> None:
    soft = np.zeros((96, 128, 3), np.uint8)
    soft[:, 32:] = np.linspace(0, 255, 96).astype(np.uint8)[:, None]
    write_image(tmp_path / "mask.png", soft)

    (mask,) = MaskClip.open(tmp_path / "mask.png", source).at([0], SIZE)

    assert mask.shape == (48, 64)
    assert not mask[:, :39].any()
    assert mask[:, 41:].all()


def test_grey_is_white_from_the_middle_on() -> None:
    greys = np.array([[[127] * 3, [128] * 3]], np.uint8)

    assert white_of(greys).tolist() == [[False, True]]


def test_a_film_that_ends_a_frame_early_is_refused_only_where_it_is_missed(
    film: Callable[..., Path], source: ClipProperties
) -> None:
    mask = MaskClip.open(film(11), source)

    mask.check(0, 11, SIZE)
    with pytest.raises(MaskUnusable, match=r"it ends after 0\.46 s, but frame 11 of the clip"):
        mask.check(0, 12, SIZE)


def test_a_sequence_that_lacks_pictures_is_refused(tmp_path: Path, source: ClipProperties) -> None:
    folder = sequence(tmp_path / "masks", [marked(index) for index in range(5)])
    mask = MaskClip.open(folder, source)

    mask.check(0, 5, SIZE)
    with pytest.raises(MaskUnusable, match="it has 5 pictures, but frame 5 of the clip is wanted"):
        mask.check(2, 6, SIZE)


def test_a_mask_that_is_white_only_outside_of_the_range_is_refused(
    tmp_path: Path, source: ClipProperties
) -> None:
    folder = sequence(tmp_path / "masks", [marked(0)] + [0 * marked(0)] * 11)
    mask = MaskClip.open(folder, source)

    mask.check(0, 12, SIZE)
    with pytest.raises(MaskUnusable, match="nothing in frames 1 to 11 is white; paint the subject"):
        mask.check(1, 12, SIZE)


def test_a_mask_of_another_shape_is_refused(tmp_path: Path, source: ClipProperties) -> None:
    write_image(tmp_path / "mask.png", marked(0, (48, 64)))

    with pytest.raises(
        MaskUnusable, match="are 48x64 and the clip's 64x48, which is another shape"
    ):
        MaskClip.open(tmp_path / "mask.png", source)


def test_a_mask_may_be_as_the_clip_is_shown(tmp_path: Path, make_clip: MakeClip) -> None:
    wide = Clip.open(make_clip("wide.mp4", sample_aspect=Fraction(4, 3))).info
    write_image(tmp_path / "mask.png", marked(0, (86, 48)))

    assert MaskClip.open(tmp_path / "mask.png", wide).at([0], SIZE).any()


def test_a_mask_that_cannot_be_opened_names_its_setting(
    tmp_path: Path, source: ClipProperties
) -> None:
    (tmp_path / "mask.mp4").write_bytes(b"no film at all")

    with pytest.raises(ClipUnreadable) as unreadable:
        MaskClip.open(tmp_path / "mask.mp4", source)
    with pytest.raises(ClipNotFound) as missing:
        MaskClip.open(tmp_path / "nothing.mp4", source)

    assert unreadable.value.field == missing.value.field == "subject_mask"
