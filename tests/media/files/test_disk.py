"""Names while files are being written."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from fresco_media.files.disk import output_fault, partial_name, short_stem, write_whole

NOT_UTF8 = os.fsdecode(b"\xff\xe9") if sys.platform == "linux" else "\u00ff\u00e9"


@pytest.mark.parametrize(
    "name",
    [
        "x" * 251 + ".mp4",
        "\U0001f3a8" * 62 + ".mp4",
        "a." + "y" * 253,
        "n\nl.png",
        NOT_UTF8 + ".png",
    ],
    ids=["long", "emoji", "long-ending", "newline", "not-utf8"],
)
def test_every_legal_name_can_be_written_whole(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, b"first")
    write_whole(tmp_path / name, b"second")

    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(name, b"second")]


def test_files_written_at_once_have_names_of_their_own(tmp_path: Path) -> None:
    names = {partial_name(tmp_path / name) for name in ("a.mp4", "b.mp4", NOT_UTF8)}
    tokens = {partial_name(tmp_path / "a.mp4", token) for token in ("1", "2")}

    assert len(names | tokens) == 5
    assert all(len(path.name) < 40 and path.parent == tmp_path for path in names | tokens)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("clip.mp4", "clip"),
        ("100%.mp4", "100_"),
        ("x" * 251 + ".mp4", "x" * 200),
        ("\U0001f3a8" * 62 + ".mp4", "\U0001f3a8" * 50),
        (NOT_UTF8 + "a.mp4", "??a" if sys.platform == "linux" else NOT_UTF8 + "a"),
    ],
)
def test_a_stem_leaves_room_for_what_follows_it(name: str, stem: str) -> None:
    assert short_stem(Path(name)) == stem


def test_a_full_disk_tells_of_the_disk_where_the_file_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mount").mkdir()

    def usage(place: Path) -> SimpleNamespace:
        os.stat(place)
        return SimpleNamespace(free=7 if place.name == "mount" else 10**12)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    full = OSError(errno.ENOSPC, "No space left on device")

    for place in ("mount", "mount/file", "mount/not/yet/there"):
        assert "(0 MB free)" in str(output_fault(tmp_path / place, full))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
@pytest.mark.parametrize("way", ["link", "pipe"])
def test_what_is_in_the_place_of_either_name_is_replaced(tmp_path: Path, way: str) -> None:
    users, path = tmp_path / "users", tmp_path / "file"
    users.write_bytes(b"irreplaceable")
    for name in (path, partial_name(path)):
        if way == "pipe":
            os.mkfifo(name)
        else:
            name.symlink_to(users)

    write_whole(path, iter([b"a", b"b"]), is_private=True, is_durable=True)

    assert users.read_bytes() == b"irreplaceable"
    assert path.read_bytes() == b"ab"
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o077 == 0


def test_a_limit_of_how_large_files_may_grow_is_said_to_be_one(tmp_path: Path) -> None:
    fault = output_fault(tmp_path / "out.mkv", OSError(errno.EFBIG, "File too large"))

    assert "files may not grow so large here; raise that limit" in str(fault)
