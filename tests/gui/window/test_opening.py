"""What turns out to be no clip takes nothing away, and a good one takes its message away."""

from __future__ import annotations

from pathlib import Path

from tests.gui.conftest import App


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
