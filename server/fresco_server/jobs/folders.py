"""The daemon's data folder: what lies where, what is swept up, and how much room it takes."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Collection
from pathlib import Path

_LOGGER = logging.getLogger(__name__)
_DELETED = ".deleted-"
_USAGE_AGE_S = 5.0


class DataFolder:
    """Folders below `root`:

    jobs/ID-DIGEST/   a job's checkpoint and its result
    uploads/          clips that were sent
    looks/            pictures of looks that are being fetched
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs = root / "jobs"
        self.uploads = root / "uploads"
        self.looks = root / "looks"
        self._usage: dict[Path, tuple[float, int]] = {}

    def make(self) -> None:
        """Make the folders, for this user only."""
        for folder in (self.root, self.jobs, self.uploads, self.looks):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def job(self, job_id: str) -> Path:
        """A job's folder. The digest keeps ids apart that differ in case only."""
        digest = hashlib.sha256(job_id.encode()).hexdigest()[:8]
        return self.jobs / f"{job_id.lower()}-{digest}"

    def look(self, look_id: str) -> Path:
        """Where a look's picture goes."""
        return self.looks / f"{look_id}.png"

    def remove_job(self, job_id: str) -> None:
        """Remove a job's folder; it is gone from its place at once."""
        folder = self.job(job_id)
        if not folder.exists():
            return
        doomed = self.jobs / f"{_DELETED}{secrets.token_hex(8)}"
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def remove_unfinished(self, job_id: str) -> None:
        """Remove what a job's worker was writing when it was killed; what is whole stays."""
        for path in self.job(job_id).rglob(".*.partial*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def sweep(self, job_ids: Collection[str]) -> None:
        """Remove what a killed daemon left behind: folders of no job, pictures of no look."""
        known = {self.job(job_id) for job_id in job_ids}
        for folder in self.jobs.iterdir():
            if folder not in known:
                _LOGGER.info("removing %s, which belongs to no job", folder.name)
                shutil.rmtree(folder, ignore_errors=True)
        for picture in self.looks.iterdir():
            picture.unlink(missing_ok=True)

    def job_bytes(self, job_id: str) -> int:
        """Bytes of a job's files; a few seconds old at most."""
        return self._bytes_of(self.job(job_id))

    def all_bytes(self) -> int:
        """Bytes of all jobs and uploads; a few seconds old at most."""
        return self._bytes_of(self.jobs) + self._bytes_of(self.uploads)

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
        return shutil.disk_usage(self.root).free


def _tree_bytes(folder: Path) -> int:
    """Bytes of all files below `folder`, those with several names counted once."""
    seen: dict[tuple[int, int], int] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                facts = os.lstat(os.path.join(place, name))
            except OSError:
                continue
            seen[facts.st_dev, facts.st_ino] = facts.st_size
    return sum(seen.values())
