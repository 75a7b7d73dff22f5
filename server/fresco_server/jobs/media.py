"""Asking what clips and models there are, in processes that a damaged file may take down."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fresco_server.errors import DaemonLimitReached, EngineRefused, ShuttingDown, WorkerLost
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.messages import (
    CheckOrder,
    ClipDescribed,
    DescribeClip,
    Ended,
    ListModels,
    MediaMessage,
    Message,
    ModelsListed,
    NamingFiles,
    OrderChecked,
    Question,
    QuestionRefused,
    Ready,
    WantedMask,
)
from fresco_server.jobs.process import WorkerProcess

_LOGGER = logging.getLogger(__name__)
_PATIENCE_S = 30.0
_START_PATIENCE_S = 80.0
"""Seconds until a process is ready: on a cold disk or a busy machine that is no clip's fault."""
_MOST_PROCESSES = 6
_MOST_IDLE = 2
_LOOK_S = 0.25
"""How often is asked whether anybody still waits for the answer."""

IsWanted = Callable[[], bool]


def _always() -> bool:
    return True


class MediaProcesses:
    """Answers questions, several at once; a slow one holds up none but who has asked it.

    Processes start as they are needed, and two stay.
    """

    def __init__(self, worker: Sequence[str], folder: Path, most: int = _MOST_PROCESSES) -> None:
        self._command = (*worker, "--media")
        self._folder = folder
        self._free = threading.Semaphore(most)
        self._most = most
        self._lock = threading.Lock()
        self._idle: list[_MediaProcess] = []
        self._all: set[_MediaProcess] = set()
        self._is_closed = False

    def describe(
        self,
        path: Path,
        frame_rate: str | None,
        is_wanted: IsWanted = _always,
        mask: WantedMask | None = None,
        naming: NamingFiles | None = None,
    ) -> ClipDescribed:
        """What is known of the clip at `path`; its `info` are values named like `ClipInfo`'s.

        `is_wanted` is asked now and then; once it says no the look ends.

        Raises:
            EngineRefused: it is not a clip that can be used, or `mask` is none of it.
            LimitReached: as many clips as can be are being looked at.
            WorkerLost: looking at it took down the process, or takes too long.
        """
        question = DescribeClip(
            ask=0, clip=str(path), frame_rate=frame_rate, mask=mask, naming=naming
        )
        subject = str(path) if mask is None else f"{path} or its mask, {mask.mask}"
        answer = self._answer(subject, question, is_wanted)
        assert isinstance(answer, ClipDescribed)
        return answer

    def check(self, order: JobOrder) -> None:
        """Insist on all files of `order` being there, and what they were when it was made.

        Raises:
            EngineRefused: one is gone, or another by now.
            LimitReached, WorkerLost: as `describe`.
        """
        self._answer(order.clip, CheckOrder(ask=0, order=order), _always)

    def list_models(self, folders: Sequence[str]) -> list[dict[str, Any]]:
        """The models there are, the bundled one first, as plain values.

        Raises:
            LimitReached, WorkerLost: as `describe`.
        """
        question = ListModels(ask=0, folders=tuple(folders))
        answer = self._answer("the models", question, _always)
        assert isinstance(answer, ModelsListed)
        return list(answer.models)

    def close(self) -> None:
        """End all processes; who waits for one is told."""
        with self._lock:
            self._is_closed = True
            doomed = list(self._all)
        for process in doomed:
            process.close()

    def _answer(self, subject: str, question: Question, is_wanted: IsWanted) -> MediaMessage:
        """What a process answers; where one ends, which the system may have killed, a new one."""
        try:
            with self._process(is_wanted) as process:
                return process.ask(subject, question, is_wanted)
        except _Crashed:
            _LOGGER.warning("a process that looked at %s ended; another one looks", subject)
        try:
            with self._process(is_wanted, is_new=True) as process:
                return process.ask(subject, question, is_wanted)
        except _Crashed as crash:
            raise WorkerLost(str(crash)) from None

    @contextmanager
    def _process(self, is_wanted: IsWanted, *, is_new: bool = False) -> Iterator[_MediaProcess]:
        self._take_slot(is_wanted)
        process = self._taken(is_new=is_new)
        try:
            yield process
        finally:
            self._give_back(process)
            self._free.release()

    def _take_slot(self, is_wanted: IsWanted) -> None:
        ends = time.monotonic() + _PATIENCE_S
        while not self._free.acquire(timeout=_LOOK_S):
            if time.monotonic() > ends or not is_wanted():
                raise DaemonLimitReached(
                    f"{self._most} clips are being looked at already; try again in a moment",
                    reason="TOO_MANY_CLIPS",
                )

    def _taken(self, *, is_new: bool) -> _MediaProcess:
        with self._lock:
            if self._is_closed:
                self._free.release()
                raise ShuttingDown
            process = self._idle.pop() if self._idle and not is_new else None
            if process is None:
                process = _MediaProcess(self._command, self._folder)
                self._all.add(process)
            return process

    def _give_back(self, process: _MediaProcess) -> None:
        with self._lock:
            is_kept = process.is_alive and len(self._idle) < _MOST_IDLE and not self._is_closed
            if is_kept:
                self._idle.append(process)
                return
            self._all.discard(process)
        process.end()


