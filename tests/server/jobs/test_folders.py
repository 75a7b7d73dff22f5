"""The data folder: what lies where, and what is swept up."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fresco_engine.errors import DiskFull, OutputNotWritable
from fresco_server.errors import NotPossible
from fresco_server.jobs import marker_files
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.marker_files import FolderMarker, write_marker


@pytest.fixture(params=[True, False], ids=["by descriptors", "by paths"])
def folders(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> DataFolder:
    """A data folder on a system that can hold folders open while it works in them, or cannot."""
    monkeypatch.setattr(
        marker_files, "HAS_DESCRIPTORS", request.param and marker_files.HAS_DESCRIPTORS
    )
    folders = DataFolder(tmp_path / "data")
    folders.make()
    return folders


def test_ids_that_differ_in_case_only_have_folders_of_their_own(folders: DataFolder) -> None:
    names = {folders.job(job_id).name.lower() for job_id in ("Job", "job", "JOB")}

    assert len(names) == 3


def test_only_this_user_may_look_into_the_folders(folders: DataFolder) -> None:
    assert folders.root.stat().st_mode & 0o077 == 0


def test_what_belongs_to_no_job_is_swept_up(folders: DataFolder) -> None:
    kept, orphan = folders.prepare_job("kept"), folders.prepare_job("orphan")
    for folder in (kept, orphan):
        (folder / "frames").mkdir()
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
    (folders.prepare_job("a") / "frames" / "inner").mkdir(parents=True)

    folders.remove_job("a")
    folders.remove_job("never there")

    assert list(folders.jobs.iterdir()) == []


def _everything(folder: Path) -> dict[str, bytes]:
    """The names and contents of all files below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _users_folder(folder: Path) -> Path:
    (folder / "reel 1").mkdir(parents=True)
    (folder / "reel 1" / "shot.mov").write_bytes(b"irreplaceable")
    (folder / ".hidden.partial").write_bytes(b"mine too")
    return folder


def test_what_a_user_put_among_the_jobs_is_never_swept_up(folders: DataFolder) -> None:
    _users_folder(folders.jobs / "my project")
    (folders.jobs / "notes.txt").write_text("call back")
    (folders.looks / "favourite.png").write_bytes(b"png")
    before = _everything(folders.root)

    folders.sweep(set())

    assert _everything(folders.root) == before


def test_a_copy_of_a_jobs_folder_is_the_users(folders: DataFolder) -> None:
    made = folders.prepare_job("a")
    (made / "result.mp4").write_bytes(b"film")
    copy = folders.jobs / "backup of a"
    shutil.copytree(made, copy)

    folders.sweep(set())

    assert not made.exists()
    assert (copy / "result.mp4").exists()


def test_another_data_folders_jobs_are_not_ours_to_remove(folders: DataFolder) -> None:
    foreign = folders.job("a")
    foreign.mkdir()
    write_marker(foreign, FolderMarker("0123456789abcdef", foreign.name))

    folders.sweep(set())
    folders.remove_job("a")

    assert foreign.exists()


@pytest.mark.parametrize("mark", [b"", b"{}", b"[1]", b"\xff", b'{"data_id": 3, "name": "x"}'])
def test_a_folder_with_a_damaged_mark_is_left_alone(folders: DataFolder, mark: bytes) -> None:
    folder = folders.prepare_job("a")
    (folder / ".fresco").write_bytes(mark)

    folders.sweep(set())
    folders.remove_job("a")

    assert folder.exists()


def test_a_link_in_the_place_of_a_job_is_not_followed(folders: DataFolder, tmp_path: Path) -> None:
    users = _users_folder(tmp_path / "users")
    before = _everything(users)
    folders.job("a").symlink_to(users)

    folders.sweep(set())
    folders.remove_unfinished("a")
    folders.remove_job("a")

    assert _everything(users) == before
    with pytest.raises(NotPossible, match="is not the folder that was made for job 'a'"):
        folders.prepare_job("a")


def test_a_link_to_a_marked_folder_is_not_followed_either(
    folders: DataFolder, tmp_path: Path
) -> None:
    users = _users_folder(tmp_path / folders.job("a").name)
    write_marker(users, FolderMarker(folders.id, users.name))
    folders.job("a").symlink_to(users)

    folders.sweep(set())
    folders.remove_job("a")

    assert (users / "reel 1" / "shot.mov").exists()


