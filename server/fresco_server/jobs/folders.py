"""The daemon's data folder: what lies where, what is swept up, and how much room it takes."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fresco_engine.errors import OutputNotWritable
from fresco_media.files.disk import free_bytes, is_partial_name, storing
from fresco_media.files.own import is_own, is_real_folder, what_is

from fresco_server.errors import NotPossible
from fresco_server.jobs.claim import DATABASE, FOLDERS, claim, is_established
from fresco_server.jobs.marker_files import (
    DOOMED,
    MARKER_FILE,
    FolderMarker,
    bears,
    marker_of,
    new_id,
    remove_inside,
    remove_with_marker,
    write_marker,
)

_LOGGER = logging.getLogger(__name__)
_USAGE_AGE_S = 5.0
RECORD = "job.json"
"""In a job's folder: what is known of the job, see `records`."""
_DATA = "data"


class DataFolder:
    """Folders below `root`:

    jobs/ID-DIGEST/   a job's checkpoint and its result, marked as ours and with a record
    uploads/          clips that were sent
    looks/            pictures of looks that are being fetched
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs = root / "jobs"
        self.uploads = root / "uploads"
        self.looks = root / "looks"
        self.id = ""
        self.is_migrating = False
        self._usage: dict[Path, tuple[float, int]] = {}

    @property
    def database(self) -> Path:
        """The file with jobs and events."""
        return self.root / DATABASE

    def make(self) -> None:
        """Take possession of the folder, and make what belongs in it, for this user only.

        A folder of an earlier version, which set no marks, `is_migrating` until `settle`.

        Raises:
            CannotStart: it is not the daemon's.
        """
        claim(self.root)
        mark = marker_of(self.root)
        self.is_migrating = mark is None and is_established(self.root)
        self.id = self._id_of_jobs() or new_id() if mark is None else mark.data_id
        with storing(self.root):
            for name in FOLDERS:
                (self.root / name).mkdir(mode=0o700, exist_ok=True)
            if mark is None and not self.is_migrating:
                write_marker(self.root, FolderMarker(self.id, _DATA))

    def settle(self) -> None:
        """From now on only what bears a mark is ours."""
        if self.is_migrating:
            with storing(self.root):
                write_marker(self.root, FolderMarker(self.id, _DATA))
            self.is_migrating = False

    def _id_of_jobs(self) -> str | None:
        """The id that the jobs' folders agree on, where the data folder has lost its own mark."""
        if not is_real_folder(self.jobs):
            return None
        marks = (marker_of(folder) for folder in self.jobs.iterdir())
        found = {mark.data_id for mark in marks if mark is not None}
        return found.pop() if len(found) == 1 else None

    def job(self, job_id: str) -> Path:
        """A job's folder. The digest keeps ids apart that differ in case only."""
        digest = hashlib.sha256(job_id.encode()).hexdigest()[:8]
        return self.jobs / f"{job_id.lower()}-{digest}"

    def look(self, look_id: str) -> Path:
        """Where a look's picture goes."""
        return self.looks / f"{self.id}-{look_id}.png"

    def prepare_job(self, job_id: str) -> Path:
        """A job's folder, made and marked.

        Raises:
            NotPossible: something else is in its place.
            DiskFull, OutputNotWritable: it cannot be made.
        """
        folder = self.job(job_id)
        ensure_own(self.jobs)
        with storing(folder):
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            if self.is_of_job(folder):
                return folder
            if not self._may_take(folder):
                raise NotPossible(
                    f"{folder} is not the folder that was made for job {job_id!r}; move away what "
                    "is there now, put back what was there, and resume the job"
                )
            write_marker(folder, FolderMarker(self.id, folder.name))
        return folder

    def is_of_job(self, folder: Path) -> bool:
        """Whether a folder was made for a job here."""
        return bears(folder, self.id) and not folder.name.startswith(DOOMED)

    def _may_take(self, folder: Path) -> bool:
        """Whether a folder may be marked: it is an earlier version's, or empty."""
        if not is_real_folder(folder) or not is_own(os.lstat(folder)):
            return False
        # A daemon that was killed while it marked the folder leaves the beginning of a mark.
        names = [path.name for path in folder.iterdir() if path.name != f"{MARKER_FILE}.new"]
        return self.is_migrating or all(map(is_partial_name, names))

    @contextmanager
    def filling(self, job_id: str) -> Iterator[Path]:
        """A place for what a new job begins with, which becomes the job's folder at the end.

        Raises:
            NotPossible: something else is in its place.
        """
        target = self.job(job_id)
        ensure_own(self.jobs)
        around = self.jobs / f"{DOOMED}{secrets.token_hex(8)}"
        with storing(around):
            around.mkdir(mode=0o700)
            write_marker(around, FolderMarker(self.id, around.name))
        try:
            yield around / target.name
            with storing(target):
                write_marker(around / target.name, FolderMarker(self.id, target.name))
                # What an earlier attempt left that was killed.
                self.remove_job(job_id)
                if os.path.lexists(target):
                    raise NotPossible(f"{target} is there already and not ours; move it away")
                (around / target.name).rename(target)
        finally:
            remove_with_marker(around, self.id)

    def remove_job(self, job_id: str) -> None:
        """Remove a job's folder; it is gone from its place at once."""
        folder = self.job(job_id)
        if not remove_with_marker(folder, self.id) and os.path.lexists(folder):
            _LOGGER.warning("%s: left alone, as it was not made for the job", folder)

    def remove_unfinished(self, job_id: str) -> None:
        """Remove what a job's worker was writing when it was killed; what is whole stays."""
        remove_inside(self.job(job_id), self.id, _is_unfinished)

    def all_jobs(self) -> Iterator[Path]:
        """The folders that were made for jobs here, also for those that are forgotten."""
        for folder in sorted(self.jobs.iterdir()):
            if self.is_of_job(folder):
                yield folder

    def sweep(self, job_ids: Collection[str]) -> None:
        """Remove what a killed daemon left behind: folders of no job, pictures of no look.

        A job's folder with a record is not left behind: the list of jobs has lost it.
        """
        known = {self.job(job_id) for job_id in job_ids}
        for folder in self.jobs.iterdir():
            is_lost = self.is_of_job(folder) and (folder / RECORD).exists()
            if folder in known or is_lost:
                continue
            if remove_with_marker(folder, self.id):
                _LOGGER.info("removing %s, which belongs to no job", folder.name)
        for picture in self.looks.glob(f"{self.id}-*.png"):
            picture.unlink(missing_ok=True)

    def job_bytes(self, job_id: str) -> int:
        """Bytes of a job's files; a few seconds old at most."""
        return self._bytes_of(self.job(job_id))

    def all_bytes(self) -> int:
        """Bytes of all jobs and uploads; a few seconds old at most."""
        return self.jobs_bytes() + self._bytes_of(self.uploads)

    def jobs_bytes(self) -> int:
        """Bytes of all jobs; a few seconds old at most."""
        return self._bytes_of(self.jobs)

    def _bytes_of(self, folder: Path) -> int:
        now = time.monotonic()
        known = self._usage.get(folder)
        if known is not None and now - known[0] < _USAGE_AGE_S:
            return known[1]
        size = _tree_bytes(folder)
        if len(self._usage) > 1000:
            self._usage.clear()
        self._usage[folder] = now, size
        return size

    def free_bytes(self) -> int:
        """Bytes free on the disk."""
        return free_bytes(self.root)


def ensure_own(folder: Path) -> None:
    """See to it that one of the data folder's own folders is there, and is no link.

    Raises:
        OutputNotWritable: something else is in its place.
        DiskFull, OutputNotWritable: it cannot be made again.
    """
    if is_real_folder(folder):
        return
    with storing(folder), suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
        _LOGGER.info("%s was made", folder)
    if not is_real_folder(folder):
        raise OutputNotWritable(
            folder,
            f"it is {what_is(folder)} and not the daemon's own folder; move it away, and put back "
            "what was there",
        )


def _is_unfinished(name: str) -> bool:
    return name.startswith(".") and ".partial" in name


def _tree_bytes(folder: Path) -> int:
    """Bytes of all files below `folder`, those with several names counted once."""
    seen: dict[tuple[int, int], int] = {}
    if not is_real_folder(folder):
        return 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                facts = os.lstat(os.path.join(place, name))
            except OSError:
                continue
            seen[facts.st_dev, facts.st_ino] = facts.st_size
    return sum(seen.values())
