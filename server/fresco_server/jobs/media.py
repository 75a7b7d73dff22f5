"""Asking what clips and models there are, in a process that a damaged file may take down."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fresco_server.errors import EngineRefused, WorkerLost
from fresco_server.jobs.job import Values
from fresco_server.jobs.process import WorkerProcess

_PATIENCE_S = 30.0


class MediaProcess:
    """Answers one question after the other; its process starts with the first and is kept."""

    def __init__(self, worker: Sequence[str], folder: Path) -> None:
        self._command = (*worker, "--media")
        self._folder = folder
        self._turn = threading.Lock()
        self._process: WorkerProcess | None = None
        self._answers: queue.SimpleQueue[Values] = queue.SimpleQueue()
        self._asked = 0

    def describe(self, path: Path, frame_rate: str | None) -> dict[str, Any]:
        """What is known of the clip at `path`, as plain values named like `ClipInfo`'s.

        Raises:
            EngineRefused: it is not a clip that can be used.
            WorkerLost: looking at it took down the process, or takes too long.
        """
        question = {"clip": str(path), "frame_rate": frame_rate}
        return dict(self._ask("describe", str(path), question)["info"])

    def list_models(self, folders: Sequence[str]) -> list[dict[str, Any]]:
        """The models there are, the bundled one first, as plain values.

        Raises:
            WorkerLost: the process ended or takes too long.
        """
        return list(self._ask("models", "the models", {"folders": list(folders)})["models"])

    def _ask(self, do: str, subject: str, question: Values) -> Values:
        with self._turn:
            if self._process is None:
                self._answers = queue.SimpleQueue()
                self._process = WorkerProcess(
                    "media", self._command, self._folder, self._hear, self._bury
                )
            self._asked += 1
            self._process.send({"do": do, "ask": self._asked, **question})
            answer = self._answer(subject)
        if answer["say"] == "refused":
            raise EngineRefused(answer["message"], reason=answer["reason"])
        return answer

    def _answer(self, subject: str) -> Values:
        while True:
            try:
                answer = self._answers.get(timeout=_PATIENCE_S)
            except queue.Empty:
                self._end()
                raise WorkerLost(
                    f"{subject}: looking at it takes too long; check the disk"
                ) from None
            if answer["say"] == "ended":
                self._process = None
                raise WorkerLost(
                    f"{subject}: reading it made the decoder crash; convert it to another format"
                )
            if answer.get("ask") == self._asked:
                return answer

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.close()
            self._process = None

    def _hear(self, process: WorkerProcess, message: Values) -> None:
        if process is self._process and message["say"] != "ready":
            self._answers.put(message)

    def _bury(self, process: WorkerProcess, code: int) -> None:
        if process is self._process:
            self._answers.put({"say": "ended", "code": code})
