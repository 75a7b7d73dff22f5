"""Keeping within the quota: what may go, and in which order."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from fresco_client.values import JobState
from fresco_media.files.text import sized
from fresco_settings import Remedy, said

from fresco_server.errors import DaemonLimitReached
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import StoredJob
from fresco_server.jobs.store import JobStore
from fresco_server.jobs.uploads import Uploads
from fresco_server.settings import LimitSettings

_LOGGER = logging.getLogger(__name__)
_ALL = 1_000_000


class DiskQuota:
    """Makes room by removing, the oldest first, what nobody waits for any more.

    Uploads that nobody has gone on sending for an hour go first, then done jobs whose result a
    client has confirmed, then cancelled jobs, then uploads that no job needs. A result nobody has
    fetched, with the upload from which its keyframes are tried again, and a job that can still go
    on, are never touched.
    """

    def __init__(
        self, store: JobStore, folders: DataFolder, uploads: Uploads, limits: LimitSettings
    ) -> None:
        self._store = store
        self._folders = folders
        self._uploads = uploads
        self._limits = limits

    def make_room(self, wanted_bytes: int) -> None:
        """See to it that `wanted_bytes` more may be stored.

        Raises:
            LimitReached: there is no room, and nothing that may go.
        """
        missing = self._missing(wanted_bytes)
        if missing <= 0:
            return
        missing -= self._uploads.remove_abandoned()
        if missing <= 0:
            return
        for job in self._jobs_to_go():
            missing -= self._folders.job_bytes(job.id)
            _LOGGER.info("job %s: removed to make room", job.id)
            self._store.delete(job.id)
            self._folders.remove_job(job.id)
            if missing <= 0:
                return
        missing -= self._uploads.remove_unused(self._kept_uploads(), missing)
        if missing > 0:
            raise DaemonLimitReached(
                f"there is no room for {sized(wanted_bytes)} more; {sized(missing)} "
                f"are missing{self._reserve(wanted_bytes)}, and nothing is left that may be "
                f"removed; {self._remedy(wanted_bytes)}",
                reason="NO_ROOM",
            )

    def uploads_in_use(self) -> set[str]:
        """Digests of the uploads that jobs need which may still run."""
        states = [state for state in JobState if not _is_over(state)]
        return _uploads_of(self._store.list(states, limit=_ALL))

    def _kept_uploads(self) -> set[str]:
        """Also those of results that nobody has seen: some keyframes may have to be others."""
        done = self._store.list([JobState.DONE], limit=_ALL)
        return self.uploads_in_use() | _uploads_of(job for job in done if not job.is_fetched)

    def _missing(self, wanted_bytes: int) -> int:
        return max(self._over_quota(wanted_bytes), self._over_disk(wanted_bytes))

    def _reserve(self, wanted_bytes: int) -> str:
        """Why more may be missing than is wanted."""
        kept = self._limits.keep_free_bytes
        if not kept or self._over_disk(wanted_bytes) <= 0:
            return ""
        return f" ({sized(kept)} of the disk are kept free)"

    def _remedy(self, wanted_bytes: int) -> str:
        """What helps; a larger quota makes no larger disk."""
        is_disk = self._over_disk(wanted_bytes) > 0
        other = (
            f"free some room on the disk of {self._folders.root}"
            if is_disk
            else said(Remedy.MORE_ROOM)
        )
        has_jobs = bool(self._store.list(list(JobState), limit=1))
        return f"fetch results, delete jobs, or {other}" if has_jobs else other

    def _over_quota(self, wanted_bytes: int) -> int:
        taken = self._folders.jobs_bytes() + self._uploads.disk_bytes()
        return taken + self._with_promised(wanted_bytes) - self._limits.disk_bytes

    def _over_disk(self, wanted_bytes: int) -> int:
        wanted_bytes = self._with_promised(wanted_bytes)
        return self._limits.keep_free_bytes + wanted_bytes - self._folders.free_bytes()

    def _with_promised(self, wanted_bytes: int) -> int:
        """What uploads have been promised is as good as taken."""
        return wanted_bytes + self._uploads.outstanding_bytes()

    def _jobs_to_go(self) -> Iterator[StoredJob]:
        done = self._store.list([JobState.DONE], limit=_ALL)
        yield from (job for job in reversed(done) if job.is_fetched)
        yield from reversed(self._store.list([JobState.CANCELLED], limit=_ALL))


def _uploads_of(jobs: Iterable[StoredJob]) -> set[str]:
    return {digest for job in jobs for digest in job.order.uploads.values()}


def _is_over(state: JobState) -> bool:
    return state in (JobState.DONE, JobState.CANCELLED)
