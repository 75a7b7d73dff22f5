"""Tokens are taken from files that nobody else has a hand in."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from fresco_server.errors import CannotStart
from fresco_server.private import read_token

TOKEN = "0123456789abcdefghij"
OTHER_USER = 12345

needs_root = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="only root gives files away"
)
needs_posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a token."""
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


def test_a_token_is_read_without_the_end_of_its_line(file: Path) -> None:
    assert read_token(file) == TOKEN


@needs_posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o666, 0o604, 0o777])
def test_a_token_that_others_can_read_becomes_private(file: Path, mode: int) -> None:
    file.chmod(mode)

    assert read_token(file) == TOKEN
    assert file.stat().st_mode & 0o077 == 0


@needs_root
def test_another_users_token_is_refused(file: Path) -> None:
    os.chown(file, OTHER_USER, OTHER_USER)

    with pytest.raises(CannotStart, match="belongs to another user"):
        read_token(file)


@needs_posix
@pytest.mark.parametrize("content", ["", "short", "no blanks or Ünicode here", "\0" * 20])
def test_what_is_no_token_is_refused(file: Path, content: str) -> None:
    file.write_text(content)

    with pytest.raises(CannotStart, match=r"a token has 16|cannot be read"):
        read_token(file)


@needs_posix
@pytest.mark.parametrize("kind", ["folder", "device", "nothing", "pipe without a writer"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero") if kind == "device" else tmp_path / "x"
    if kind == "folder":
        path.mkdir()
    if kind == "pipe without a writer":
        os.mkfifo(path)

    with pytest.raises(CannotStart, match=r"check --token-file|a token has 16") as caught:
        read_token(path)

    assert str(caught.value).startswith(str(path))
    assert "Errno" not in str(caught.value)
    assert kind != "folder" or "(it is a folder)" in str(caught.value)


@needs_posix
def test_a_token_may_come_through_a_pipe(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    writer = threading.Thread(target=lambda: (os.write(writing, TOKEN.encode()), os.close(writing)))
    writer.start()

    token = read_token(Path(f"/dev/fd/{reading}"))

    writer.join()
    os.close(reading)
    assert token == TOKEN


def test_an_endless_token_is_not_read_whole(file: Path) -> None:
    file.write_bytes(b"x" * (64 << 20))

    assert len(read_token(file)) <= 4096