class _Crashed(Exception):
    """A process has ended while it was asked, or since it was asked last."""


class _MediaProcess:
    """One process, asked one question after the other; it starts with the first."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._process: WorkerProcess | None = None
        self._answers: queue.SimpleQueue[MediaMessage | Ready | Ended] = queue.SimpleQueue()
        self._asked = 0
        self._lock = threading.Lock()
        self._is_closed = False
        self._is_ready = False

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked again."""
        return self._process is not None

    def ask(self, subject: str, question: Question, is_wanted: IsWanted) -> MediaMessage:
        """The answer to a question about `subject`; the question gets a number here.

        Raises:
            EngineRefused, WorkerLost, _Crashed: there is none.
        """
        process = self._process or self._started()
        self._asked += 1
        process.send(replace(question, ask=self._asked))
        answer = self._answer(subject, is_wanted)
        if isinstance(answer, QuestionRefused):
            raise EngineRefused.because_of(answer.failure)
        return answer

    def _started(self) -> WorkerProcess:
        process = WorkerProcess("media", self._command, self._folder, self._on_message)
        # The daemon may have closed while the process was starting: nobody else would end it.
        with self._lock:
            self._process = process
            is_closed = self._is_closed
        if is_closed:
            self.end()
        return process

    def _answer(self, subject: str, is_wanted: IsWanted) -> MediaMessage:
        ends = time.monotonic() + (_PATIENCE_S if self._is_ready else _START_PATIENCE_S)
        while True:
            try:
                answer = self._answers.get(timeout=_LOOK_S)
            except queue.Empty:
                if time.monotonic() < ends and is_wanted():
                    continue
                self.end()
                raise WorkerLost(self._too_slow(subject)) from None
            if isinstance(answer, Ready):
                ends = time.monotonic() + _PATIENCE_S
                continue
            if isinstance(answer, Ended):
                self._process = None
                if self._is_closed:
                    raise ShuttingDown
                raise _Crashed(self._how_it_ended(subject))
            if answer.ask == self._asked:
                return answer

    def _how_it_ended(self, subject: str) -> str:
        if self._is_ready:
            return f"{subject}: reading it made the decoder crash; convert it to another format"
        return "the process that looks at clips does not start; the daemon's log says why"

    def _too_slow(self, subject: str) -> str:
        if self._is_ready:
            return f"{subject}: looking at it takes too long; check the disk"
        return (
            "the process that looks at clips takes too long to start; try again when this machine "
            "has less to do"
        )

    def close(self) -> None:
        """End it because the daemon does; who waits for an answer is told; from any thread."""
        with self._lock:
            self._is_closed = True
        self.end()

    def end(self) -> None:
        """End it for good; from any thread."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.close()
            self._answers.put(Ended())

    def _on_message(self, process: WorkerProcess, message: Message | Ended) -> None:
        match message:
            case Ready():
                self._is_ready = True
                self._answers.put(message)
            case ClipDescribed() | OrderChecked() | ModelsListed() | QuestionRefused() | Ended():
                self._answers.put(message)
            case _:
                pass
