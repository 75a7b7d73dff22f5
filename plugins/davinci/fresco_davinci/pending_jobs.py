"""Pending jobs: which clip of which timeline waits for which job. They outlive Resolve and us."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from filelock import FileLock
from fresco_client import FileFailed
from fresco_client.files import read_object, write_object

from fresco_davinci.choices import StoredChoices, choices_of

_A_DAY_S = 86400.0


@dataclass(frozen=True, kw_only=True)
class PendingJob:
    """A part of a clip and the job that restyles it.

    `start`, `duration` and `left` are those of the clip when it was ordered, `first` and `count`
    the part that is restyled, all in frames of the timeline; `first` counts as `start` does.
    """

    job_id: str
    project_id: str
    timeline_id: str
    item_id: str
    name: str
    start: int
    duration: int
    left: int
    first: int
    count: int
    rate: str
    """Frames per second of the timeline, such as 24000/1001."""
    color: str
    """The clip's own colour, which it gets back."""
    choices: StoredChoices
    is_submitted: bool = False
    rendered: str = ""
    """The render that the job reads; empty if it reads the media file."""
    is_sequence: bool = False
    """Whether the result is to be pictures, as this Resolve reads no H.264."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        return f"{self.name} – {self.choices.title}"


class PendingJobStore:
    """A folder with a file for every pending job."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self) -> Generator[None, None, None]:
        """No other window or click changes pending jobs meanwhile; waits for one that does."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder.with_suffix(".lock")):
            yield

    def save(self, pending: PendingJob) -> None:
        """Keep a pending job, new or changed."""
        write_object(self._path(pending.job_id), asdict(pending))

    def submitted(self, pending: PendingJob) -> PendingJob:
        """Remember that the daemon has it."""
        changed = replace(pending, is_submitted=True)
        self.save(changed)
        return changed

    def remove(self, pending: PendingJob) -> None:
        """It is done with, and so is what was rendered for it."""
        if pending.rendered:
            Path(pending.rendered).unlink(missing_ok=True)
        self._path(pending.job_id).unlink(missing_ok=True)

    def drop_renders(self, folder: Path, older_than_s: float = _A_DAY_S) -> None:
        """Remove renders that no pending job needs: a process was killed before there was one."""
        wanted = {Path(pending.rendered) for pending in self.all()}
        for path in folder.glob("*"):
            if path in wanted or time.time() - path.stat().st_mtime < older_than_s:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def of_project(self, project_id: str) -> Iterator[PendingJob]:
        """Pending jobs of a project, in the order in which they were made."""
        for pending in self.all():
            if pending.project_id == project_id:
                yield pending

    def all(self) -> Iterator[PendingJob]:
        """All pending jobs; what cannot be read is passed over and left alone."""
        paths = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in paths:
            pending = _read(path)
            if pending is not None:
                yield pending

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.json"


def _read(path: Path) -> PendingJob | None:
    try:
        content = read_object(path)
        content["choices"] = choices_of(content["choices"])
        return PendingJob(**content)
    except (FileFailed, TypeError, KeyError):
        return None
