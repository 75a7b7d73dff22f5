"""Where what comes back is put on disk."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from fresco_client.files import plain_name


def job_folder(base: Path, job_id: str) -> Path:
    """Where the pictures of a job are."""
    return base / job_id[:12]


def keyframe_file(base: Path, job_id: str, index: int) -> Path:
    """The picture of one keyframe."""
    return job_folder(base, job_id) / f"key_{index:06d}.png"


def frame_file(base: Path, job_id: str, number: int) -> Path:
    """The picture of one frame of a result; `number` counts from 0 within the result."""
    return job_folder(base, job_id) / "result" / f"frame_{number:06d}.png"


def rendered_folder(base: Path, job_id: str) -> Path:
    """The pictures rendered from a strip that is more than its file."""
    return job_folder(base, job_id) / "source"


def rendered_movie(base: Path, job_id: str) -> Path:
    """The same as one file, which can be sent to another machine."""
    return rendered_folder(base, job_id) / "strip.mkv"


def result_file(base: Path, title: str, job_id: str, container: str) -> Path:
    """The movie a job ends in; its container is also its ending."""
    return base / f"{plain_name(title)}_{job_id[:8]}.{container}"


def remove_work(base: Path, job_id: str) -> None:
    """Take away what was only needed while a job could go on: rendered frames and keyframes."""
    folder = job_folder(base, job_id)
    shutil.rmtree(rendered_folder(base, job_id), ignore_errors=True)
    for path in folder.glob("key_*.png"):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # of a result that is pictures it is not empty
        folder.rmdir()
