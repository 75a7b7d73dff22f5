"""Caches, clocks, times and stored frames."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from fresco_gui.media import FrameInfo, FrameSpan, PlaybackClock, StoredFrames, Thumbnails
from fresco_gui.media.cache import ByteCache
from fresco_gui.media.pictures import from_bgr, to_rgb, turned
from fresco_gui.media.sound import SoundPlayer, decode_sound
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from tests.gui.counting import SOUND_RATE, number_of, picture, tone, write_clip

PATIENCE_MS = 120_000


def info(count: int = 50, **more: object) -> FrameInfo:
    settings = {"path": None, "frame_count": count, "frame_rate": Fraction(25)}
    return FrameInfo(**{**settings, "width": 192, "height": 96, **more})  # type: ignore[arg-type]


def png(number: int) -> bytes:
    return cv2.imencode(".png", picture(number)[..., ::-1])[1].tobytes()


@given(
    rate=st.fractions(min_value=1, max_value=240, max_denominator=1001),
    first=st.integers(0, 100_000),
    place=st.integers(0, 200_000),
)
def test_the_frame_at_a_frames_own_time_is_that_frame(
    rate: Fraction, first: int, place: int
) -> None:
    described = info(200_001, frame_rate=rate, first_index=first)

    assert described.index_at(described.time_s(first + place)) == first + place


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=60),
    st.integers(1, 120),
)
def test_a_cache_holds_the_newest_within_its_limit(puts: list[tuple[int, int]], limit: int) -> None:
    cache: ByteCache[int, bytes] = ByteCache(limit, len)

    for key, size in puts:
        cache.put(key, bytes(size))

        assert cache.get(key) == bytes(size)
        assert cache.used_bytes <= limit or len(cache) == 1


def test_a_clock_follows_the_sound_without_jumping() -> None:
    now = [0.0]
    clock = PlaybackClock(lambda: now[0])
    clock.start(10.0, 1.0)

    positions: list[float] = []
    for _ in range(200):
        now[0] += 0.1
        # The sound device runs half a per cent slow.
        clock.follow(10.0 + now[0] * 0.995)
        positions.append(clock.position_s)

    steps = np.diff(positions)
    assert clock.position_s == pytest.approx(10.0 + now[0] * 0.995, abs=0.02)
    assert steps.min() > 0.09
    assert steps.max() < 0.11


def test_a_clock_that_rests_stays_where_it_is() -> None:
    now = [0.0]
    clock = PlaybackClock(lambda: now[0])
    clock.start(1.0, -2.0)
    now[0] = 0.25
    clock.stop()
    now[0] = 9.0
    clock.follow(5.0)

    assert clock.position_s == pytest.approx(0.5)


def test_stored_frames_beyond_the_limit_are_found_again_on_disk(qtbot: QtBot) -> None:
    frames = StoredFrames(info(), limit=3 * len(png(0)), decoded_limit=4 * 192 * 96 * 4)
    for number in range(50):
        frames.put(number, png(number))

    seen: list[int] = []
    for number in (0, 49, 1, 25, 0):
        qtbot.waitUntil(lambda n=number: frames.frame(n) is not None, timeout=PATIENCE_MS)
        image = frames.peek(number)
        assert image is not None
        seen.append(number_of(image))
    frames.close()

    assert seen == [0, 49, 1, 25, 0]


def test_frames_not_put_yet_are_not_waited_for(qtbot: QtBot) -> None:
    frames = StoredFrames(info(first_index=10))
    frames.put(12, png(12))

    assert frames.can_have(12)
    assert not frames.can_have(11)
    assert frames.frame(11) is None
    frames.close()


def test_forgotten_frames_are_asked_for_again(qtbot: QtBot) -> None:
    asked: list[int] = []
    frames = StoredFrames(
        info(), ask_again=asked.append, limit=2 * len(png(0)), decoded_limit=2 * 192 * 96 * 4
    )
    for number in range(6):
        frames.put(number, png(number))

    frames.frame(0)
    qtbot.waitUntil(lambda: 0 in asked, timeout=PATIENCE_MS)
    frames.put(0, png(0))
    qtbot.waitUntil(lambda: frames.frame(0) is not None, timeout=PATIENCE_MS)
    image = frames.peek(0)
    frames.close()

    assert image is not None
    assert number_of(image) == 0


def test_a_frame_put_again_replaces_the_one_before(qtbot: QtBot) -> None:
    frames = StoredFrames(info())
    frames.put(3, png(3))
    qtbot.waitUntil(lambda: frames.frame(3) is not None, timeout=PATIENCE_MS)

    thread = threading.Thread(target=frames.put, args=(3, png(9)))
    thread.start()
    thread.join()

    def is_new() -> bool:
        image = frames.frame(3)
        return image is not None and number_of(image) == 9

    qtbot.waitUntil(is_new, timeout=PATIENCE_MS)
    frames.close()


def test_a_damaged_picture_is_left_out_and_the_others_are_shown(qtbot: QtBot) -> None:
    frames = StoredFrames(info())
    frames.put(1, b"no picture")
    frames.put(2, png(2))
    frames.frame(1)
    qtbot.waitUntil(lambda: frames.frame(2) is not None, timeout=PATIENCE_MS)
    frames.close()


def test_thumbnails_of_single_frames_are_exact(qtbot: QtBot, tmp_path: Path) -> None:
    thumbnails = Thumbnails(write_clip(tmp_path / "clip.mp4", 60, gop=25), 48)
    wanted = [FrameSpan(at, at + 1) for at in (41, 3, 59)]

    thumbnails.want(wanted)
    qtbot.waitUntil(lambda: all(thumbnails.get(span) for span in wanted), timeout=PATIENCE_MS)
    images = [thumbnails.get(span) for span in wanted]
    thumbnails.close()

    assert [number_of(image) for image in images if image] == [41, 3, 59]
    assert {(image.width(), image.height()) for image in images if image} == {(96, 48)}


def test_a_thumbnail_of_many_frames_is_one_of_them_and_memory_is_limited(
    qtbot: QtBot, tmp_path: Path
) -> None:
    limit = 4 * 96 * 48 * 4
    thumbnails = Thumbnails(write_clip(tmp_path / "clip.mp4", 90, gop=20), 48, limit=limit)
    seen: list[tuple[int, int, int]] = []

    def note(span: FrameSpan) -> None:
        image = thumbnails.get(span)
        assert image is not None
        seen.append((span.start, number_of(image), span.stop))

    thumbnails.arrived.connect(note)
    for at in range(0, 90, 30):
        thumbnails.want([FrameSpan(at, at + 30)])
        qtbot.waitUntil(lambda n=at: any(s == n for s, _, _ in seen), timeout=PATIENCE_MS)
    used = thumbnails.used_bytes
    thumbnails.close()

    assert all(start <= number < stop for start, number, stop in seen)
    assert used <= limit


def test_sound_is_cut_to_the_sample(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mov", 25, has_sound=True)

    heard = np.frombuffer(b"".join(decode_sound(clip, 0.5)), np.int16).reshape(-1, 2)

    assert np.array_equal(heard, tone(SOUND_RATE // 2, SOUND_RATE // 2))


def test_playing_without_a_sound_device_is_silent(qtbot: QtBot, tmp_path: Path) -> None:
    player = SoundPlayer()
    player.play(tmp_path / "nothing.mp4", 0.0)
    player.set_volume(0.5)
    player.stop()
    player.close()


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_turning_puts_pixels_where_the_container_says(turns: int, is_mirrored: bool) -> None:
    stored = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)

    upright = to_rgb(turned(from_bgr(stored[..., ::-1]), turns, is_mirrored=is_mirrored))

    mirrored = stored[:, ::-1] if is_mirrored else stored
    assert np.array_equal(upright, np.rot90(mirrored, -turns))
