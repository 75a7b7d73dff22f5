"""Small files are whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fresco_client import FileFailed, Presets
from fresco_client.files import make_folder, plain_name, read_object, write_object, write_whole


@pytest.mark.parametrize("content", [b"\x00new", "new é"])
def test_a_file_takes_the_place_of_another_and_leaves_nothing_else(
    tmp_path: Path, content: bytes | str
) -> None:
    path = tmp_path / "folder" / "file"
    write_whole(path, b"old")

    write_whole(path, content, is_synced=True)

    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert list(path.parent.iterdir()) == [path]


def test_what_was_there_stays_where_nothing_can_be_written(tmp_path: Path) -> None:
    in_its_way = tmp_path / "folder"
    write_whole(in_its_way / "kept", b"old")

    with pytest.raises(FileFailed, match="folder"):
        write_whole(in_its_way, b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert (in_its_way / "kept").read_bytes() == b"old"


def test_a_folder_that_a_file_is_in_the_way_of_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(FileFailed, match="file"):
        make_folder(tmp_path / "file" / "folder")


@pytest.mark.parametrize("text", ["{", "[1]", "[" * 100_000, "\xff"])
def test_what_is_no_object_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text, "latin-1")

    with pytest.raises(FileFailed, match=r"odd\.json: This"):
        read_object(path)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A/B: film?", "A_B_ film_"),
        (" shot.", "shot"),
        ("..", "untitled"),
        ("%04d", "_04d"),
        ("a\udcff\n", "a__"),
        ("\U0001f600" * 90, "\U0001f600" * 50),
    ],
)
def test_a_text_becomes_a_name_that_every_file_system_takes(text: str, name: str) -> None:
    assert plain_name(text) == name


def test_an_object_comes_back_as_it_was_also_with_names_that_are_not_utf_8(tmp_path: Path) -> None:
    content = {"clip": "a\udcff é.mp4"}

    write_object(tmp_path / "a.json", content)

    assert read_object(tmp_path / "a.json") == content
    assert read_object(tmp_path / "none.json") == {}


def test_presets_are_kept_by_name_in_one_file(tmp_path: Path) -> None:
    presets = Presets(tmp_path / "presets.json")

    presets.keep("Ink", {"strength": 0.5})
    presets.keep("blue", {"prompt": "blue", "attention.spatial": False})
    presets.keep("Ink", {"strength": 0.7})
    presets.remove("none")

    again = Presets(tmp_path / "presets.json")
    assert again.names() == ["blue", "Ink"]
    assert again.values("Ink") == {"strength": 0.7}
    assert again.values("gone") == {}


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"odd": 3})])
def test_presets_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "presets.json"
    path.write_text(text)

    assert Presets(path).names() == []


@pytest.mark.parametrize("text", ["{", "[]", '{"mine": {"prompt": "x"},}', "\xff"])
def test_presets_that_cannot_be_read_are_not_written_over(tmp_path: Path, text: str) -> None:
    path = tmp_path / "presets.json"
    path.write_text(text, "latin-1")

    for change in (lambda: Presets(path).keep("new", {}), lambda: Presets(path).remove("mine")):
        with pytest.raises(FileFailed, match="Mend it, or move it away"):
            change()
    assert path.read_text("latin-1") == text


def test_presets_keep_what_is_beside_them_and_where_they_are_linked(tmp_path: Path) -> None:
    elsewhere, path = tmp_path / "dotfiles.json", tmp_path / "presets.json"
    elsewhere.write_text('{"mine": {"prompt": "x"}, "version": 2}', "utf-8-sig")
    path.symlink_to(elsewhere)

    Presets(path).keep("new", {"prompt": "y"})

    assert path.is_symlink()
    assert Presets(path).names() == ["mine", "new"]
    assert read_object(elsewhere)["version"] == 2


def test_values_of_another_type_in_a_preset_are_not_used(tmp_path: Path) -> None:
    path = tmp_path / "presets.json"
    held = {"prompt": "ink", "strength": "much", "keyframes": ["a"], "later": {"x": 1}}
    path.write_text(json.dumps({"mine": held, "none": 3}), "utf-8")

    presets = Presets(path)

    assert presets.names() == ["mine"]
    assert presets.values("mine") == {"prompt": "ink", "later": {"x": 1}}
