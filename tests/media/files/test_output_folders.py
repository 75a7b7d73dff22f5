"""Folders that a run fills are tried before the work, and belong to one run at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fresco_media.errors import OutputNotWritable
from fresco_media.files.output_folders import alone_with, prepare_folders


def test_a_folder_is_made_with_those_above_it_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"

    prepare_folders(folder, None, folder)

    assert list(folder.iterdir()) == []


def test_a_file_in_its_place_or_above_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")

    with pytest.raises(OutputNotWritable, match="this is a file; name a folder"):
        prepare_folders(file)
    with pytest.raises(OutputNotWritable, match="a folder above it is a file"):
        prepare_folders(file / "folder")


@pytest.mark.skipif(os.name == "nt", reason="long names are legal there")
def test_a_folder_without_room_for_names_in_it_is_told(tmp_path: Path) -> None:
    folder = tmp_path
    longest = 4090
    while len(str(folder)) < longest - 250:
        folder /= 200 * "x"
    folder /= (longest - len(str(folder)) - 1) * "y"

    with pytest.raises(OutputNotWritable, match="too long; choose a shorter one"):
        prepare_folders(folder)


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be locked there")
def test_two_runs_never_write_into_one_folder(tmp_path: Path) -> None:
    link = tmp_path / "link"
    (tmp_path / "maps").mkdir()
    link.symlink_to("maps")

    with (
        alone_with(tmp_path / "maps", link),
        pytest.raises(OutputNotWritable, match="another run writes into this folder now"),
    ):
        prepare_folders(link)

    prepare_folders(link)
