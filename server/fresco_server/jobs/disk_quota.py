"""Keeping within the quota: what may go, and in which order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from fresco_client.values import JobState
from fresco_media.files.text import sized
from fresco_settings import Remedy, said

from fresco_server.errors import DaemonLimitReached
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder, StoredJob
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
        self._held: list[StoredJob | JobOrder] = []
        self._holding = threading.Lock()

    @contextmanager
    def holding(self, needed: StoredJob | JobOrder) -> Iterator[None]:
        """Let a job, or what was sent for one, not go while another is made of it."""
        with self._holding:
            self._held.append(needed)
        try:
            yield
        finally:
            with self._holding:
                self._held.remove(needed)

    def make_room(self, wanted_bytes: int) -> None:
        """See to it that `wanted_bytes` more may be stored.

        Nothing goes in vain: what nobody waits for stays where all of it would not be enough.

        Raises:
            LimitReached: there is no room, and there would be none without all that may go.
        """
        missing = self._missing(wanted_bytes)
        if missing <= 0:
            return
        missing -= self._uploads.remove_abandoned()
        if missing <= 0:
            return
        jobs = {job.id: self._folders.job_bytes(job.id) for job in self._jobs_to_go()}
        kept = self._kept_uploads()
        short = missing - sum(jobs.values()) - self._uploads.unused_bytes(kept)
        if short > 0:
            raise self._no_room(wanted_bytes, short)
        for job_id, size in jobs.items():
            with self._holding:
                if job_id in self._held_jobs():
                    continue
                self._store.delete(job_id)
            _LOGGER.info("job %s: removed to make room", job_id)
            missing -= size
            self._folders.remove_job(job_id)
            if missing <= 0:
                return
        missing -= self._uploads.remove_unused(kept, missing)
        if missing > 0:  # Something is needed since that was reckoned.
            raise self._no_room(wanted_bytes, missing)

    def _no_room(self, wanted_bytes: int, missing: int) -> DaemonLimitReached:
        return DaemonLimitReached(
            f"there is no room for {sized(wanted_bytes)} more; {sized(missing)} are missing"
            f"{self._reserve(wanted_bytes)} beyond all that may be removed; "
            f"{self._remedy(wanted_bytes)}",
            reason="NO_ROOM",
        )

    def uploads_in_use(self) -> set[str]:
        """Digests of the uploads that jobs need which may still run."""
        states = [state for state in JobState if not _is_over(state)]
        return _uploads_of(self._store.list(states, limit=_ALL))

    def _kept_uploads(self) -> set[str]:
        """Also those of results that nobody has seen: some keyframes may have to be others."""
        done = self._store.list([JobState.DONE], limit=_ALL)
        kept = _uploads_of(job for job in done if not job.is_fetched)
        with self._holding:
            held = {
                digest for order in map(_order_of, self._held) for digest in order.uploads.values()
            }
        return self.uploads_in_use() | kept | held

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
        fetched = [job for job in reversed(done) if job.is_fetched]
        cancelled = reversed(self._store.list([JobState.CANCELLED], limit=_ALL))
        with self._holding:
            held = self._held_jobs()
        yield from (job for job in (*fetched, *cancelled) if job.id not in held)

    def _held_jobs(self) -> set[str]:
        return {held.id for held in self._held if isinstance(held, StoredJob)}


def _order_of(held: StoredJob | JobOrder) -> JobOrder:
    return held.order if isinstance(held, StoredJob) else held


def _uploads_of(jobs: Iterable[StoredJob]) -> set[str]:
    return {digest for job in jobs for digest in job.order.uploads.values()}


def _is_over(state: JobState) -> bool:
    return state in (JobState.DONE, JobState.CANCELLED)
