"""The data folder: what lies where, and what is swept up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fresco_server.jobs.folders import DataFolder


@pytest.fixture
def folders(tmp_path: Path) -> DataFolder:
    """A data folder."""
    folders = DataFolder(tmp_path / "data")
    folders.make()
    return folders


def test_ids_that_differ_in_case_only_have_folders_of_their_own(folders: DataFolder) -> None:
    names = {folders.job(job_id).name.lower() for job_id in ("Job", "job", "JOB")}

    assert len(names) == 3


def test_only_this_user_may_look_into_the_folders(folders: DataFolder) -> None:
    assert folders.root.stat().st_mode & 0o077 == 0


def test_what_belongs_to_no_job_is_swept_up(folders: DataFolder) -> None:
    kept, orphan = folders.job("kept"), folders.job("orphan")
    for folder in (kept, orphan):
        (folder / "frames").mkdir(parents=True)
    folders.look("left").write_bytes(b"x")

    folders.sweep({"kept"})

    assert list(folders.jobs.iterdir()) == [kept]
    assert list(folders.looks.iterdir()) == []


def test_a_file_with_two_names_takes_room_once(folders: DataFolder) -> None:
    for job_id in ("a", "b"):
        folders.job(job_id).mkdir()
    (folders.job("a") / "frame").write_bytes(bytes(1000))
    os.link(folders.job("a") / "frame", folders.job("b") / "frame")

    assert folders.job_bytes("a") == folders.job_bytes("b") == 1000
    assert folders.all_bytes() == 1000


def test_a_removed_job_leaves_nothing(folders: DataFolder) -> None:
    folders.job("a").mkdir()

    folders.remove_job("a")
    folders.remove_job("never there")

    assert list(folders.jobs.iterdir()) == []
