"""What a job reads is known by what it is, whatever name a result is given."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from fresco_media.clip import Clip
from fresco_media.errors import OutputNotWritable
from fresco_media.writing.originals import Originals, is_same_place
from fresco_media.writing.writer import open_writer

MakeClip = Callable[..., Path]


def other_names(file: Path) -> dict[str, Path]:
    """Other names of one file, made on the spot."""
    folder = file.parent
    hard, soft, twice = (folder / f"{name}{file.suffix}" for name in ("hard", "soft", "twice"))
    hard.hardlink_to(file)
    soft.symlink_to(file)
    twice.symlink_to(soft)
    (folder / "through").symlink_to(folder, target_is_directory=True)
    (folder / "below").mkdir()
    return {
        "hard link": hard,
        "symbolic link": soft,
        "link to a link": twice,
        "linked folder": folder / "through" / file.name,
        "way back": folder / "below" / ".." / file.name,
        "itself": file,
    }


@pytest.mark.parametrize(
    "kind",
    ["hard link", "symbolic link", "link to a link", "linked folder", "way back", "itself"],
)
def test_a_clip_is_never_the_output_under_another_name(
    make_clip: MakeClip, tmp_path: Path, kind: str
) -> None:
    path = make_clip("source.mp4", frame_count=2)
    before = path.read_bytes()

    with pytest.raises(OutputNotWritable, match="this is where the clip itself is"):
        open_writer(other_names(path)[kind], Clip.open(path), overwrite=True)

    assert path.read_bytes() == before


def test_a_relative_way_to_the_clip_is_the_clip(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip("source.mp4", frame_count=2)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OutputNotWritable, match="the clip itself"):
        open_writer(Path("source.mp4"), Clip.open(path), overwrite=True)


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to", "rename"])
def test_a_clip_that_gets_the_outputs_name_while_the_work_is_done_is_kept(
    make_clip: MakeClip, tmp_path: Path, link: str
) -> None:
    path, output = make_clip("source.mp4", frame_count=2), tmp_path / "out.mp4"
    before = path.read_bytes()
    clip = Clip.open(path)

    def swap() -> None:
        for frame in clip.frames():
            writer.write(frame)
        if link == "rename":
            path.rename(output)
        else:
            getattr(output, link)(path)

    writer = open_writer(output, clip, overwrite=True)
    with pytest.raises(OutputNotWritable, match="the clip itself"), writer:
        swap()

    assert output.read_bytes() == before
    assert not [file for file in tmp_path.iterdir() if "partial" in file.name]


def test_a_sequence_is_never_mixed_with_a_result_under_another_name_of_its_folder(
    make_images: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_images("plates", range(3))
    (tmp_path / "again").symlink_to(folder, target_is_directory=True)

    for place in (tmp_path / "again" / "out_%04d.png", tmp_path / "again"):
        with pytest.raises(OutputNotWritable, match="the clip itself"):
            open_writer(place, Clip.open(folder), overwrite=True, codec="images")


@pytest.mark.parametrize("source", ["folder", "pattern", "member"])
def test_pictures_of_a_sequence_linked_elsewhere_are_never_replaced(
    make_images: Callable[..., Path], tmp_path: Path, source: str
) -> None:
    folder = make_images("plates", range(3))
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).hardlink_to(file)
    clip = {
        "folder": folder,
        "pattern": folder / "shot_%04d.png",
        "member": folder / "shot_0001.png",
    }

    with pytest.raises(OutputNotWritable, match="the clip itself"):
        open_writer(copy / "shot_%04d.png", Clip.open(clip[source]), overwrite=True)

    assert len(list(copy.iterdir())) == 3


def test_a_video_may_lie_beside_the_pictures_it_was_made_from(
    make_images: Callable[..., Path],
) -> None:
    folder = make_images("plates", range(3))
    clip = Clip.open(folder / "shot_%04d.png")

    for _ in range(2):
        with open_writer(folder / "out.mp4", clip, overwrite=True) as writer:
            for frame in clip.frames():
                writer.write(frame)

    assert Clip.open(folder / "out.mp4").info.frame_count == 3


def test_a_file_that_took_the_place_of_an_original_is_one_as_well(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"one")
    originals = Originals.of("the model is", path)
    path.unlink()
    path.write_bytes(b"two")

    with pytest.raises(OutputNotWritable, match="where the model is"):
        originals.check(tmp_path / "new.mp4", path)


def test_what_is_not_there_and_what_is_another_file_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same")
    (tmp_path / "b").write_bytes(b"same")

    originals = Originals.of("the clip itself is", tmp_path / "a", tmp_path / "none", None)

    originals.check(tmp_path / "b", tmp_path / "none", tmp_path / "c")


def test_places_that_do_not_exist_yet_are_compared_by_folder_and_name(tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    name = "Übung.mp4"

    assert is_same_place(tmp_path / name, tmp_path / "again" / name)
    assert is_same_place(tmp_path / name, tmp_path / unicodedata.normalize("NFD", name))
    assert is_same_place(tmp_path / name, tmp_path / "ÜBUNG.MP4")
    assert not is_same_place(tmp_path / name, tmp_path / "other.mp4")
    assert not is_same_place(tmp_path / "no" / name, tmp_path / name)
