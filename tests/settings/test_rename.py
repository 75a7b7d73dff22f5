"""A file gets a name that nobody has, or none."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from fresco_settings.rename import rename_new, why_kept


@pytest.fixture(params=["links", "no links"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, also of a file system that knows no second names."""

    def refuse(*names: Any, **options: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if request.param == "no links":
        monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "part").write_bytes(b"made")
    return tmp_path


def test_a_file_gets_its_name(folder: Path) -> None:
    rename_new(folder / "part", folder / "result")

    assert [path.name for path in folder.iterdir()] == ["result"]
    assert (folder / "result").read_bytes() == b"made"


def test_what_has_the_name_is_never_replaced(folder: Path) -> None:
    (folder / "file").write_bytes(b"precious")
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("nowhere")

    for name in ("file", "folder", "link"):
        with pytest.raises(FileExistsError):
            rename_new(folder / "part", folder / name)

    assert (folder / "file").read_bytes() == b"precious"
    assert (folder / "link").is_symlink()
    assert (folder / "part").read_bytes() == b"made"
    assert not (folder / "nowhere").exists()


def test_a_name_that_cannot_be_given_leaves_nothing_behind(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rename_new(folder / "gone", folder / "result")

    assert [path.name for path in folder.iterdir()] == ["part"]


posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="of POSIX systems")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)


@posix
def test_what_is_no_file_keeps_its_name(tmp_path: Path) -> None:
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    file.write_bytes(b"of an earlier run")
    file.chmod(0o400)

    for path in (pipe, link, Path("/dev/null"), Path("/dev/stdout")):
        assert "a device, a pipe" in why_kept(path) or not path.exists()
    for path in (file, tmp_path, tmp_path / "nothing", tmp_path / "no folder" / "nothing"):
        assert why_kept(path) == ""


@as_root
@pytest.mark.parametrize(("mode", "is_kept"), [(0o1777, True), (0o777, False)], ids=oct)
def test_what_is_another_users_in_a_folder_for_all_keeps_its_name(
    mode: int, is_kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(mode)
    (shared / "file").write_bytes(b"root's")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    assert bool(why_kept(shared / "file")) == is_kept
