"""Names while files are being written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from fresco_media.disk import partial_name, short_stem, write_whole

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
