"""The settings dialog: what it refuses, what it keeps, and what then holds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fresco_gui.preferences.dialog import SettingsDialog
from fresco_gui.preferences.stored import DaemonChoice, Preferences
from PyQt6.QtWidgets import QDialogButtonBox, QPushButton

from tests.gui.conftest import App, answer, stop
from tests.integration.daemons import DaemonProcess

StartDaemon = Callable[..., DaemonProcess]


def press_ok(dialog: SettingsDialog) -> None:
    """As its user would."""
    box = dialog.findChild(QDialogButtonBox)
    assert box is not None
    button = box.button(QDialogButtonBox.StandardButton.Ok)
    assert isinstance(button, QPushButton)
    button.click()


def change(app: App, act: Callable[[SettingsDialog], object]) -> None:
    """Open the dialog by its menu entry, change something, press OK."""

    def fill(dialog: SettingsDialog) -> None:
        act(dialog)
        press_ok(dialog)

    answer(SettingsDialog, fill)
    app.window.commands.settings.trigger()


def process_of(app: App) -> int:
    """The daemon that the window sees."""
    view = app.controller.daemon.view
    return view.server.process_id if view else 0


@pytest.fixture
def dialog(app: App) -> SettingsDialog:
    """Of a user who has chosen nothing yet."""
    services = app.controller.services
    return SettingsDialog(services.preferences, services.folders, app.window)


@pytest.mark.parametrize(
    ("address", "token", "sentence"),
    [
        ("studio", "", "a colon and a number"),
        ("studio:0", "", "a colon and a number"),
        ("studio:seven", "", "a colon and a number"),
        ("studio:7400", "", "asks for its key"),
        ("studio:7400", "/nowhere/token", "There is no file /nowhere/token"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence_and_nothing_is_kept(
    dialog: SettingsDialog, preferences: Preferences, address: str, token: str, sentence: str
) -> None:
    dialog.address.setText(address)
    dialog.token.edit.setText(token)

    press_ok(dialog)

    assert sentence in dialog.note.text()
    assert not dialog.result()
    assert preferences.daemon.address == ""


def test_all_that_is_chosen_is_kept_for_the_next_start(
    dialog: SettingsDialog, preferences: Preferences, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    dialog.address.setText("studio:7400")
    dialog.token.edit.setText(str(token))
    dialog.results.edit.setText(str(tmp_path / "elsewhere"))
    dialog.is_lossless.setChecked(False)
    dialog.restores.setChecked(False)
    dialog.is_started.setChecked(False)
    dialog.preview.setCurrentIndex(dialog.preview.findData(640))

    press_ok(dialog)
    assert dialog.result()
    assert dialog.has_other_daemon
    dialog.keep()

    again = Preferences(preferences.folder)
    assert again.daemon.address == "studio:7400"
    assert again.daemon.token_file == token
    assert not again.daemon.is_started
    assert again.results == tmp_path / "elsewhere"
    assert not again.is_lossless
    assert not again.restores_session
    assert again.preview_side == 640


def test_another_daemon_is_used_from_now_on(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    first, second = start_daemon(), start_daemon()
    app.connect(first)
    app.open(clip)
    app.write_prompt("ink")

    change(app, lambda dialog: dialog.data.edit.setText(str(second.data)))

    app.wait(
        "the other daemon",
        lambda: (
            app.controller.daemon.state.is_connected
            and app.controller.daemon.view is not None
            and app.controller.daemon.view.server.process_id == second.pid
        ),
    )
    app.restyle()
    assert app.wait_for_result().exists()
    with second.session() as session:
        assert [job.id for job in session.jobs()] == [app.controller.shown_job.job_id]
    with first.session() as session:
        assert list(session.jobs()) == []


def test_another_daemon_is_started_by_the_program_beside_the_window(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    command = (sys.executable, "-m", "fresco_cli")
    app.window.start(None, DaemonChoice(data=tmp_path / "one" / "data", command=command))
    first = app.wait("the daemon", lambda: app.controller.daemon.view).server.process_id
    try:
        change(app, lambda dialog: dialog.data.edit.setText(str(tmp_path / "two" / "data")))
        second = app.wait("another daemon", lambda: {process_of(app)} - {first}).pop()
        app.window.close()
        stop(second)
    finally:
        stop(first)


def test_results_go_where_they_are_wanted_and_are_made_as_they_are_wanted(
    ready: App, tmp_path: Path
) -> None:
    def act(dialog: SettingsDialog) -> None:
        dialog.results.edit.setText(str(tmp_path / "wanted here"))
        dialog.is_lossless.setChecked(False)

    change(ready, act)
    ready.restyle()
    job = ready.wait_for_next(1)

    result = Path(ready.controller.project_store.project.made[0].result)
    assert result.parent == tmp_path / "wanted here"
    assert job.output.kind == "h264"
