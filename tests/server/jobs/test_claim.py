"""A data folder is the daemon's own, or empty, or refused; nothing in it is lost by asking."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from fresco_server.errors import CannotStart
from fresco_server.jobs.claim import claim
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.store import JobStore

OTHER_USER = 12345


def _everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _make(root: Path) -> DataFolder:
    folders = DataFolder(root)
    folders.make()
    return folders


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder that is there already."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "content",
    [
        "jobs/invoice-2026/total.txt",
        "uploads/holiday.mov",
        "looks/spring.png",
        "jobs/.hidden",
        "film.mov",
        ".git/config",
        "src/main.py",
        "jobs.sqlite3.bak",
    ],
)
def test_a_folder_that_holds_somebodys_work_is_refused_and_left_as_it_is(
    data: Path, content: str
) -> None:
    (data / content).parent.mkdir(parents=True, exist_ok=True)
    (data / content).write_text("mine")
    before = _everything(data)

    with pytest.raises(CannotStart, match="choose an empty or new folder by --data") as refusal:
        _make(data)

    assert Path(content).parts[0] in str(refusal.value)
    assert _everything(data) == before


def test_another_programs_database_is_not_taken_for_ours(data: Path) -> None:
    other = sqlite3.connect(data / "jobs.sqlite3")
    other.execute("CREATE TABLE jobs (name TEXT)")
    other.commit()
    other.close()
    before = (data / "jobs.sqlite3").read_bytes()

    with pytest.raises(CannotStart, match="is not a data folder of Fresco's"):
        _make(data)

    assert (data / "jobs.sqlite3").read_bytes() == before


def test_a_folder_in_which_only_clients_have_been_is_taken(data: Path) -> None:
    for name in ("daemon-output.log", "program.json", "token", "daemon.lock", ".token.partial"):
        (data / name).write_text("x")
    for name in ("resolve", "lost+found", "jobs"):
        (data / name).mkdir()

    folders = _make(data)

    assert DataFolder(data).id == ""
    assert folders.id == _make(data).id


def test_a_folder_inside_of_somebodys_project_is_fine_if_it_is_new(data: Path) -> None:
    (data / "film.mov").write_text("mine")

    _make(data / "fresco")

    assert (data / "film.mov").read_text() == "mine"


def test_a_link_to_the_whole_folder_is_followed_once(tmp_path: Path) -> None:
    (tmp_path / "big disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "big disk")

    assert claim(tmp_path / "link") == (tmp_path / "big disk").resolve()


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("dangling", "is a link that leads nowhere and not a folder"),
        ("loop", "loop"),
        ("file", "is a file and not a folder"),
        ("file/below/it", "is a file and not a folder"),
    ],
)
def test_what_is_no_folder_is_refused(tmp_path: Path, place: str, what: str) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()

    with pytest.raises(CannotStart, match=f"{what}.*choose another by --data"):
        claim(tmp_path / place)


@pytest.mark.parametrize("name", ["jobs", "uploads", "looks"])
def test_a_link_in_the_place_of_a_folder_is_refused(data: Path, tmp_path: Path, name: str) -> None:
    _make(data)
    (data / name).rmdir()
    (tmp_path / "users").mkdir()
    (tmp_path / "users" / "film.mov").write_text("mine")
    (data / name).symlink_to(tmp_path / "users")

    with pytest.raises(CannotStart, match=f"{name} is a link and not a folder of the daemon's"):
        _make(data)

    assert (tmp_path / "users" / "film.mov").exists()


@pytest.mark.parametrize(
    "name",
    [
        "daemon.lock",
        "token",
        "daemon.json",
        "program.json",
        "daemon.log",
        "jobs.sqlite3",
        ".fresco",
    ],
)
@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_only_looks_like_a_file_of_the_daemons_is_refused(
    data: Path, tmp_path: Path, name: str, kind: str
) -> None:
    if kind == "link":
        (data / name).symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        (data / name).mkdir()
    else:
        os.mkfifo(data / name)

    with pytest.raises(CannotStart, match="not a file of the daemon's; move it away"):
        _make(data)

    assert not (tmp_path / "elsewhere").exists()


def test_the_data_folder_of_an_earlier_version_is_taken_over_with_its_jobs(data: Path) -> None:
    store = JobStore(data / "jobs.sqlite3")
    store.add("a", JobOrder(clip="/c", settings={}), is_urgent=False, most_queued=9)
    store.close()
    folders = DataFolder(data)
    folders.job("a").mkdir(parents=True)
    (folders.job("a") / "plan.json").write_text("{}")
    (folders.jobs / "not a job").mkdir()

    folders.make()
    prepared = folders.prepare_job("a")
    folders.settle()

    assert (prepared / "plan.json").exists()
    folders.sweep({"a"})
    assert {path.name for path in folders.jobs.iterdir()} == {prepared.name, "not a job"}
    assert _make(data).id == folders.id


def test_without_the_folders_own_mark_its_jobs_tell_whose_it_is(data: Path) -> None:
    folders = _make(data)
    JobStore(folders.database).close()
    folders.prepare_job("a")
    (data / ".fresco").unlink()

    assert _make(data).id == folders.id


def test_what_others_may_look_into_becomes_private(data: Path) -> None:
    data.chmod(0o777)

    _make(data)

    assert data.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", [".", "jobs", "token", "jobs.sqlite3", "program.json"])
def test_what_belongs_to_another_user_is_refused(data: Path, name: str) -> None:
    JobStore(_make(data).database).close()
    for file in ("token", "program.json"):
        (data / file).write_text("x")
    os.chown(data / name, OTHER_USER, OTHER_USER)

    with pytest.raises(CannotStart, match=f"belongs to another user \\(number {OTHER_USER}\\)"):
        _make(data)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_a_mark_that_another_user_planted_counts_for_nothing(data: Path) -> None:
    folders = _make(data)
    job = folders.prepare_job("a")
    for path in (job, job / ".fresco"):
        os.chown(path, OTHER_USER, OTHER_USER)

    folders.sweep(set())

    assert job.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions")
@pytest.mark.parametrize(("mode", "is_taken"), [(0o777, False), (0o755, True)], ids=oct)
def test_a_disk_without_permissions_is_told(
    mode: int,
    is_taken: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As exFAT: every change is taken, and changes nothing."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    monkeypatch.setattr(Path, "chmod", lambda *_: None)

    if is_taken:
        assert claim(data) == data
        assert "its disk lets nobody change that" in caplog.text
    else:
        with pytest.raises(CannotStart, match=r"keeps no permissions.*another disk by --data"):
            claim(data)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions")
def test_a_disk_that_is_read_only_is_not_said_to_keep_no_permissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "chmod", refuse)

    with pytest.raises(CannotStart, match="its disk is read-only; choose a folder on another"):
        claim(data)
