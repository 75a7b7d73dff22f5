"""Project files: whole or not there, read again as they were, clips found where they moved."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

import pytest
from fakes.waiting import PATIENCE_S
from fresco_client import FileFailed
from fresco_gui.project import (
    Project,
    ProjectJob,
    ProjectUnreadable,
    find_moved,
    fingerprint_of,
    load,
    save,
)

PROJECT = Project(
    clip="/clips/ä b.mp4",
    clip_fingerprint="12:ab",
    frame_rate="30000/1001",
    model="owner/name",
    values={"prompt": "ink", "attention.spatial": False, "keyframe_prompts": {"4": "rain"}},
    frame=7,
    range_in=2,
    range_out=30,
    view="wipe",
    made=(ProjectJob(job_id="1", title="a", result="/r/a.mp4", start=2),),
    locked=(4, 9),
)


def test_a_project_is_read_as_it_was_written(tmp_path: Path) -> None:
    save(PROJECT, tmp_path / "a.fresco")

    assert load(tmp_path / "a.fresco") == PROJECT


def test_a_failed_save_leaves_the_earlier_one_and_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.fresco"
    save(PROJECT, path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileFailed, match="No space"):
        save(Project(clip="other"), path)

    assert load(path) == PROJECT
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no project of Fresco, or is damaged"),
        ("[]", "no project of Fresco"),
        ("[" * 100_000, "no project of Fresco, or is damaged"),
        ('{"fresco_project": 999}', "newer Fresco"),
        ('{"fresco_project": 1, "made": [{"nothing": 1}]}', "is damaged"),
        ('{"fresco_project": 1, "frame_rate": "x"}', "is damaged"),
        ('{"fresco_project": 1, "frame_rate": "1/0"}', "is damaged"),
        ('{"fresco_project": 1, "values": "abc"}', "is damaged"),
        ('{"fresco_project": 1, "values": {"keyframes": ["a"]}}', "is damaged"),
        ('{"fresco_project": 1, "values": {"strength": "much"}}', "is damaged"),
        ('{"fresco_project": 1, "values": {"keyframe_prompts": {"x": "fog"}}}', "is damaged"),
        ('{"fresco_project": 1, "frame": "3"}', "is damaged"),
        ('{"fresco_project": 1, "range_in": 1.5}', "is damaged"),
        ('{"fresco_project": 1, "made": [5]}', "is damaged"),
        ('{"fresco_project": 1, "made": [{"job_id": 5}]}', "is damaged"),
        ('{"fresco_project": 1, "made": [{"job_id": "a", "shots": [["x", 3]]}]}', "is damaged"),
        ('{"fresco_project": 1, "looks": [{"file": "a", "index": null}]}', "is damaged"),
        ('{"fresco_project": 1, "looks": [{"file": "a", "index": 1, "values": []}]}', "is damaged"),
    ],
)
def test_what_is_no_project_is_refused_with_a_sentence(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "a.fresco"
    path.write_text(text, "utf-8")

    with pytest.raises(ProjectUnreadable, match=says) as caught:
        load(path)
    python = r"__init__|argument|object is not|invalid literal|Error|NoneType|'\w+' object"
    assert not re.search(python, str(caught.value))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no such device")
def test_a_project_without_an_end_is_refused_instead_of_read(tmp_path: Path) -> None:
    path = tmp_path / "a.fresco"
    path.symlink_to("/dev/full")

    with pytest.raises(ProjectUnreadable, match="it is a device"):
        load(path)


def test_values_of_every_kind_are_read_as_they_were_written(tmp_path: Path) -> None:
    values = {
        "prompt": "ink",
        "strength": 1,
        "keyframes": [0, 8],
        "keyframe_prompts": {"3": "fog"},
        "smoothing.is_on": False,
        "of a later version": {"x": 1},
    }
    path = tmp_path / "a.fresco"
    path.write_text(json.dumps({"fresco_project": 1, "values": values}), "utf-8")

    assert load(path).values == values


def test_a_project_that_an_editor_of_windows_has_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.fresco"
    path.write_text(json.dumps({"fresco_project": 1, "clip": "a.mp4"}), "utf-8-sig")

    assert load(path).clip == "a.mp4"


def test_fields_of_a_later_version_do_not_hinder(tmp_path: Path) -> None:
    path = tmp_path / "a.fresco"
    path.write_text(json.dumps({"fresco_project": 1, "clip": "a.mp4", "future": 3}), "utf-8")

    assert load(path).clip == "a.mp4"


def test_a_clip_that_moved_with_its_project_is_found(tmp_path: Path) -> None:
    (tmp_path / "old" / "media").mkdir(parents=True)
    clip = tmp_path / "old" / "media" / "a.mp4"
    clip.write_bytes(b"clip")
    save(Project(clip=str(clip)), tmp_path / "old" / "a.fresco")

    (tmp_path / "old").rename(tmp_path / "new")

    assert load(tmp_path / "new" / "a.fresco").clip == str(tmp_path / "new" / "media" / "a.mp4")


def test_a_renamed_clip_is_found_by_what_it_holds(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"x" * 1000)
    mark = fingerprint_of(clip)
    (tmp_path / "below").mkdir()
    (tmp_path / "a.mp4").rename(tmp_path / "below" / "renamed.mp4")
    (tmp_path / "other.mp4").write_bytes(b"y" * 1000)

    assert find_moved(clip, mark, [tmp_path]) == tmp_path / "below" / "renamed.mp4"


def test_another_clip_of_the_same_name_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"y" * 1000)

    assert find_moved(Path("/gone/a.mp4"), "1000:abc", [tmp_path]) is None
    assert find_moved(Path("/gone/a.mp4"), "", [tmp_path]) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_has_no_fingerprint_and_is_not_waited_at(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    found: list[str] = []
    asking = threading.Thread(target=lambda: found.append(fingerprint_of(pipe)), daemon=True)

    asking.start()
    asking.join(PATIENCE_S)

    assert found == [""]
