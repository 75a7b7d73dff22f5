"""Frames of files: which frame is which, and how much is held."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from fresco_gui.media import ClipFrames
from fresco_gui.media.pictures import to_rgb
from fresco_media.clip import Clip
from PIL import Image as Pillow
from PyQt6.QtGui import QImage
from pytestqt.qtbot import QtBot

from tests.gui.counting import number_of, picture, write_clip

PATIENCE_MS = 120_000


class Opened:
    """Opens clips, and waits for frames."""

    def __init__(self, bot: QtBot) -> None:
        self.bot = bot
        self.clips: list[ClipFrames] = []

    def __call__(self, path: Path, **settings: object) -> ClipFrames:
        clip = ClipFrames(path, **settings)  # type: ignore[arg-type]
        self.clips.append(clip)
        self.bot.waitUntil(lambda: clip.info is not None, timeout=PATIENCE_MS)
        return clip

    def frame(self, clip: ClipFrames, index: int) -> QImage:
        self.bot.waitUntil(lambda: clip.frame(index) is not None, timeout=PATIENCE_MS)
        image = clip.peek(index)
        assert image is not None
        return image


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Opened]:
    made = Opened(qtbot)
    yield made
    for clip in made.clips:
        clip.close()


@pytest.mark.parametrize(
    "rate", [Fraction(25), Fraction(24000, 1001), Fraction(60000, 1001)], ids=str
)
@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
def test_every_frame_is_the_one_of_its_index_in_any_order(
    opened: Opened, tmp_path: Path, ending: str, rate: Fraction
) -> None:
    clip = opened(write_clip(tmp_path / f"clip.{ending}", 60, rate=rate, gop=30))
    indices = list(range(60))
    random.Random(7).shuffle(indices)

    seen = {index: number_of(opened.frame(clip, index)) for index in indices}

    assert seen == {index: index for index in indices}
    assert clip.info is not None
    assert clip.info.frame_rate == rate
    assert clip.info.times == ()


def test_stepping_backwards_over_sync_frames_shows_every_frame(
    opened: Opened, tmp_path: Path
) -> None:
    clip = opened(write_clip(tmp_path / "clip.mp4", 40, gop=12), limit=6 * 192 * 96 * 4)

    seen = [number_of(opened.frame(clip, index)) for index in range(39, -1, -1)]

    assert seen == list(range(39, -1, -1))


def test_frames_of_a_variable_rate_have_their_own_times(opened: Opened, tmp_path: Path) -> None:
    ticks = [0, 40, 80, 400, 440, 1000, 1033, 1066]
    clip = opened(write_clip(tmp_path / "clip.mkv", len(ticks), ticks=ticks))

    assert clip.info is not None
    assert clip.info.times == pytest.approx([tick / 1000 for tick in ticks])
    assert [clip.info.index_at(second) for second in (0.05, 0.39, 0.4, 0.9, 1.0, 5)] == [
        1,
        2,
        3,
        4,
        5,
        7,
    ]
    assert [number_of(opened.frame(clip, index)) for index in range(8)] == list(range(8))


def test_the_index_of_a_result_begins_where_its_range_does(opened: Opened, tmp_path: Path) -> None:
    clip = opened(write_clip(tmp_path / "clip.mp4", 10, first=30), first_index=30)

    assert clip.info is not None
    assert (clip.info.first_index, clip.info.last_index) == (30, 39)
    assert number_of(opened.frame(clip, 33)) == 33
    assert not clip.can_have(29)
    assert not clip.can_have(40)


def test_frames_ahead_come_without_being_asked_for_one_by_one(
    opened: Opened, tmp_path: Path, qtbot: QtBot
) -> None:
    clip = opened(write_clip(tmp_path / "clip.mp4", 30))

    clip.expect(5, 1)

    qtbot.waitUntil(lambda: all(clip.peek(index) for index in range(5, 12)), timeout=PATIENCE_MS)
    assert all(number_of(clip.peek(index) or QImage()) == index for index in range(5, 12))


def test_pictures_held_never_exceed_the_limit(opened: Opened, tmp_path: Path) -> None:
    limit = 5 * 192 * 96 * 4
    clip = opened(write_clip(tmp_path / "clip.mp4", 50), limit=limit)
    most: list[int] = []
    clip.arrived.connect(lambda _: most.append(clip.used_bytes))

    for index in (0, 20, 40, 10, 30, 49):
        opened.frame(clip, index)

    assert max(most) <= limit


def test_a_frame_that_stays_on_screen_gets_its_exact_colours(
    opened: Opened, tmp_path: Path, qtbot: QtBot
) -> None:
    rng = np.random.default_rng(0)
    file = tmp_path / "picture_0001.png"
    drawn = rng.integers(0, 256, (90, 160, 3), np.uint8)
    cv2.imwrite(str(file), drawn)
    cv2.imwrite(str(tmp_path / "picture_0002.png"), drawn[::-1])
    clip = opened(tmp_path / "picture_%04d.png", frame_rate=Fraction(12))

    shown = to_rgb(opened.frame(clip, 1))

    assert clip.info is not None
    assert (clip.info.frame_count, clip.info.frame_rate) == (2, 12)
    assert np.array_equal(shown, drawn[::-1, :, ::-1])


def test_colours_of_a_clip_at_rest_are_within_a_level_of_what_was_encoded(
    opened: Opened, tmp_path: Path, qtbot: QtBot
) -> None:
    import av

    path = tmp_path / "grey.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        for level in (16, 100, 235):
            planes = np.stack([np.full((48, 64), plane, np.uint8) for plane in (level, 128, 128)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv444p")))
        container.mux(stream.encode(None))
    clip = opened(path)
    arrived: list[int] = []
    clip.arrived.connect(arrived.append)

    clip.frame(1)
    # At once as quickly as can be, then exactly.
    qtbot.waitUntil(lambda: arrived.count(1) == 2, timeout=PATIENCE_MS)

    expected = (100 - 16) * 255 / 219
    assert np.abs(to_rgb(opened.frame(clip, 1)).astype(float) - expected).max() <= 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "no longer where it was"),
        (lambda path: path.write_bytes(b"not a film" * 100), "text file, not a video"),
        (lambda path: path.write_bytes(b""), "file is empty"),
    ],
    ids=["missing", "not a video", "empty"],
)
def test_what_cannot_be_read_is_said_in_a_sentence(
    qtbot: QtBot, tmp_path: Path, make: Callable[[Path], object], words: str
) -> None:
    path = tmp_path / "clip.mp4"
    make(path)
    clip = ClipFrames(path)
    told: list[str] = []
    clip.failed.connect(told.append)

    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    clip.close()

    assert words in told[0]
    assert "clip.mp4" in told[0]
    assert clip.frame(0) is None
    assert not clip.can_have(0)


def joined(folder: Path) -> Path:
    """Three recordings with clocks of their own, one after the other."""
    parts = [write_clip(folder / f"{first}.ts", 12, first=first, gop=6) for first in (0, 12, 24)]
    whole = folder / "joined.ts"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    return whole


def animation(folder: Path, name: str, kind: str) -> Path:
    pictures = [Pillow.fromarray(picture(number)) for number in range(36)]
    pictures[0].save(
        folder / name, kind, save_all=True, append_images=pictures[1:], duration=40, loop=0
    )
    return folder / name


@pytest.mark.parametrize(
    "make",
    [
        joined,
        lambda folder: animation(folder, "a.webp", "WEBP"),
        lambda folder: animation(folder, "a.png", "PNG"),
        lambda folder: animation(folder, "a.gif", "GIF"),
        lambda folder: write_clip(folder / "a.avi", 36, gop=12),
        lambda folder: write_clip(folder / "a.h264", 36, gop=12),
    ],
    ids=["joined", "webp", "apng", "gif", "avi", "raw"],
)
def test_every_picture_of_an_odd_file_is_shown_at_its_index(
    opened: Opened, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    clip = opened(make(tmp_path))
    indices = [(index * 11 + 5) % 36 for index in range(36)]

    seen = {index: number_of(opened.frame(clip, index)) for index in indices}

    assert clip.info is not None
    assert clip.info.frame_count == 36
    assert clip.info.frame_rate == 25
    assert seen == {index: index for index in indices}


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_app_and_engine_know_the_same_of_a_clip(
    opened: Opened, tmp_path: Path, ending: str
) -> None:
    whole = write_clip(tmp_path / f"whole.{ending}", 60, rate=Fraction(60000, 1001), gop=10)
    cut = tmp_path / f"cut.{ending}"
    size = whole.stat().st_size
    cut.write_bytes(whole.read_bytes()[: size if ending == "mp4" else size * 3 // 4])

    shown, read = opened(cut).info, Clip.open(cut).info

    assert shown is not None
    assert (shown.frame_count, shown.frame_rate) == (read.frame_count, read.frame_rate)
    assert (shown.width, shown.height) == (read.width, read.height)
    assert shown.frame_rate == Fraction(60000, 1001)


def test_a_playlist_is_refused_with_a_reason(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text(f"#EXTM3U\n{write_clip(tmp_path / 'secret.ts', 5)}\n")
    clip = ClipFrames(path)
    told: list[str] = []
    clip.failed.connect(told.append)

    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    clip.close()

    assert "only names media stored elsewhere" in told[0]


def test_a_file_that_is_cut_short_shows_what_it_has(opened: Opened, tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 60, gop=10)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    clip = opened(cut)

    assert clip.info is not None
    assert 5 < clip.info.frame_count < 60
    last = clip.info.last_index - 1
    assert number_of(opened.frame(clip, last)) == last


def test_closing_while_it_decodes_ends_the_thread(tmp_path: Path, qtbot: QtBot) -> None:
    clip = ClipFrames(write_clip(tmp_path / "clip.mp4", 200, gop=200))
    qtbot.waitUntil(lambda: clip.info is not None, timeout=PATIENCE_MS)
    clip.expect(199, -1)

    clip.close()

    assert clip.used_bytes == 0
    assert clip.frame(3) is None


def test_odd_sizes_are_shown_whole(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"f{number:03d}.png"), picture(number, 193, 97)[..., ::-1])

    clip = opened(folder)

    assert clip.info is not None
    assert (clip.info.width, clip.info.height) == (193, 97)
    assert number_of(opened.frame(clip, 2)) == 2
