"""What turns out to be no clip takes nothing away, and a good one takes its message away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.conftest import scene, write_clip
from tests.gui.conftest import App, choice_of
from tests.integration.daemons import DaemonProcess


def test_a_broken_file_leaves_the_clip_the_recent_ones_and_the_viewer_as_they_are(
    done: App, clip: Path, tmp_path: Path
) -> None:
    window, store = done.window, done.controller.project_store
    recent = done.controller.services.preferences.recent
    left: list[str] = []
    done.controller.opener.leaving.connect(lambda: left.append("left"))
    result = window.display.result
    broken = []
    for number in range(12):
        broken.append(tmp_path / f"notes-{number}.mp4")
        broken[-1].write_text("no clip", encoding="utf-8")

    for path in broken:
        window.open_actions.open_first([path])
        done.wait(
            "it to be told",
            lambda path=path: (p := window.views.problems.problem) and path.name in p.message,
        )

    assert left == []
    assert window.display.result is result
    assert store.project.clip == str(clip)
    assert done.controller.services.preferences.recent == recent == [clip]


def test_a_good_clip_takes_away_what_was_said_of_a_broken_one(
    done: App, clip: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "notes.mp4"
    broken.write_text("no clip", encoding="utf-8")
    done.window.open_actions.open_first([broken])
    done.wait("it to be told", lambda: done.window.views.problems.problem)

    done.window.open_actions.open_first([clip])

    assert done.window.views.problems.problem is None


def test_what_was_just_chosen_is_there_when_the_open_clip_is_opened_again(ready: App) -> None:
    opener, store = ready.controller.opener, ready.controller.project_store
    ready.write_prompt("a watercolour")

    opener.open_known(opener.clip.path)  # type: ignore[union-attr]
    assert store.project.values["prompt"] == "a watercolour"

    ready.write_prompt("neon")
    assert store.path is not None
    opener.open_project(store.path)
    assert store.project.values["prompt"] == "neon"


@pytest.mark.parametrize("is_playing", [False, True])
def test_a_clip_is_opened_where_its_user_was_in_it_and_not_where_he_was_in_another(
    ready: App, clip: Path, tmp_path: Path, *, is_playing: bool
) -> None:
    viewer, store = ready.window.views.viewer, ready.controller.project_store
    other = write_clip(tmp_path / "other.mp4", scene(20))
    viewer.set_frame(30)
    if is_playing:
        viewer.play()
        ready.wait("it to move", lambda: viewer.frame != 30)

    ready.open(other)
    ready.wait("its first frame", lambda: (viewer.frame, store.project.frame) == (0, 0))
    assert not viewer.is_playing

    viewer.set_frame(7)
    left_at = 30
    ready.open(clip)
    if is_playing:
        ready.wait("the frame", lambda: viewer.frame == store.project.frame > left_at)
    else:
        ready.wait("the frame", lambda: viewer.frame == store.project.frame == left_at)
    ready.open(other)
    ready.wait("its frame", lambda: viewer.frame == store.project.frame == 7)


def test_the_frame_is_there_again_in_another_window(
    make_app: Callable[[], App], start_daemon: Callable[..., DaemonProcess], clip: Path
) -> None:
    app, daemon = make_app(), start_daemon()
    app.connect(daemon)
    app.open(clip)
    app.window.views.viewer.set_frame(23)
    app.window.close()

    again = make_app()
    again.window.start(None, choice_of(daemon))
    again.wait("the frame", lambda: again.window.views.viewer.frame == 23)