def test_links_inside_a_job_are_removed_and_what_they_lead_to_stays(
    folders: DataFolder, tmp_path: Path
) -> None:
    users = _users_folder(tmp_path / "users")
    before = _everything(users)
    job = folders.prepare_job("a")
    (job / "frames").symlink_to(users)
    (job / "result.mp4").symlink_to(users / "reel 1" / "shot.mov")

    folders.remove_unfinished("a")
    folders.remove_job("a")

    assert _everything(users) == before
    assert not job.exists()


def test_only_what_is_unfinished_is_removed_from_a_job_that_stopped(folders: DataFolder) -> None:
    job = folders.prepare_job("a")
    (job / "frames").mkdir()
    (job / ".result.partial-3").mkdir()
    for name in ("frames/1.png", "frames/.2.png.partial", ".result.partial-3/x", "plan.json"):
        (job / name).write_bytes(b"x")

    folders.remove_unfinished("a")

    assert {name for name in _everything(job) if name != ".fresco"} == {"frames/1.png", "plan.json"}


def test_a_removal_that_was_broken_off_is_finished_at_the_next_start(folders: DataFolder) -> None:
    job = folders.prepare_job("a")
    (job / "frames").mkdir()
    job.rename(folders.jobs / ".deleted-0123")

    folders.sweep(set())

    assert list(folders.jobs.iterdir()) == []


def test_a_folder_that_took_a_jobs_place_is_not_worked_in(folders: DataFolder) -> None:
    job = folders.prepare_job("a")
    job.rename(job.with_name("moved away"))
    _users_folder(job)

    with pytest.raises(NotPossible, match="move away what is there now"):
        folders.prepare_job("a")


def _fill_in_vain(place: Path) -> None:
    place.mkdir()
    raise DiskFull(place, 0)


def test_what_a_job_begins_with_is_there_whole_or_not_at_all(folders: DataFolder) -> None:
    with pytest.raises(DiskFull), folders.filling("a") as place:
        _fill_in_vain(place)

    assert list(folders.jobs.iterdir()) == []
    with folders.filling("a") as place:
        place.mkdir()
        (place / "plan.json").write_bytes(b"{}")
    assert (folders.job("a") / "plan.json").exists()
    assert folders.is_of_job(folders.job("a"))


@pytest.mark.parametrize("folders", [True], indirect=True, ids=["by descriptors"])
def test_what_is_mounted_inside_a_job_is_left_alone(folders: DataFolder, tmp_path: Path) -> None:
    users = _users_folder(tmp_path / "users")
    before = _everything(users)
    place = folders.prepare_job("a") / "frames"
    place.mkdir()
    if not _is_mounted(users, place):
        pytest.skip("folders cannot be mounted here")

    folders.remove_job("a")

    (removed,) = folders.jobs.iterdir()
    subprocess.run(["umount", str(removed / "frames")], check=True)
    assert _everything(users) == before
    folders.sweep(set())
    assert list(folders.jobs.iterdir()) == []


def _is_mounted(folder: Path, place: Path) -> bool:
    try:
        command = ["mount", "--bind", str(folder), str(place)]
        ended = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return False
    return ended.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_a_link_in_the_place_of_all_jobs_is_not_followed(
    folders: DataFolder, tmp_path: Path
) -> None:
    (tmp_path / "users").mkdir()
    folders.jobs.rename(tmp_path / "elsewhere")
    folders.jobs.symlink_to(tmp_path / "users")

    with pytest.raises(OutputNotWritable, match="it is a link and not the daemon's own folder"):
        folders.prepare_job("job")
    with pytest.raises(OutputNotWritable), folders.filling("job"):
        pytest.fail("there is a place for it")

    assert list((tmp_path / "users").iterdir()) == []
    assert folders.jobs_bytes() == 0


def test_all_jobs_moved_away_are_forgotten_and_others_have_a_place(
    folders: DataFolder, tmp_path: Path
) -> None:
    folders.jobs.rename(tmp_path / "elsewhere")

    with folders.filling("first") as place:
        place.mkdir()

    assert folders.is_of_job(folders.job("first"))
    assert folders.is_of_job(folders.prepare_job("second"))
