"""The first minute shows pictures: every look of the model on the clip's own frame, and what was
tried, captioned and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fresco_gui.looks import ContactSheet, LookPicture
from fresco_gui.looks.sheet import LookList
from fresco_gui.preferences.stored import Preferences
from PyQt6.QtCore import Qt

from tests.gui.conftest import App
from tests.integration.daemons import DaemonProcess

StartDaemon = Callable[..., DaemonProcess]


@pytest.fixture
def preferences(preferences: Preferences) -> Preferences:
    """Those of a user who has changed nothing."""
    preferences.shows_looks = True
    return preferences


def names(app: App) -> list[str]:
    view = app.controller.daemon.view
    assert view is not None
    return [style.name for style in view.models[0].styles]


def all_looks_there(app: App) -> bool:
    """Whether each style of the model has its picture in the sheet."""
    view, cells = app.controller.daemon.view, app.window.views.sheet.styles.cells()
    if view is None or len(cells) != len(names(app)):
        return False
    return all(cell.look is not None for cell in cells)


def click(app: App, shown: LookList, row: int) -> None:
    """With the pointer, on the picture."""
    item = shown.item(row)
    shown.scrollToItem(item)
    place = shown.visualItemRect(item).center()
    app.bot.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=place)


def looks_at(app: App, name: str) -> bool:
    """Whether the viewer shows a look of this name."""
    canvas = app.window.views.viewer.canvas
    return (
        canvas.shown is not None
        and canvas.shown.scene.result is not None
        and canvas.note.name == f"B look: {name}"
    )


def test_a_clip_that_is_opened_is_shown_in_every_look_and_one_click_chooses_it(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    sheet = app.window.views.sheet
    app.connect(start_daemon())
    app.open(clip)
    app.wait("all looks", lambda: all_looks_there(app))
    captions = [sheet.styles.item(row).text() for row in range(sheet.styles.count())]  # type: ignore[union-attr]
    assert captions == names(app)
    assert app.controller.project_store.project.looks == ()

    click(app, sheet.styles, names(app).index("oil"))

    app.wait("the look in the viewer", lambda: looks_at(app, "oil"))
    assert app.controller.project_store.project.values == {"style": "oil"}
    app.wait("restyling to be possible", sheet.restyle.isEnabled)
    sheet.restyle.click()
    job = app.wait_for_next(1)
    assert job.settings.style == "oil"


def test_a_click_restyles_the_frame_in_view_when_the_sheet_is_of_another(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    app.connect(start_daemon())
    app.open(clip)
    app.wait("all looks", lambda: all_looks_there(app))
    app.window.views.viewer.set_frame(20)

    click(app, app.window.views.sheet.styles, names(app).index("ukiyo-e"))

    app.wait("the look in the viewer", lambda: looks_at(app, "ukiyo-e"))
    assert app.window.views.viewer.frame == 20


def test_looks_that_were_made_once_are_there_at_once_the_next_time(
    make_app: Callable[[], App], start_daemon: StartDaemon, clip: Path
) -> None:
    app = make_app()
    daemon = start_daemon()
    app.connect(daemon)
    app.open(clip)
    app.wait("all looks", lambda: all_looks_there(app))
    app.window.close()

    again = make_app()
    asked: list[object] = []
    again.controller.starter.styles.moved.connect(
        lambda: asked.append(again.controller.starter.styles.now)
    )
    again.connect(daemon)
    again.wait("all looks", lambda: all_looks_there(again))
    again.wait("no more to be made", lambda: asked)
    assert set(asked) == {""}


def tried(sheet: ContactSheet, caption: str) -> LookPicture:
    """A look by its caption."""
    (found,) = [one for one in sheet.looks() if one.caption == caption]
    return found


def test_choosing_pinning_and_removing_looks_is_undone_step_by_step_and_takes_no_other_away(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    sheet, store = app.window.views.sheet, app.controller.project_store
    app.connect(start_daemon())
    app.open(clip)
    app.wait("all looks", lambda: all_looks_there(app))
    first, second = names(app)[:2]
    for row, name in ((0, first), (1, second)):
        click(app, sheet.styles, row)
        app.wait("it in the viewer", lambda name=name: looks_at(app, name))

    app.press("Ctrl+Z")
    assert store.project.values["style"] == first
    app.wait("the look before in the viewer", lambda: looks_at(app, first))
    app.press("Ctrl+Z")
    assert not store.project.values.get("style")
    app.wait("the clip", lambda: app.window.display.look is None)

    app.write_prompt("ink")
    app.press("Ctrl+Alt+S")
    app.wait("five strengths", lambda: len(sheet.looks()) == 5)
    app.wait("an end", lambda: not app.controller.starter.looks.is_working)
    captions = [look.caption for look in sheet.looks()]
    sheet.pinned.emit(tried(sheet, captions[2]))
    sheet.removed.emit(tried(sheet, captions[1]))
    app.press("Ctrl+L")
    app.wait("another", lambda: len(sheet.looks()) == 5)
    app.wait("an end", lambda: not app.controller.starter.looks.is_working)

    sheet.used.emit(tried(sheet, captions[2]))
    sheet.used.emit(tried(sheet, captions[0]))
    app.press("Ctrl+Z")
    assert store.project.values["strength"] == tried(sheet, captions[2]).settings.strength
    for _ in range(3):
        app.press("Ctrl+Z")
    assert {look.caption for look in sheet.looks()} == {"ink · frame 0", *captions}
    assert not any(look.is_pinned for look in sheet.looks())
    app.press("Ctrl+Shift+Z")
    assert tried(sheet, captions[2]).is_pinned


def test_what_is_tried_is_captioned_kept_pinned_and_back_after_reopening(
    make_app: Callable[[], App], start_daemon: StartDaemon, clip: Path
) -> None:
    app = make_app()
    daemon = start_daemon()
    app.connect(daemon)
    app.open(clip)
    app.write_prompt("ink")
    sheet = app.window.views.sheet
    app.press("Ctrl+Alt+S")
    app.wait("five strengths", lambda: len(sheet.looks()) == 5)
    app.wait("an end", lambda: not app.controller.starter.looks.is_working)
    app.write_prompt("water")
    app.press("Ctrl+L")
    app.wait("one more", lambda: len(sheet.looks()) == 6)
    app.wait("an end", lambda: not app.controller.starter.looks.is_working)

    captions = [look.caption for look in sheet.looks()]
    assert captions[0] == "water · frame 0"
    assert captions[1] == "ink · strength 0.35 · frame 0"
    sheet.pinned.emit(sheet.looks()[3])
    assert sheet.list.item(0).text() == "★ ink\nstrength 0.65 · frame 0"  # type: ignore[union-attr]
    sheet.removed.emit(sheet.looks()[1])
    assert len(sheet.looks()) == 5
    app.press("Ctrl+Z")
    assert len(sheet.looks()) == 6
    before = [look.caption for look in sheet.looks()]
    app.window.close()

    again = make_app()
    again.connect(daemon)
    again.wait("them to be back", lambda: len(again.window.views.sheet.looks()) == 6)
    assert [look.caption for look in again.window.views.sheet.looks()] == before
    click(again, again.window.views.sheet.list, 0)
    again.wait("it in the viewer", lambda: looks_at(again, "ink"))
    again.press("Ctrl+U")
    values = again.controller.project_store.project.values
    assert (values["prompt"], values["strength"]) == ("ink", 0.65)
