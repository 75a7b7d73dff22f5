"""The viewer, driven by keys and the mouse, with real clips."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import pytest
from fresco_gui.media import ClipFrames, FrameInfo, FrameSource, StoredFrames
from fresco_gui.media.pictures import read_pixels_of
from fresco_gui.viewer import ViewedSide, Viewer, ViewMode
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QAction, QImage, QKeySequence, QWheelEvent
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.gui.counting import HANDS, number_of, picture, write_clip

PATIENCE_MS = 120_000
COUNT = 40


class SlowClip(ClipFrames):
    """A clip whose frames take longer to load than they are shown."""

    pause_s = 0.0

    def _load(self, index: int, *, is_exact: bool) -> QImage | None:
        time.sleep(self.pause_s)
        return super()._load(index, is_exact=is_exact)


class Bench:
    """A viewer with a source and a result that is its negative."""

    def __init__(self, bot: QtBot, source: ClipFrames, result: ClipFrames) -> None:
        self.bot, self.source, self.result = bot, source, result
        self.viewer = Viewer()
        self.viewer.resize(800, 500)
        bot.addWidget(self.viewer)
        self.viewer.show()
        self.viewer.set_source(source)
        self.compare(result)
        self.wait(lambda: result.info is not None and self.shown_index() == 0)

    def compare(self, frames: FrameSource | None) -> None:
        """B is these frames, or the clip as A is."""
        self.viewer.set_sides(ViewedSide(), ViewedSide(frames=frames))

    def wait(self, is_so: Callable[[], bool]) -> None:
        self.bot.waitUntil(is_so, timeout=PATIENCE_MS)

    def shown_index(self) -> int | None:
        shown = self.viewer.canvas.shown
        if shown is None or shown.scene.source is None:
            return None
        return shown.scene.index

    def wait_for_mode(self, mode: ViewMode) -> None:
        self.wait(
            lambda: (shown := self.viewer.canvas.shown) is not None and shown.scene.mode is mode
        )

    def press(self, keys: str) -> None:
        (found,) = [
            one
            for one in self.viewer.findChildren(QAction)
            if QKeySequence(keys) in one.shortcuts()
        ]
        found.trigger()

    def pair(self) -> tuple[int, int]:
        """The numbers that source and result show now."""
        shown = self.viewer.canvas.shown
        assert shown is not None
        assert shown.scene.source is not None
        assert shown.scene.result is not None
        return number_of(shown.scene.source), number_of(shown.scene.result, inverted=True)

    def grabbed(self) -> QImage:
        return self.viewer.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


@pytest.fixture
def make_bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(
        *, pause_s: float = 0.0, rate: Fraction = Fraction(25), has_sound: bool = False
    ) -> Bench:
        path = write_clip(tmp_path / "source.mp4", COUNT, rate=rate, gop=15, has_sound=has_sound)
        other = write_clip(tmp_path / "result.mp4", COUNT, rate=rate, gop=40, inverted=True)
        source, result = SlowClip(path), SlowClip(other)
        source.pause_s = pause_s
        made.append(Bench(qtbot, source, result))
        return made[-1]

    yield make
    for bench in made:
        bench.viewer.close_media()
        bench.source.close()
        bench.result.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


def test_keys_move_by_exact_frames(bench: Bench) -> None:
    seen: list[int] = []

    for keys in ("Right", "Right", "Left", "Shift+Right", "End", "Left", "Home", "Left"):
        bench.press(keys)
        bench.wait(lambda: bench.shown_index() == bench.viewer.frame)
        assert bench.pair() == (bench.viewer.frame, bench.viewer.frame)
        seen.append(bench.viewer.frame)

    assert seen == [1, 2, 1, 11, 39, 38, 0, 0]


@pytest.mark.parametrize("has_sound", [False, True], ids=["silent", "with sound"])
def test_playing_shows_source_and_result_in_lock_step(
    make_bench: Callable[..., Bench], has_sound: bool
) -> None:
    bench = make_bench(has_sound=has_sound)
    bench.viewer.playback.is_looping = False
    pairs: list[tuple[int, int, int]] = []

    def note(index: int) -> None:
        source, result = bench.source.peek(index), bench.result.peek(index)
        assert source is not None
        assert result is not None
        pairs.append((index, number_of(source), number_of(result, inverted=True)))

    bench.viewer.playback.shown.connect(note)
    bench.press("Space")
    bench.wait(lambda: not bench.viewer.is_playing)

    assert all(index == source == result for index, source, result in pairs)
    assert bench.viewer.frame == COUNT - 1
    shown = [index for index, _, _ in pairs]
    assert shown == sorted(shown)


def test_frames_that_come_too_late_are_dropped_and_time_is_kept(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(pause_s=0.1)
    playback = bench.viewer.playback
    playback.is_looping = False
    shown: list[int] = []
    playback.shown.connect(shown.append)

    bench.viewer.play()
    bench.wait(lambda: not bench.viewer.is_playing)

    assert playback.dropped_frames > 0
    assert len(set(shown)) < COUNT
    # The last frame is shown all the same, and lock-step holds.
    bench.wait(lambda: bench.shown_index() == COUNT - 1)
    assert bench.pair() == (COUNT - 1, COUNT - 1)


def test_a_sound_that_is_late_catches_up_and_never_moves_the_pictures(bench: Bench) -> None:
    playback = bench.viewer.playback
    skipped: list[float] = []
    playback.sound._skip_wanted.connect(skipped.append)
    bench.viewer.play()
    bench.wait(lambda: bench.viewer.frame >= 12)
    frames: list[int] = []
    playback.shown.connect(frames.append)

    for _ in range(3):
        playback.sound.heard.emit(0.0)
    bench.wait(lambda: len(frames) > 5)

    assert len(skipped) == 1
    assert skipped[0] >= 12 / 25 - 0.04
    assert frames == sorted(frames)
    bench.viewer.pause()


def test_j_k_and_l_shuttle(bench: Bench) -> None:
    rates: list[int] = []
    bench.viewer.playback.rate_changed.connect(rates.append)

    for keys in ("L", "L", "L", "L", "J", "J", "K"):
        bench.press(keys)

    assert rates == [1, 2, 4, -1, -2, 0]


def test_playing_backwards_reaches_the_in_point_and_begins_again(bench: Bench) -> None:
    bench.viewer.set_range(10, 20)
    bench.viewer.set_frame(14)
    seen: list[int] = []
    bench.viewer.frame_changed.connect(seen.append)

    bench.press("J")
    bench.wait(lambda: 10 in seen and 20 in seen)
    bench.press("K")

    assert min(seen) == 10
    assert max(seen) == 20


def test_in_and_out_points(bench: Bench) -> None:
    ranges: list[tuple[int, int]] = []
    bench.viewer.range_changed.connect(lambda first, last: ranges.append((first, last)))

    bench.viewer.set_frame(5)
    bench.press("I")
    bench.viewer.set_frame(12)
    bench.press("O")
    bench.press("Home")
    at_in = bench.viewer.frame
    bench.press("End")
    at_out = bench.viewer.frame
    bench.viewer.set_frame(30)
    bench.press("I")
    bench.press("Alt+X")

    assert ranges == [(5, 39), (5, 12), (30, 39), (0, 39)]
    assert (at_in, at_out) == (5, 12)


@pytest.mark.parametrize(
    ("keys", "mode"),
    [
        ("1", ViewMode.SOURCE),
        ("2", ViewMode.RESULT),
        ("W", ViewMode.WIPE_VERTICAL),
        ("Shift+W", ViewMode.WIPE_HORIZONTAL),
        ("S", ViewMode.SIDE_BY_SIDE),
        ("D", ViewMode.DIFFERENCE),
        ("N", ViewMode.ONION),
    ],
)
def test_each_key_shows_its_mode(bench: Bench, keys: str, mode: ViewMode) -> None:
    bench.viewer.set_mode(ViewMode.ONION if mode is not ViewMode.ONION else ViewMode.SOURCE)
    told: list[ViewMode] = []
    bench.viewer.mode_changed.connect(told.append)

    bench.press(keys)
    bench.wait_for_mode(mode)

    assert told == [mode]


def column_values(image: QImage, share: float) -> list[int]:
    """Blue of the pixels at one height, from left to right."""
    return read_pixels_of(image)[int(image.height() * share), :, 0].tolist()


def test_the_wipe_shows_source_left_and_result_right_of_the_line_that_is_dragged(
    bench: Bench,
) -> None:
    canvas = bench.viewer.canvas
    bench.press("1")
    bench.wait_for_mode(ViewMode.SOURCE)
    source = bench.grabbed()
    bench.press("2")
    bench.wait_for_mode(ViewMode.RESULT)
    result = bench.grabbed()
    bench.press("W")
    bench.wait_for_mode(ViewMode.WIPE_VERTICAL)

    middle = canvas.rect().center()
    target = QPoint(canvas.width() // 4, middle.y())
    HANDS.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(canvas.width() // 2, middle.y()))
    HANDS.mouseMove(canvas, target)
    HANDS.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=target)
    wiped = column_values(bench.grabbed(), 0.4)

    line = canvas.width() // 4
    assert canvas.wipe == pytest.approx(0.25, abs=0.01)
    assert wiped[: line - 20] == column_values(source, 0.4)[: line - 20]
    assert wiped[line + 20 :] == column_values(result, 0.4)[line + 20 :]


def test_the_wipe_line_moves_by_keys(bench: Bench) -> None:
    bench.press("Alt+Right")
    bench.press("Alt+Right")
    bench.press("Alt+Left")

    assert bench.viewer.canvas.wipe == pytest.approx(0.55)


def test_zoom_and_pan_are_those_of_both(bench: Bench) -> None:
    canvas = bench.viewer.canvas
    bench.press("S")
    bench.wait_for_mode(ViewMode.SIDE_BY_SIDE)
    at = QPointF(canvas.width() * 0.25, canvas.height() * 0.5)
    wheel = QWheelEvent(
        at,
        canvas.mapToGlobal(at),
        QPoint(),
        QPoint(0, 1200),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, wheel)
    HANDS.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 200))
    HANDS.mouseMove(canvas, QPoint(60, 190))
    HANDS.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(60, 190))

    def is_composed() -> bool:
        shown = canvas.shown
        place = canvas.camera.place(shown.scene.pane, (192.0, 96.0)) if shown else None
        return shown is not None and shown.scene.place == place

    bench.wait(is_composed)
    shown = canvas.shown
    assert shown is not None
    assert shown.source is not None
    assert shown.result is not None
    assert canvas.scale > 10
    # The result is the negative, so what agrees in place is opposite in value.
    source = read_pixels_of(shown.source)[..., 0].astype(int)
    result = read_pixels_of(shown.result)[..., 0].astype(int)
    inside = (source > 190) | (source < 60)
    assert inside.mean() > 0.5
    assert ((source > 128) != (result > 128))[inside].mean() > 0.98
    bench.press("F")
    assert canvas.camera.zoom is None


def test_the_read_out_says_both_pixels_under_the_pointer(bench: Bench) -> None:
    canvas = bench.viewer.canvas

    HANDS.mouseMove(canvas, QPoint(canvas.width() // 2, canvas.height() // 3))

    bench.wait(lambda: "B " in bench.viewer.readout.text())
    words = bench.viewer.readout.text()
    assert words.startswith("x 96")
    assert "B " in words


def test_holding_c_shows_the_original(bench: Bench) -> None:
    canvas = bench.viewer.canvas
    bench.press("W")

    HANDS.keyPress(canvas, Qt.Key.Key_C)
    held = canvas.mode
    HANDS.keyRelease(canvas, Qt.Key.Key_C)

    assert held is ViewMode.SOURCE
    assert canvas.mode is ViewMode.WIPE_VERTICAL


def test_without_a_result_the_source_is_seen_and_the_mode_stays_what_was_chosen(
    bench: Bench,
) -> None:
    bench.press("D")
    told: list[ViewMode] = []
    bench.viewer.mode_changed.connect(told.append)

    bench.compare(None)
    bench.wait_for_mode(ViewMode.SOURCE)
    without = bench.viewer.mode
    bench.compare(bench.result)
    bench.wait_for_mode(ViewMode.DIFFERENCE)

    assert without is bench.viewer.mode is ViewMode.DIFFERENCE
    assert told == []


def test_frames_that_are_not_restyled_yet_do_not_stop_playing(bench: Bench) -> None:
    info = FrameInfo(path=None, frame_count=COUNT, frame_rate=Fraction(25), width=192, height=96)
    stored = StoredFrames(info)
    for number in range(10):
        drawn = picture(number, inverted=True)[..., ::-1]
        stored.put(number, cv2.imencode(".png", drawn)[1].tobytes())
    bench.compare(stored)
    bench.viewer.playback.is_looping = False

    bench.viewer.play()
    bench.wait(lambda: not bench.viewer.is_playing)
    bench.wait(lambda: bench.shown_index() == COUNT - 1)

    shown = bench.viewer.canvas.shown
    assert shown is not None
    assert shown.result is None
    # It appears as soon as it arrives.
    drawn = picture(COUNT - 1, inverted=True)[..., ::-1]
    stored.put(COUNT - 1, cv2.imencode(".png", drawn)[1].tobytes())
    bench.wait(lambda: (now := bench.viewer.canvas.shown) is not None and now.result is not None)
    bench.compare(None)
    stored.close()


def test_two_results_of_other_sizes_and_ranges_are_compared(bench: Bench) -> None:
    half = FrameInfo(
        path=None, frame_count=10, frame_rate=Fraction(25), width=96, height=48, first_index=5
    )
    small = StoredFrames(half)
    for number in range(5, 15):
        drawn = cv2.resize(picture(number, inverted=True), (96, 48))[..., ::-1]
        small.put(number, cv2.imencode(".png", drawn)[1].tobytes())
    bench.viewer.set_sides(
        ViewedSide(frames=bench.result, name="one"), ViewedSide(frames=small, name="two")
    )
    canvas = bench.viewer.canvas
    bench.press("D")
    bench.viewer.set_frame(10)

    bench.wait(lambda: bench.shown_index() == 10 and canvas.note.name == "B two")
    bench.wait(lambda: (now := canvas.shown) is not None and now.scene.mode is ViewMode.DIFFERENCE)
    mixed = canvas.shown.source if canvas.shown is not None else None
    assert mixed is not None
    assert float(read_pixels_of(mixed)[..., :3].mean()) < 40
    # Where one has nothing, the clip is seen and no difference from it.
    bench.viewer.set_frame(30)
    bench.wait(lambda: bench.shown_index() == 30 and canvas.shown.result is None)  # type: ignore[union-attr]
    assert canvas.note.badge
    assert number_of(canvas.shown.scene.source) == 30  # type: ignore[union-attr, arg-type]
    bench.compare(None)
    small.close()


def test_frame_and_range_chosen_before_the_clip_is_open_hold(qtbot: QtBot, tmp_path: Path) -> None:
    source = ClipFrames(write_clip(tmp_path / "clip.mp4", 30))
    viewer = Viewer()
    qtbot.addWidget(viewer)
    viewer.set_source(source)

    viewer.set_range(4, 20)
    viewer.set_frame(17)

    qtbot.waitUntil(lambda: viewer.frame == 17, timeout=PATIENCE_MS)
    assert viewer.range == (4, 20)
    viewer.close_media()
    source.close()


def test_a_clip_that_vanishes_is_told_and_the_viewer_lives(qtbot: QtBot, tmp_path: Path) -> None:
    viewer = Viewer()
    qtbot.addWidget(viewer)
    told: list[str] = []
    viewer.failed.connect(told.append)
    gone = ClipFrames(tmp_path / "gone.mp4")

    viewer.set_source(gone)
    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    viewer.play()
    good = ClipFrames(write_clip(tmp_path / "clip.mp4", 5))
    viewer.set_source(good)

    qtbot.waitUntil(lambda: viewer.canvas.shown is not None, timeout=PATIENCE_MS)
    assert "gone.mp4" in told[0]
    viewer.close_media()
    good.close()
    gone.close()


def test_all_actions_have_names_words_and_keys_of_their_own(bench: Bench) -> None:
    actions = bench.viewer.actions()
    keys = [key.toString() for one in actions for key in one.shortcuts()]

    assert all(one.objectName() and one.text() and one.shortcuts() for one in actions)
    assert len(keys) == len(set(keys))
    assert len({one.objectName() for one in actions}) == len(actions)


def test_long_words_in_the_bar_do_not_make_the_window_wider(bench: Bench) -> None:
    bench.viewer.set_range(4, 30)
    bench.press("D")
    bench.wait_for_mode(ViewMode.DIFFERENCE)

    bench.viewer.resize(640, 400)

    assert bench.viewer.minimumSizeHint().width() <= 640
    assert bench.viewer.width() == 640
