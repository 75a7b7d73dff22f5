"""Project files that others write as well: what they wrote is never written over."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from fresco_client import FileFailed
from fresco_gui.project import Project, ProjectJob, load, save
from fresco_gui.project.files import ProjectFiles

PROJECT = Project(clip="/clips/a.mp4", values={"prompt": "ink"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "projects").mkdir()
    return tmp_path / "projects" / "a.fresco"


def files_of(path: Path) -> ProjectFiles:
    """What a window of the same user knows."""
    return ProjectFiles(path.parents[1] / "open")


def test_a_file_is_ours_as_long_as_it_is_as_we_have_left_it(path: Path) -> None:
    files = files_of(path)
    assert files.hold(PROJECT, path)
    assert files.is_ours(path)

    files.save(PROJECT, path)
    path.touch()
    assert files.is_ours(path)
    path.unlink()
    assert files.is_ours(path)

    save(replace(PROJECT, model="other"), path)
    assert not files.is_ours(path)
    files.load(path)
    assert files.is_ours(path)


def test_a_file_that_came_where_there_was_none_is_not_ours(path: Path) -> None:
    files = files_of(path)
    files.hold(PROJECT, path)
    save(replace(PROJECT, model="other"), path)

    assert not files.is_ours(path)
    files.agree(path)
    assert files.is_ours(path)


def test_a_project_is_held_by_one_window_until_that_lets_go(path: Path) -> None:
    first, second = files_of(path), files_of(path)
    first.save(PROJECT, path)
    second.load(path)
    link = path.with_name("link.fresco")
    link.symlink_to(path)

    assert first.hold(PROJECT, path)
    assert not second.hold(PROJECT, path)
    assert not second.hold(PROJECT, link)
    assert not second.is_ours(path)
    assert second.hold(PROJECT, path.with_name("b.fresco"))
    first.hold(PROJECT, path.with_name("c.fresco"))

    assert second.is_ours(path)
    second.let_go()
    first.let_go()
    assert list((path.parents[1] / "open").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_where_nothing_can_be_locked_the_state_tells(path: Path) -> None:
    (path.parents[1] / "open").write_text("a file where the folder should be")
    first, second = files_of(path), files_of(path)
    first.save(PROJECT, path)
    second.load(path)

    assert first.hold(PROJECT, path)
    assert second.hold(PROJECT, path)
    second.save(replace(PROJECT, model="other"), path)

    assert not first.is_ours(path)
    assert second.is_ours(path)


def test_what_nobody_has_chosen_is_nothing_of_ones_own(path: Path) -> None:
    files = files_of(path)
    made = ProjectJob(job_id="1", title="a")
    files.save(replace(PROJECT, made=(made,)), path)
    fetched = replace(made, result="/r/a.mp4", keyframes=(0, 4), shots=((0, 9),))

    seen = replace(PROJECT, made=(fetched,), frame=7, view="wipe", clip_fingerprint="1:a")
    assert not files.has_own(seen, path)
    assert files.has_own(replace(seen, made=()), path)
    assert files.has_own(replace(seen, values={"prompt": "oil"}), path)
    assert files.has_own(replace(seen, range_in=2), path)
    assert files.has_own(PROJECT, path.with_name("never seen.fresco"))


def test_copies_take_names_that_are_free(path: Path) -> None:
    files = files_of(path)
    save(PROJECT, path)
    (path.parent / "a (2).fresco").write_text("somebody's")

    first = files.save_copy(replace(PROJECT, model="b"), path)
    second = files.save_copy(replace(PROJECT, model="c"), first)

    assert [first.name, second.name] == ["a (3).fresco", "a (4).fresco"]
    assert [load(one).model for one in (path, first, second)] == ["", "b", "c"]
    assert (path.parent / "a (2).fresco").read_text() == "somebody's"


def test_a_copy_that_fails_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(PROJECT, path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileFailed, match="No space"):
        files_of(path).save_copy(PROJECT, path)

    assert list(path.parent.iterdir()) == [path]


def test_a_link_to_a_project_stays_one(path: Path) -> None:
    save(PROJECT, path)
    link = path.with_name("link.fresco")
    link.symlink_to(path)

    save(replace(PROJECT, model="other"), link)

    assert link.is_symlink()
    assert load(path).model == "other"
