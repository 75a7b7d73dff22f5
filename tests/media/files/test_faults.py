from __future__ import annotations

import errno
from pathlib import Path

import av.error
import pytest
from fresco_engine.errors import (
    ClipNotFound,
    ClipUnreadable,
    DiskFull,
    FrescoError,
    OutputNotWritable,
)
from fresco_media.files.faults import free_bytes, reading, writing


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        (FileNotFoundError(errno.ENOENT, "gone"), ClipNotFound),
        (av.error.FileNotFoundError(errno.ENOENT, "gone"), ClipNotFound),
        (PermissionError(errno.EACCES, "no"), ClipUnreadable),
        (av.error.InvalidDataError(1094995529, "bad"), ClipUnreadable),
        (av.error.EOFError(541478725, "end"), ClipUnreadable),
        (OSError(errno.EIO, "disk"), ClipUnreadable),
        (av.error.OSError(errno.EIO, "cut off"), ClipUnreadable),
    ],
    ids=["missing", "missing-av", "permission", "invalid", "end", "io", "io-av"],
)
def test_errors_while_reading_become_clip_errors(
    tmp_path: Path, foreign: Exception, ours: type[FrescoError]
) -> None:
    with pytest.raises(ours) as caught, reading(tmp_path / "clip.mp4"):
        raise foreign

    assert str(tmp_path / "clip.mp4") in str(caught.value)
    assert caught.value.__cause__ is foreign


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *((OSError, number) for number in (errno.EIO, errno.ENOTCONN, errno.ESTALE)),
        *((av.error.OSError, number) for number in (errno.ENOTCONN, errno.ESTALE)),
    ],
)
def test_a_disk_that_is_gone_is_not_taken_for_a_damaged_clip(
    tmp_path: Path, number: int, kind: type[OSError]
) -> None:
    with pytest.raises(ClipUnreadable, match="check that it is connected"), reading(tmp_path / "a"):
        raise kind(number, "gone")


@pytest.mark.parametrize(
    ("foreign", "ours", "advice"),
    [
        (OSError(errno.ENOSPC, "full"), DiskFull, "free some room"),
        (av.error.OSError(errno.ENOSPC, "full"), DiskFull, "free some room"),
        (PermissionError(errno.EACCES, "no"), OutputNotWritable, "choose another folder"),
        (OSError(errno.EROFS, "read-only"), OutputNotWritable, "choose another folder"),
        (FileNotFoundError(errno.ENOENT, "gone"), OutputNotWritable, "create it"),
        (av.error.ArgumentError(errno.EINVAL, "odd"), OutputNotWritable, "odd"),
    ],
    ids=["full", "full-av", "permission", "read-only", "no-folder", "other"],
)
def test_errors_while_writing_become_output_errors(
    tmp_path: Path, foreign: Exception, ours: type[FrescoError], advice: str
) -> None:
    with pytest.raises(ours, match=advice), writing(tmp_path / "out.mp4"):
        raise foreign


def test_a_full_disk_tells_how_much_is_free(tmp_path: Path) -> None:
    with pytest.raises(DiskFull) as caught, writing(tmp_path / "out.mp4"):
        raise OSError(errno.ENOSPC, "full")

    assert caught.value.free_bytes > 0


def test_our_own_errors_pass_through(tmp_path: Path) -> None:
    with pytest.raises(OutputNotWritable, match=r"^x: y$"), writing(tmp_path / "out.mp4"):
        raise OutputNotWritable("x", "y")


def test_free_room_of_a_missing_folder_is_that_of_the_disk_it_would_be_on(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "no" / "where") > 0
    assert free_bytes(tmp_path) > 0
