"""Checking items in a process of their own, so that no clip can hang or end the one that asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import av.logging

from tests.corpus.checking import check
from tests.corpus.items import all_items
from tests.corpus.outcome import Outcome

ROOT = Path(__file__).parents[2]
TIME_LIMIT_S = 240.0


class Worker:
    """A process that checks one item at a time; it is replaced when it hangs or dies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._answers: Queue[str] = Queue()

    def check(self, name: str) -> Outcome:
        """How the item of that name fares."""
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(name + "\n")
        process.stdin.flush()
        try:
            answer = self._answers.get(timeout=TIME_LIMIT_S)
        except Empty:
            self.close()
            return Outcome(name, "fails", failures=[f"hang: no answer in {TIME_LIMIT_S:.0f} s"])
        if not answer:
            code = process.wait()
            self.close()
            return Outcome(name, "fails", failures=[f"crash: the process ended with {code}"])
        return Outcome(**json.loads(answer))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.corpus", "--worker"],
                cwd=ROOT,
                env={**os.environ, "SVT_LOG": "0", "OMP_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
            self._answers = Queue()
            Thread(target=_pass_on, args=(self._process, self._answers), daemon=True).start()
        return self._process


def _pass_on(process: subprocess.Popen[str], answers: Queue[str]) -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            answers.put(line)
    except ValueError:
        """The pipe was closed meanwhile."""
    answers.put("")


def work() -> None:
    """Be the process: names come in by standard input, outcomes go out as JSON, a line each."""
    av.logging.set_level(av.logging.PANIC)
    items = {item.name: item for item in all_items()}
    # Encoders print to standard output too, so answers keep it for themselves.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        with tempfile.TemporaryDirectory() as folder:
            outcome = check(items[line.strip()], Path(folder))
        answers.write(json.dumps(asdict(outcome)) + "\n")
        answers.flush()
