"""Two windows on one project, and projects that are changed from outside: both states are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fresco_gui.project import Project, load, save
from fresco_gui.project.store import ProjectStore
from PyQt6.QtWidgets import QMessageBox

from tests.gui.conftest import App, answer, choice_of
from tests.integration.daemons import DaemonProcess


def prompt_in(path: Path) -> str:
    return load(path).values.get("prompt", "")


def store_of(app: App) -> ProjectStore:
    return app.controller.project_store


def type_prompt(app: App, text: str) -> None:
    """As a user does, who then waits until nothing is unsaved."""
    app.write_prompt(text)
    app.wait("it to be saved", lambda: not app.window.isWindowModified())


def told(app: App, reason: str) -> list[str]:
    return [one.message for one in app.problems if one.reason == reason]


@pytest.fixture
def project(ready: App, tmp_path: Path) -> Path:
    """A project with a place of its own, open in the window `ready`."""
    path = tmp_path / "mine" / "clip.fresco"
    path.parent.mkdir()
    store_of(ready).save_as(path)
    return path


@pytest.fixture
def second(
    ready: App, project: Path, make_app: Callable[[], App], daemons: list[DaemonProcess]
) -> App:
    """Another window with the same project."""
    return opened(make_app(), project, daemons[0])


def opened(app: App, path: Path, daemon: DaemonProcess) -> App:
    """A window that was started with a clip or a project."""
    app.window.start(path, choice_of(daemon))
    app.wait("the clip", app.source_info)
    app.wait("the daemon", lambda: app.controller.opener.clip)
    return app


def test_a_second_window_takes_nothing_from_the_first(
    ready: App, second: App, project: Path
) -> None:
    assert "Another window has clip.fresco open" in told(second, "PROJECT_SHARED")[0]
    assert told(ready, "PROJECT_SHARED") == []
    type_prompt(ready, "first")
    ready.restyle()

    type_prompt(second, "second")
    type_prompt(second, "second words more")
    type_prompt(ready, "first again")

    copy = project.with_name("clip (2).fresco")
    assert (prompt_in(project), len(load(project).made)) == ("first again", 1)
    assert (prompt_in(copy), len(load(copy).made)) == ("second words more", 0)
    assert store_of(second).path == copy
    (sentence,) = told(second, "PROJECT_CHANGED")
    assert "clip (2).fresco" in sentence
    assert told(ready, "PROJECT_CHANGED") == []
    assert copy in second.controller.services.preferences.recent


def test_the_other_state_is_opened_by_the_button(ready: App, second: App, project: Path) -> None:
    type_prompt(ready, "first")
    type_prompt(second, "second")
    ready.window.close()

    second.window.views.problems.act.click()

    assert store_of(second).path == project
    assert store_of(second).project.values["prompt"] == "first"
    type_prompt(second, "third")
    assert prompt_in(project) == "third"
    assert prompt_in(project.with_name("clip (2).fresco")) == "second"


def test_a_second_window_that_only_looks_writes_nothing(
    ready: App, second: App, project: Path
) -> None:
    type_prompt(ready, "first")
    before = project.read_bytes()

    second.window.views.viewer.set_frame(20)
    second.window.close()

    assert project.read_bytes() == before
    assert list(project.parent.iterdir()) == [project]


def test_the_second_window_goes_on_where_the_first_was_closed(
    ready: App, second: App, project: Path
) -> None:
    ready.window.close()

    type_prompt(second, "second")

    assert prompt_in(project) == "second"
    assert list(project.parent.iterdir()) == [project]


def changed_outside(path: Path, **fields: Any) -> None:
    """As a copy that is brought back, or a program that keeps folders in step, does."""
    save(replace(load(path), **fields), path)


def test_a_project_that_was_changed_outside_is_not_written_over(ready: App, project: Path) -> None:
    changed_outside(project, model="", values={"prompt": "outside"})

    type_prompt(ready, "inside")

    copy = project.with_name("clip (2).fresco")
    assert (prompt_in(project), prompt_in(copy)) == ("outside", "inside")
    assert "clip (2).fresco" in told(ready, "PROJECT_CHANGED")[0]
    ready.press("Ctrl+S")
    assert store_of(ready).path == copy


def test_a_change_from_outside_is_told_where_nothing_was_changed_here(
    ready: App, project: Path
) -> None:
    changed_outside(project, values={"prompt": "outside"})

    ready.press("Ctrl+S")
    ready.press("Ctrl+S")

    assert len(told(ready, "PROJECT_CHANGED")) == 1
    assert list(project.parent.iterdir()) == [project]
    ready.window.views.problems.act.click()
    assert store_of(ready).project.values["prompt"] == "outside"


def test_a_window_that_closes_keeps_its_own_state_beside_the_other(
    ready: App, project: Path
) -> None:
    changed_outside(project, values={"prompt": "outside"})
    ready.write_prompt("inside")
    sentences: list[str] = []

    def read(box: QMessageBox) -> None:
        sentences.append(box.text())
        box.accept()

    answer(QMessageBox, read)
    ready.window.close()

    copy = project.with_name("clip (2).fresco")
    assert (prompt_in(project), prompt_in(copy)) == ("outside", "inside")
    assert "clip (2).fresco" in sentences[0]
    assert ready.controller.services.preferences.last_project == copy


def test_projects_that_are_saved_by_themselves_are_kept_apart_too(
    ready: App, clip: Path, make_app: Callable[[], App], daemons: list[DaemonProcess]
) -> None:
    ready.wait("it to be saved", lambda: not ready.window.isWindowModified())
    second = opened(make_app(), clip, daemons[0])
    assert "Another window has clip.mp4 open" in told(second, "PROJECT_SHARED")[0]

    type_prompt(second, "second")
    type_prompt(ready, "first")

    first_place, second_place = store_of(ready).path, store_of(second).path
    assert first_place is not None
    assert second_place is not None
    assert (prompt_in(first_place), prompt_in(second_place)) == ("first", "second")


def test_saving_under_the_name_of_another_project_replaces_it_as_was_asked(
    ready: App, project: Path
) -> None:
    other = project.with_name("other.fresco")
    save(Project(clip="/elsewhere.mp4"), other)

    store_of(ready).save_as(other)
    type_prompt(ready, "inside")

    assert prompt_in(other) == "inside"
    assert {one.name for one in project.parent.iterdir()} == {"clip.fresco", "other.fresco"}


def test_a_job_that_is_handed_over_while_the_project_gets_another_place_belongs_to_it(
    ready: App, tmp_path: Path
) -> None:
    ready.window.views.inspector.restyle_button.click()
    store_of(ready).save_as(tmp_path / "new place.fresco")

    ready.wait("the job", lambda: store_of(ready).project.made)
