"""Downloading models: a process for each, ended when nobody waits for it any more."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fresco_server.errors import DaemonLimitReached, EngineRefused, WorkerLost
from fresco_server.jobs.messages import Ended, Message, Pulled, Refused
from fresco_server.jobs.process import WorkerProcess

_SPEED_WINDOW_S = 5.0
_MOST_PULLS = 4

_Inbox = queue.SimpleQueue[Message | Ended]


@dataclass(frozen=True, kw_only=True)
class PullStep:
    """How far a download is; `total_bytes` is 0 while it is not known."""

    done_bytes: int
    total_bytes: int
    bytes_per_second: float
    is_finished: bool


class Pulls:
    """Downloads under way; `worker` is the command of a worker process, `folder` where it runs."""

    def __init__(self, worker: Sequence[str], folder: Path) -> None:
        self._worker = worker
        self._folder = folder
        self._running: set[WorkerProcess] = set()
        self._sources: Counter[str] = Counter()
        self._slots = threading.Semaphore(_MOST_PULLS)

    @property
    def sources(self) -> frozenset[str]:
        """What is being downloaded and not whole yet."""
        return frozenset(+self._sources)

    def pull(self, source: str) -> Generator[PullStep, None, None]:
        """Download the model `source`; closing the generator stops it, and it can be gone on with.

        Raises:
            EngineRefused: the hub has no such model, or the disk is full.
            LimitReached: as many as can be are under way.
            WorkerLost: the process ended.
        """
        if not self._slots.acquire(blocking=False):
            raise DaemonLimitReached(
                f"{_MOST_PULLS} models are being downloaded already; wait for one, or stop it",
                reason="TOO_MANY_PULLS",
            )
        try:
            yield from self._pull(source)
        finally:
            self._slots.release()

    def _pull(self, source: str) -> Generator[PullStep, None, None]:
        inbox: _Inbox = queue.SimpleQueue()
        process = self._started(source, inbox)
        self._running.add(process)
        self._sources[source] += 1
        is_whole = False
        try:
            for step in _steps(process, inbox):
                if step.is_finished:
                    is_whole = True
                    self._sources[source] -= 1
                yield step
        finally:
            if not is_whole:
                self._sources[source] -= 1
            self._running.discard(process)
            process.kill()
            process.close()

    def _started(self, source: str, inbox: _Inbox) -> WorkerProcess:
        try:
            return WorkerProcess(
                "pull",
                (*self._worker, "--pull", source),
                self._folder,
                lambda _, message: inbox.put(message),
            )
        except OSError as error:
            raise WorkerLost(
                f"the download does not start ({error.strerror}); try again in a moment"
            ) from error

    def close(self) -> None:
        """Stop all downloads."""
        for process in list(self._running):
            process.kill()


def _steps(process: WorkerProcess, inbox: _Inbox) -> Generator[PullStep, None, None]:
    speed = _Speed()
    while True:
        message = inbox.get()
        match message:
            case Refused(failure=failure):
                raise EngineRefused.because_of(failure)
            case Pulled():
                yield PullStep(
                    done_bytes=message.done,
                    total_bytes=message.total,
                    bytes_per_second=speed.after(message.done),
                    is_finished=message.is_finished,
                )
            case _:
                raise WorkerLost("the download ended unexpectedly; try again", process.log_tail)
        if message.is_finished:
            return


class _Speed:
    """Bytes per second over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def after(self, done: int) -> float:
        now = time.monotonic()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _SPEED_WINDOW_S and len(self._seen) > 2:
            self._seen.popleft()
        began, before = self._seen[0]
        return max(0.0, (done - before) / (now - began)) if now > began else 0.0
