"""The window: settings, keyframes, jobs and keys, with a real daemon that makes negatives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fresco_client import JobState
from fresco_gui.media.pictures import read_pixels_of
from fresco_gui.viewer import ViewMode
from fresco_media.stills.png import decode_mask, decode_png
from PyQt6.QtCore import QMimeData, Qt, QUrl
from PyQt6.QtGui import QAction, QImage, QKeySequence
from PyQt6.QtWidgets import QApplication, QPlainTextEdit, QPushButton

from tests.gui.conftest import App
from tests.integration.daemons import DaemonProcess

StartDaemon = Callable[..., DaemonProcess]


# Settings


def test_the_form_has_a_field_for_every_setting_of_the_daemon(ready: App) -> None:
    view = ready.controller.daemon.view
    assert view is not None
    assert view.server.capabilities is not None
    form = ready.window.views.inspector.form

    names = {parameter.name for parameter in view.server.capabilities.parameters}

    assert {name for name in names if form.field(name) is None} == {"start", "stop"}
    assert form.values() == {"prompt": "ink"}


def test_every_field_gives_back_what_it_is_given_and_can_be_left_open(ready: App) -> None:
    view = ready.controller.daemon.view
    assert view is not None
    assert view.server.capabilities is not None
    kinds: dict[str, Any] = {"text": "words", "switch": True, "integer": None, "number": None}
    for parameter in view.server.capabilities.parameters:
        field = ready.window.views.inspector.form.field(parameter.name)
        if field is None:
            continue
        value = kinds.get(parameter.kind)
        if parameter.kind == "choice":
            value = parameter.choices[-1]
        elif parameter.kind in ("integer", "number"):
            low, high = parameter.minimum or 0, min(parameter.maximum or 1, 1000)
            value = int(high) if parameter.kind == "integer" else round((low + high) / 2, 2)
        for chosen in (value, None):
            field.set_value(chosen)
            assert field.value() == chosen, parameter.name


def test_a_preset_keeps_a_look_and_gives_it_back(ready: App) -> None:
    inspector = ready.window.views.inspector
    inspector.set_values({"prompt": "ink", "strength": 0.4, "keyframes": [3]})
    inspector.save_preset("inky")
    inspector.set_values({"prompt": "oil"})

    inspector.preset_box.setCurrentIndex(inspector.preset_box.findData("inky"))
    inspector.preset_box.activated.emit(inspector.preset_box.currentIndex())

    assert ready.controller.project_store.project.values == {"prompt": "ink", "strength": 0.4}


def test_nothing_can_be_started_without_words_and_the_button_says_so(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    app.connect(start_daemon())
    app.open(clip)

    assert not app.window.views.inspector.restyle_button.isEnabled()
    assert "prompt" in app.window.views.inspector.restyle_button.toolTip()


# Opening


def test_what_was_open_is_offered_again_and_can_be_forgotten(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    app.connect(start_daemon())
    app.open(clip)
    app.press("Ctrl+W")
    empty, menu = app.window.views.empty, app.window.menus.recent
    assert empty.isVisible()

    (button,) = [one for one in empty.findChildren(QPushButton) if one.text() == clip.name]
    button.click()
    app.wait("the clip", app.source_info)
    assert app.controller.project_store.project.clip == str(clip)
    menu.aboutToShow.emit()
    entries = [one.text() for one in menu.actions() if one.text()]
    assert entries == [clip.name, "Forget all"]

    menu.actions()[-1].trigger()
    assert app.controller.services.preferences.recent == []


def test_what_is_no_clip_does_not_close_the_one_that_is_open(
    app: App, start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    app.connect(start_daemon())
    app.open(clip)
    notes = tmp_path / "notes.mp4"
    notes.write_text("no clip", encoding="utf-8")
    panel = app.window.views.problems

    app.window.open_actions.open_first([notes])
    app.wait("it to be told", lambda: panel.problem)
    app.wait(
        "the clip to be open again",
        lambda: (
            app.controller.opener.clip and app.controller.project_store.project.clip == str(clip)
        ),
    )

    app.wait("it to be shown", app.source_info)
    assert panel.problem is not None
    assert "notes.mp4" in panel.problem.message
    app.open(clip)
    assert panel.problem is None


def test_a_file_dropped_on_the_prompt_is_opened_and_not_written_there(ready: App) -> None:
    edit = ready.window.views.inspector.form.findChild(QPlainTextEdit)
    assert edit is not None
    files, words = QMimeData(), QMimeData()
    files.setUrls([QUrl.fromLocalFile("/clips/clip.mp4")])
    files.setText("/clips/clip.mp4")
    words.setText("in ink")

    assert not edit.canInsertFromMimeData(files)
    assert edit.canInsertFromMimeData(words)


def test_a_look_that_is_used_brings_its_settings_back(ready: App) -> None:
    window = ready.window
    ready.press("Ctrl+Alt+L")
    ready.wait("looks", lambda: len(window.views.sheet.looks()) == 4)
    ready.wait("all to be kept", lambda: len(ready.controller.project_store.project.looks) > 0)
    ready.write_prompt("something else")
    window.views.sheet.list.setCurrentRow(1)

    ready.press("Ctrl+U")

    assert ready.controller.project_store.project.values == {"prompt": "ink", "seed": 1}


def test_what_binds_is_shown_for_each_control_in_the_clips_shape(ready: App) -> None:
    window, sheet = ready.window, ready.window.views.sheet
    window.views.inspector.set_values({"prompt": "ink", "control": "canny:0.4,tile"})
    window.views.inspector.changed.emit()

    ready.press("Ctrl+Shift+L")
    ready.wait("what binds", lambda: len(sheet.looks()) == 2)

    assert [sheet.list.item(row).text() for row in range(2)] == ["canny", "tile"]  # pyright: ignore[reportOptionalMemberAccess]
    light, dark = (decode_png(one.data) for one in sheet.looks())
    assert light is not None
    assert dark is not None
    assert light.shape == dark.shape
    assert np.abs(light // 2 - dark.astype(int)).max() <= 1
    assert not window.commands.use_look.isEnabled()


def test_where_a_look_changes_the_frame_is_shown_and_kept_with_the_project(ready: App) -> None:
    window = ready.window
    window.views.inspector.set_values({"prompt": "ink", "region": "subject"})
    window.views.inspector.changed.emit()

    ready.press("Ctrl+L")
    ready.wait("it to be kept", lambda: len(ready.controller.project_store.project.looks) == 1)
    ready.wait("the look", window.views.sheet.looks)
    window.views.sheet.list.setCurrentRow(0)
    window.views.viewer.set_mode(ViewMode.RESULT)
    look = window.views.sheet.looks()[0]
    made = decode_png(look.data)
    assert made is not None
    half = made.shape[1] // 2
    ready.wait("it to be seen", lambda: np.array_equal(_seen(ready), made))
    ready.press("Ctrl+Shift+R")

    # The daemon of these tests changes the left half.
    ready.wait("the rest to be dim", lambda: _seen(ready)[:, half + 2 :].max() < 0.4 * 255)
    assert np.array_equal(_seen(ready)[:, :half], made[:, :half])
    ready.press("Ctrl+Shift+R")
    ready.wait("it to be as it was", lambda: np.array_equal(_seen(ready), made))
    kept = ready.controller.services.folders.looks / "kept" / look.file
    assert decode_mask(kept.read_bytes()) is not None


def _seen(app: App) -> np.ndarray:
    """The picture in the viewer, (h, w, 3); a black one where there is none."""
    image = app.window.views.viewer.picture()
    if image is None:
        return np.zeros((1, 9, 3), np.uint8)
    return read_pixels_of(image.convertToFormat(QImage.Format.Format_RGB32))[..., 2::-1].copy()


# Jobs


def test_a_job_is_paused_goes_on_and_its_settings_are_used_again(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    app.connect(start_daemon("--step-s", "0.1"))
    app.open(clip)
    app.write_prompt("ink")
    app.restyle()
    app.wait("it to run", lambda: app.is_job(JobState.TRANSLATING))

    app.press("Ctrl+P")
    app.wait("it to be paused", lambda: app.is_job(JobState.PAUSED))
    app.press("Ctrl+P")
    assert app.wait_for_result().exists()

    app.write_prompt("oil")
    job = app.controller.shown_job.job()
    assert job is not None
    app.window.views.jobs.reused.emit(job)
    assert app.window.views.inspector.values()["prompt"] == "ink"


def test_the_model_manager_lists_what_the_daemon_has(ready: App) -> None:
    ready.press("Ctrl+M")
    manager = ready.window.daemon_views.models

    ready.wait("the bundled model", lambda: manager.table.rowCount() > 0)

    item = manager.table.item(0, 0)
    assert item is not None
    assert item.text() == "fresco-small"
    manager.close()


# Keys


def test_all_is_done_by_keys_alone(app: App, start_daemon: StartDaemon, clip: Path) -> None:
    app.connect(start_daemon())
    app.open(clip)
    window, bot = app.window, app.bot
    edit = window.views.inspector.form.findChild(QPlainTextEdit)
    assert edit is not None
    edit.setFocus()
    bot.keyClicks(edit, "jkl in oil")
    assert window.views.inspector.values()["prompt"] == "jkl in oil"
    assert not window.views.viewer.is_playing

    app.wait("looks", window.commands.look.isEnabled)
    bot.keyClick(edit, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    app.wait("the look", lambda: len(window.views.sheet.looks()) == 1)
    bot.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    app.wait("the job", lambda: app.controller.project_store.project.made)
    assert app.wait_for_result().exists()


def test_tab_reaches_every_button_and_field_and_none_holds_it(ready: App) -> None:
    window = ready.window
    seen: set[object] = set()
    window.views.inspector.model_box.setFocus()
    for _ in range(200):
        focus = QApplication.focusWidget()
        if focus in seen:
            break
        seen.add(focus)
        ready.bot.keyClick(focus, Qt.Key.Key_Tab)

    assert {window.views.inspector.look_button, window.views.inspector.restyle_button} <= seen
    assert window.views.sheet.refresh in seen


def test_no_two_actions_have_the_same_keys(app: App) -> None:
    holders: dict[str, str] = {}
    for one in app.window.findChildren(QAction):
        for keys in one.shortcuts():
            assert holders.setdefault(keys.toString(), one.text()) == one.text(), keys.toString()


def test_keys_are_changed_in_the_sheet_and_kept(app: App) -> None:
    sheet = app.window.dialogs.shortcuts_sheet()

    assert not sheet.rebind(app.window.commands.export, QKeySequence("Ctrl+O"))
    assert "Open" in sheet.note.text()
    assert sheet.rebind(app.window.commands.export, QKeySequence("Ctrl+Shift+E"))

    assert app.window.commands.export.shortcut() == QKeySequence("Ctrl+Shift+E")
    assert app.controller.services.preferences.shortcut("export") == "Ctrl+Shift+E"
    sheet.close()


def test_tips_say_the_keys_that_were_chosen(ready: App) -> None:
    app, look = ready, ready.window.commands.look
    assert "Ctrl+L" in app.window.views.inspector.look_button.toolTip()

    sheet = app.window.dialogs.shortcuts_sheet()
    assert sheet.rebind(look, QKeySequence("Ctrl+J"))

    sheet.close()
    for tip in (look.toolTip(), app.window.views.inspector.look_button.toolTip()):
        assert "Ctrl+J" in tip
        assert "Ctrl+L" not in tip


def test_in_and_out_points_are_set_from_the_edit_menu(app: App) -> None:
    bar = app.window.menuBar()
    assert bar is not None
    (edit,) = (one.menu() for one in bar.actions() if one.text() == "&Edit")
    assert edit is not None

    keys = [one.shortcut().toString() for one in edit.actions() if not one.isSeparator()]

    assert {"Ctrl+Z", "Ctrl+Shift+Z", "I", "O"} <= set(keys)
