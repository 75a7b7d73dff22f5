"""What somebody put in the place of a run's files is not followed, waited for or believed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fresco_engine.checkpoint import CheckpointReader, FolderCheckpoint, fork
from fresco_engine.checkpoint.reader import Kind
from fresco_engine.errors import CheckpointError, OutputNotWritable
from fresco_media.files.disk import partial_name

from tests.engine.checkpoint.test_folder import PLAN, batch, picture

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
Spoil = Callable[[Path], None]


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _nested(path: Path) -> None:
    path.write_text('{"version":' + "[" * 100_000)


def _huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


def _link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.mkdir()


def _filled(folder: Path) -> FolderCheckpoint:
    checkpoint = FolderCheckpoint(folder)
    checkpoint.save_plan(PLAN)
    for index in PLAN.keyframes:
        checkpoint.save("keyframes", index, picture(index))
    for index in range(PLAN.start, PLAN.stop):
        checkpoint.save("frames", index, picture(index))
    checkpoint.save_batch(batch(7))
    return checkpoint


@pytest.mark.parametrize("spoil", [_pipe, _nested, _huge, _link, _folder])
@pytest.mark.parametrize(
    "name",
    [
        "plan.json",
        "adjustments.json",
        "delivery.json",
        "frames/000005.png",
        "batches/000007.safetensors",
    ],
)
def test_what_is_no_file_of_its_own_counts_as_not_there(
    tmp_path: Path, name: str, spoil: Spoil
) -> None:
    _filled(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    spoil(tmp_path / name)

    checkpoint = FolderCheckpoint(tmp_path)

    assert (checkpoint.plan() is None) == (name == "plan.json")
    assert checkpoint.adjustments().size is None
    assert checkpoint.delivery() is None
    assert (checkpoint.load("frames", 5) is None) == name.startswith("frames")
    assert (checkpoint.quality(5) is None) or not name.startswith("frames")
    assert (checkpoint.batch(7) is None) == name.startswith("batches")


@pytest.mark.parametrize("spoil", [_pipe, _nested, _huge, _link, _folder])
def test_a_plan_that_is_none_is_named_when_something_is_to_be_made_again(
    tmp_path: Path, spoil: Spoil
) -> None:
    _filled(tmp_path / "run")
    (tmp_path / "run" / "plan.json").unlink()
    spoil(tmp_path / "run" / "plan.json")

    with pytest.raises(CheckpointError, match=r"plan\.json: the plan cannot be used: it (is|has)"):
        fork(tmp_path / "run", tmp_path / "again", [7])

    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"frame_rate": "1e999999999"},
        {"frame_rate": "1/0"},
        {"frame_rate": 24},
        {"keyframes": [7, 2, 29]},
        {"keyframes": [0, 29]},
        {"keyframes": [2, 7, 11, 12, 20, 10**12]},
        {"keyframes": []},
        {"keyframes": ["x"]},
        {"shots": []},
        {"shots": [[2, 12], [13, 30]]},
        {"shots": [[2, 12, 13], [12, 30]]},
        {"stop": 10**12},
        {"start": "x"},
        {"width": 0},
        {"height": 10**30},
        {"model": []},
        {"settings": []},
        {"settings": {"prompt": "x", "size": "y"}},
        {"settings": {"prompt": "x", "keyframe_seeds": {"x": 1}}},
        {"settings": {"prompt": "x", "keyframe_seeds": []}},
        {"warnings": 7},
    ],
    ids=str,
)
def test_a_plan_that_no_run_can_have_made_is_none(tmp_path: Path, change: dict[str, Any]) -> None:
    FolderCheckpoint(tmp_path).save_plan(PLAN)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    assert CheckpointReader(tmp_path).plan() is None


@pytest.mark.parametrize("size", ["x", -1, 10**30, True, [], {}, 1.5])
def test_adjustments_that_cannot_be_are_none(tmp_path: Path, size: object) -> None:
    (tmp_path / "adjustments.json").write_text(json.dumps({"size": size, "more": 1}))

    assert FolderCheckpoint(tmp_path).adjustments().size is None


@pytest.mark.parametrize("name", ["frames", "keyframes", "batches"])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_link_in_the_place_of_a_folder_is_not_followed(
    tmp_path: Path, name: str, when: str
) -> None:
    checkpoint = _filled(tmp_path / "run")
    users = tmp_path / "users"
    users.mkdir()
    (users / ".mine.partial").write_bytes(b"irreplaceable")
    (tmp_path / "run" / name).rename(tmp_path / "elsewhere")
    (tmp_path / "run" / name).symlink_to(users)

    def use() -> None:
        if when == "before":
            FolderCheckpoint(tmp_path / "run")
        elif name == "batches":
            checkpoint.save_batch(batch(7))
        else:
            kind: Kind = "frames" if name == "frames" else "keyframes"
            checkpoint.save(kind, 5, picture(5))

    with pytest.raises(OutputNotWritable, match=f"{name} is a link and not the folder"):
        use()
    with pytest.raises(OutputNotWritable):
        checkpoint.clear()

    assert [path.name for path in users.iterdir()] == [".mine.partial"]


@pytest.mark.parametrize("way", ["a link", "another folder"])
def test_a_run_whose_folder_is_replaced_writes_nothing_there(tmp_path: Path, way: str) -> None:
    checkpoint = _filled(tmp_path / "run")
    users = tmp_path / "users"
    (users / "frames").mkdir(parents=True)
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    if way == "a link":
        (tmp_path / "run").symlink_to(users)
    else:
        users.rename(tmp_path / "run")

    with pytest.raises(OutputNotWritable):
        checkpoint.save("frames", 5, picture(5))
    with pytest.raises(OutputNotWritable):
        checkpoint.save_plan(PLAN)

    assert list((tmp_path / "run" / "frames").iterdir()) == []


@pytest.mark.parametrize("name", ["frames/000006.png", "plan.json"])
def test_nothing_is_written_through_what_lies_at_a_temporary_name(
    tmp_path: Path, name: str
) -> None:
    checkpoint = _filled(tmp_path / "run")
    (tmp_path / "users").write_bytes(b"irreplaceable")
    partial_name(tmp_path / "run" / name).symlink_to(tmp_path / "users")

    checkpoint.save("frames", 6, picture(96))
    checkpoint.save_plan(PLAN)

    assert (tmp_path / "users").read_bytes() == b"irreplaceable"
    assert np.array_equal(checkpoint.load("frames", 6), picture(96))  # pyright: ignore
    assert checkpoint.plan() == PLAN


def test_a_fork_takes_no_picture_that_is_a_link_or_of_another_size(tmp_path: Path) -> None:
    source = _filled(tmp_path / "run")
    foreign = FolderCheckpoint(tmp_path / "foreign")
    foreign.save("frames", 5, picture(99))
    foreign.save("frames", 6, picture(99, (16, 16)))
    run = tmp_path / "run"
    for name in ("frames/000003.png", "keyframes/000020.png", "frames/000015.png"):
        (run / name).unlink()
    (run / "frames/000003.png").symlink_to(tmp_path / "foreign/frames/000005.png")
    (run / "keyframes/000020.png").symlink_to(tmp_path / "foreign/frames/000005.png")
    os.mkfifo(run / "frames/000015.png")
    (run / "frames/000016.png").write_bytes(foreign.picture_path("frames", 6).read_bytes())
    (run / "frames/000017.png").write_bytes(b"")
    (run / "frames/000018.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    fork(run, tmp_path / "again", [7])

    again = CheckpointReader(tmp_path / "again")
    lost = {3, 15, 16, 17, 18}
    assert set(again.indices("frames")) == {*range(2, 30)} - {*range(3, 11)} - lost
    assert set(again.indices("keyframes")) == {*PLAN.keyframes} - {7, 20}
    assert source.load("frames", 16) is None


def test_a_fork_of_a_run_whose_frames_are_elsewhere_makes_all_anew(tmp_path: Path) -> None:
    _filled(tmp_path / "run")
    (tmp_path / "run" / "frames").rename(tmp_path / "elsewhere")
    (tmp_path / "run" / "frames").symlink_to(tmp_path / "elsewhere")

    fork(tmp_path / "run", tmp_path / "again", [7])

    assert CheckpointReader(tmp_path / "again").indices("frames") == ()


def test_a_fork_on_a_disk_without_links_has_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _filled(tmp_path / "run")

    def cannot(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", cannot)
    fork(tmp_path / "run", tmp_path / "again", [7])

    again = CheckpointReader(tmp_path / "again")
    assert again.picture_path("frames", 20).stat().st_nlink == 1
    assert np.array_equal(again.load("frames", 20), source.load("frames", 20))  # pyright: ignore
