"""The window: settings, keyframes, jobs and keys, with a real daemon that makes negatives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fresco_client import JobState
from fresco_gui.timeline import KeyframeAction, KeyframeState
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QImage, QKeySequence
from PyQt6.QtWidgets import QApplication, QFileDialog, QInputDialog, QPlainTextEdit

from tests.gui.conftest import App
from tests.integration.daemons import DaemonProcess

StartDaemon = Callable[..., DaemonProcess]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames of 80 x 64."""
    from tests.engine.conftest import scene, write_clip

    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", scene(40))


@pytest.fixture
def ready(app: App, start_daemon: StartDaemon, clip: Path) -> App:
    """A window with a clip, a daemon and a prompt."""
    app.connect(start_daemon())
    app.open(clip)
    app.write_prompt("ink")
    return app


@pytest.fixture
def done(ready: App) -> App:
    """A window with a finished job."""
    ready.restyle()
    ready.wait_for_result()
    ready.wait("the plan", lambda: ready.window.stage.plan)
    ready.wait("the job to be done", lambda: is_state(ready, JobState.DONE))
    ready.wait("rerolls to be possible", ready.window.commands.reroll.isEnabled)
    return ready


def is_state(app: App, state: JobState) -> bool:
    job = app.controller.following.job()
    return job is not None and job.state is state


def wait_for_next(app: App, count: int) -> Any:
    """The plan of the newest of `count` jobs, when it is done."""
    app.wait("another job", lambda: len(app.controller.keeper.project.made) == count)
    app.wait_for_result()
    app.wait("it to be done", lambda: is_state(app, JobState.DONE))
    job = app.controller.following.job()
    assert job is not None
    assert job.plan is not None
    return job


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

    assert ready.controller.keeper.project.values == {"prompt": "ink", "strength": 0.4}


def test_nothing_can_be_started_without_words_and_the_button_says_so(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    app.connect(start_daemon())
    app.open(clip)

    assert not app.window.views.inspector.restyle_button.isEnabled()
    assert "prompt" in app.window.views.inspector.restyle_button.toolTip()


# Keyframes


def test_keyframes_are_shown_as_they_come(done: App) -> None:
    plan = done.window.stage.plan
    assert plan is not None

    states = done.window.views.filmstrip.content.keyframes

    assert {states[index] for index in plan.keyframes} == {KeyframeState.DONE}


def test_a_locked_keyframe_is_left_out_when_the_others_are_rerolled(done: App) -> None:
    done.window.keyframes.act(10, KeyframeAction.LOCK)
    assert done.window.views.filmstrip.content.keyframes[10] is KeyframeState.LOCKED

    done.window.keyframes.reroll_unlocked()
    job = wait_for_next(done, 2)

    assert job.settings is not None
    assert set(job.settings.keyframe_seeds) == set(job.plan.keyframes) - {10}


def test_words_of_one_keyframe_are_changed_and_its_seed_kept(
    done: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getMultiLineText", lambda *_: ("rain", True))

    done.window.keyframes.act(10, KeyframeAction.EDIT_PROMPT)
    job = wait_for_next(done, 2)

    assert job.settings is not None
    assert job.settings.keyframe_prompts == {10: "rain"}
    assert job.settings.keyframe_seeds == {10: 0}


def test_a_painted_picture_takes_the_place_of_a_keyframe(
    done: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = QImage(80, 64, QImage.Format.Format_RGB32)
    painted.fill(Qt.GlobalColor.red)
    painted.save(str(tmp_path / "painted.png"))
    name = str(tmp_path / "painted.png")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (name, ""))

    done.window.keyframes.act(10, KeyframeAction.REPLACE)
    job = wait_for_next(done, 2)

    session = done.controller.daemon.session
    assert session is not None
    image = QImage.fromData(session.frame(job.id, "keyframe", 10).data)
    colour = image.pixelColor(40, 32)
    assert colour.red() > 240
    assert colour.green() < 15


def test_keyframes_are_chosen_by_hand_before_a_job(ready: App) -> None:
    for frame in (7, 11):
        ready.window.views.viewer.set_frame(frame)
        ready.press("M")
    assert ready.controller.keeper.chosen_keyframes() == (7, 11)
    ready.window.views.viewer.set_frame(13)
    ready.press("Shift+M")
    assert ready.controller.keeper.chosen_keyframes() == (7, 13)
    ready.press("Del")
    assert ready.controller.keeper.chosen_keyframes() == (7,)

    ready.restyle()
    job = ready.wait("the job", ready.controller.following.job)

    assert job.settings is not None
    assert job.settings.keyframes == (7,)


# Jobs


def test_a_job_is_paused_goes_on_and_its_settings_are_used_again(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    app.connect(start_daemon("--step-s", "0.1"))
    app.open(clip)
    app.write_prompt("ink")
    app.restyle()
    app.wait("it to run", lambda: is_state(app, JobState.TRANSLATING))

    app.press("Ctrl+P")
    app.wait("it to be paused", lambda: is_state(app, JobState.PAUSED))
    app.press("Ctrl+P")
    assert app.wait_for_result().exists()

    app.write_prompt("oil")
    job = app.controller.following.job()
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
    app.wait("looks", lambda: len(window.views.sheet.looks()) == 4)
    bot.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    app.wait("the job", lambda: app.controller.keeper.project.made)
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
    assert window.views.sheet.list in seen


def test_no_two_actions_have_the_same_keys(app: App) -> None:
    holders: dict[str, str] = {}
    for one in app.window.findChildren(QAction):
        for keys in one.shortcuts():
            assert holders.setdefault(keys.toString(), one.text()) == one.text(), keys.toString()


def test_keys_are_changed_in_the_sheet_and_kept(app: App) -> None:
    sheet = app.window.asides.shortcuts_sheet()

    assert not sheet.rebind(app.window.commands.export, QKeySequence("Ctrl+O"))
    assert "Open" in sheet.note.text()
    assert sheet.rebind(app.window.commands.export, QKeySequence("Ctrl+Shift+E"))

    assert app.window.commands.export.shortcut() == QKeySequence("Ctrl+Shift+E")
    assert app.controller.services.preferences.shortcut("export") == "Ctrl+Shift+E"
    sheet.close()
