"""The filmstrip, driven by the mouse, with a real clip."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fresco_gui.media import ClipFrames, FrameSpan
from fresco_gui.media.pictures import from_bgr, read_pixels_of
from fresco_gui.timeline import Filmstrip, KeyframeAction, KeyframeState
from fresco_gui.timeline.content import FilmstripContent
from fresco_gui.timeline.marks import paint_mark
from fresco_gui.timeline.painting import HEIGHT, RULER_PX, THUMBNAIL_PX, key_x
from fresco_gui.timeline.scale import Scale
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QAction, QContextMenuEvent, QImage, QPainter
from PyQt6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from tests.gui.counting import HANDS, number_of, picture, write_clip

PATIENCE_MS = 120_000
COUNT = 100
ROW = RULER_PX + THUMBNAIL_PX // 2
KEYS = RULER_PX + THUMBNAIL_PX + 15
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def strip(qtbot: QtBot, tmp_path: Path) -> Iterator[Filmstrip]:
    source = ClipFrames(write_clip(tmp_path / "clip.mp4", COUNT, gop=20))
    made = Filmstrip()
    qtbot.addWidget(made)
    made.resize(1000, HEIGHT)
    made.show()
    made.set_source(source)
    qtbot.waitUntil(lambda: made.scale.count == COUNT, timeout=PATIENCE_MS)
    made.set_plan([(0, 50), (50, 100)], [0, 20, 49, 50, 80, 99])
    yield made
    made.set_source(None)
    source.close()


def test_clicking_and_dragging_scrubs(strip: Filmstrip) -> None:
    seen: list[int] = []
    strip.scrubbed.connect(seen.append)

    HANDS.mousePress(strip, LEFT, pos=QPoint(305, ROW))
    HANDS.mouseMove(strip, QPoint(455, ROW))
    HANDS.mouseMove(strip, QPoint(2000, ROW))
    HANDS.mouseRelease(strip, LEFT, pos=QPoint(999, ROW))

    assert seen == [30, 45, 99]
    assert strip.frame == 99


def test_clicking_near_a_keyframe_goes_to_it(strip: Filmstrip) -> None:
    seen: list[int] = []
    strip.scrubbed.connect(seen.append)

    HANDS.mouseClick(strip, LEFT, pos=QPoint(round(key_x(strip.scale, 80)) + 7, KEYS))

    assert seen == [80]


def test_in_and_out_points_are_dragged_and_never_cross(strip: Filmstrip) -> None:
    seen: list[tuple[int, int]] = []
    strip.range_changed.connect(lambda first, last: seen.append((first, last)))

    HANDS.mousePress(strip, LEFT, pos=QPoint(2, ROW))
    HANDS.mouseMove(strip, QPoint(205, ROW))
    HANDS.mouseRelease(strip, LEFT, pos=QPoint(205, ROW))
    HANDS.mousePress(strip, LEFT, pos=QPoint(998, ROW))
    HANDS.mouseMove(strip, QPoint(605, ROW))
    HANDS.mouseMove(strip, QPoint(50, ROW))
    HANDS.mouseRelease(strip, LEFT, pos=QPoint(50, ROW))

    assert seen == [(20, 99), (20, 60), (20, 20)]


def test_hovering_previews_the_exact_frame_and_leaves_playback_alone(
    strip: Filmstrip, qtbot: QtBot
) -> None:
    scrubbed: list[int] = []
    strip.scrubbed.connect(scrubbed.append)
    thumbnails = strip.thumbnails
    assert thumbnails is not None

    HANDS.mouseMove(strip, QPoint(677, ROW))
    qtbot.waitUntil(lambda: thumbnails.get(FrameSpan(67, 68)) is not None, timeout=PATIENCE_MS)

    image = thumbnails.get(FrameSpan(67, 68))
    assert image is not None
    assert number_of(image) == 67
    assert scrubbed == []
    assert strip.frame == 0


def test_thumbnails_are_wanted_for_what_is_seen_only(strip: Filmstrip, qtbot: QtBot) -> None:
    thumbnails = strip.thumbnails
    assert thumbnails is not None
    spans = strip.scale.spans(108)

    qtbot.waitUntil(lambda: all(thumbnails.get(span) for span in spans), timeout=PATIENCE_MS)

    numbers = [number_of(image) for span in spans if (image := thumbnails.get(span))]
    assert all(span.start <= n < span.stop for n, span in zip(numbers, spans, strict=True))
    assert len(numbers) == len(spans) == 10


def entries(menu: QMenu) -> dict[str, QAction]:
    return {one.objectName(): one for one in menu.actions() if one.objectName()}


def test_the_menu_of_a_keyframe_asks_for_what_is_chosen(strip: Filmstrip) -> None:
    asked: list[tuple[int, KeyframeAction]] = []
    strip.keyframe_action.connect(lambda index, what: asked.append((index, what)))
    strip.set_frame(33)
    strip.set_keyframe_state(20, KeyframeState.LOCKED)

    menu = strip.keyframe_menu(20)
    for one in entries(menu).values():
        one.trigger()

    expected = ["REROLL", "EDIT_PROMPT", "REPLACE", "LOCK", "MOVE_HERE", "REMOVE"]
    assert [(index, what.name) for index, what in asked] == [(20, name) for name in expected]
    assert entries(menu)["LOCK"].text() == "Unlock"
    assert "33" in entries(menu)["MOVE_HERE"].text()
    assert "locked" in menu.actions()[0].text()


def test_the_menu_offers_only_what_works_now(strip: Filmstrip) -> None:
    strip.set_actions(frozenset({KeyframeAction.LOCK}))

    assert list(entries(strip.keyframe_menu(20))) == ["LOCK"]
    assert list(entries(strip.keyframe_menu(21))) == []
    strip.set_actions(frozenset({KeyframeAction.ADD}))
    assert list(entries(strip.keyframe_menu(21))) == ["ADD"]


def test_the_menu_key_opens_the_menu_of_the_keyframe_at_playback(
    strip: Filmstrip, qtbot: QtBot
) -> None:
    strip.set_frame(49)

    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), QPoint(1, 1))
    QApplication.sendEvent(strip, event)

    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "49" in menu.actions()[0].text()
    menu.close()


def test_zooming_keeps_the_playhead_in_sight(strip: Filmstrip) -> None:
    for _ in range(12):
        HANDS.keyClick(strip, Qt.Key.Key_Plus)
    strip.set_frame(90)

    assert strip.scale.zoom > 5
    assert 0 <= strip.scale.x(90) <= strip.width()
    assert strip.scale.index(strip.scale.x(90) + 1) == 90


def test_a_new_plan_forgets_what_was_done(strip: Filmstrip) -> None:
    strip.set_done(3)
    strip.set_keyframe_state(20, KeyframeState.DONE)
    strip.set_keyframe_image(20, from_bgr(picture(20)))

    strip.set_plan(strip.content.shots, tuple(strip.content.keyframes))

    assert strip.content.done == []
    assert set(strip.content.keyframes.values()) == {KeyframeState.PLANNED}
    assert strip.content.images == {}


def test_keyframe_pictures_are_painted_as_they_come(strip: Filmstrip, qtbot: QtBot) -> None:
    before = strip.grab().toImage()

    strip.set_keyframe_image(80, from_bgr(np.full((512, 512, 3), (40, 200, 90), np.uint8)))

    qtbot.waitUntil(lambda: strip.grab().toImage() != before, timeout=PATIENCE_MS)
    image = strip.content.images[80]
    assert image.height() <= 2 * 44


def test_states_differ_in_shape_and_not_only_in_colour(qtbot: QtBot) -> None:
    shapes: dict[KeyframeState, np.ndarray] = {}
    for state in KeyframeState:
        image = QImage(24, 24, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        paint_mark(painter, QPointF(12, 12), state)
        painter.end()
        shapes[state] = read_pixels_of(image)[..., :3].max(axis=2) > 90

    for first, second in itertools.combinations(KeyframeState, 2):
        assert (shapes[first] != shapes[second]).sum() > 15, (first, second)


@given(st.lists(st.integers(0, 60), max_size=80))
def test_stretches_that_are_done_are_joined(indices: list[int]) -> None:
    content = FilmstripContent()

    for index in indices:
        content.add_done(index)

    covered = [index for start, stop in content.done for index in range(start, stop)]
    assert covered == sorted(set(indices))
    assert all(before[1] < after[0] for before, after in itertools.pairwise(content.done))


@given(
    st.integers(1, 100_000),
    st.integers(50, 4000),
    st.floats(1, 5000),
    st.floats(0, 1),
    st.data(),
)
def test_the_frame_at_its_own_place_is_that_frame(
    count: int, width: int, zoom: float, at: float, data: st.DataObject
) -> None:
    scale = Scale(7, count, width).zoomed(zoom, at * width)
    index = data.draw(st.integers(7, 6 + count))

    seen = scale.showing(index)

    assert -1e-3 <= seen.x(index) <= width
    assert abs(seen.index(seen.x(index + 0.5)) - index) <= 0
    assert 0 <= seen.offset <= count


@given(st.integers(1, 100_000), st.integers(50, 4000), st.floats(1, 500), st.floats(20, 200))
def test_thumbnails_cover_what_is_seen_and_are_few(
    count: int, width: int, zoom: float, thumbnail: float
) -> None:
    scale = Scale(0, count, width).zoomed(zoom, width / 3)

    spans = scale.spans(thumbnail)

    assert spans[0].start <= scale.index(0)
    assert spans[-1].stop > scale.index(width - 1)
    assert all(before.stop == after.start for before, after in itertools.pairwise(spans))
    assert len(spans) <= width / thumbnail * 2 + 3
