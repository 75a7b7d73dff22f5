"""Strips that other Blenders render meanwhile, so that what they show can be sent."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from fresco_client import ClientError

from . import files
from .extraction import Extraction, ExtractionFailed
from .faults import PluginFault, fault_of
from .messages import JobProblem, Rendered, RenderProgress, WorkerMessage
from .request import RestyleRequest

_POLL_S = 0.1


class StripRenders:
    """Renders under way, each on a thread of its own: as many at once as this machine has cores.

    One core is left to looks, which nobody wants to wait for; a new look ends the one before.
    """

    def __init__(self, inbox: queue.SimpleQueue[WorkerMessage], cores: int | None = None) -> None:
        self._inbox = inbox
        self._lock = threading.Lock()
        self._extractions: dict[str, Extraction] = {}
        self._look: Extraction | None = None
        self._slots = threading.Semaphore(max(1, (cores or os.cpu_count() or 2) - 1))
        self._is_closed = False

    def begin(self, request: RestyleRequest, command: list[str], frame_count: int) -> None:
        """Render a strip, then tell that its request can be sent."""
        extraction = Extraction(command, request.path, frame_count)
        with self._lock:
            if self._is_closed:
                return
            self._extractions[request.job_id] = extraction
        _start(partial(self._run, request, extraction))

    def cancel(self, request: RestyleRequest) -> bool:
        """End a request's render, if it is rendered just now; whether it was."""
        with self._lock:
            extraction = self._extractions.pop(request.job_id, None)
        if extraction is not None:
            extraction.close()
        return extraction is not None

    def close(self) -> None:
        """End them all at once."""
        with self._lock:
            self._is_closed = True
            extractions = [*self._extractions.values(), *filter(None, (self._look,))]
        for extraction in extractions:
            extraction.close()

    def _run(self, request: RestyleRequest, extraction: Extraction) -> None:
        total = request.stop - request.start

        def tell(done: int) -> None:
            self._inbox.put(RenderProgress(request.job_id, done, total))

        try:
            with self._slot(extraction):
                is_whole = extraction.run(tell)
            with self._lock:  # Whoever cancels from now on has to do so at the daemon.
                is_wanted = self._extractions.pop(request.job_id, None) is not None
            if is_whole and is_wanted:
                is_transparent = extraction.is_transparent
                self._inbox.put(Rendered(replace(request, is_transparent=is_transparent)))
            else:
                files.remove_work(Path(request.folder), request.job_id)
        except ExtractionFailed as error:
            self._inbox.put(
                JobProblem(request.job_id, PluginFault(str(error), "SEND", error.log_tail))
            )
        finally:
            with self._lock:
                self._extractions.pop(request.job_id, None)

    def render_frame(
        self,
        request: RestyleRequest,
        command: list[str],
        then: Callable[[bool], None],
        on_fault: Callable[[PluginFault], None],
    ) -> None:
        """Render the one frame of a look; a look before it is given up.

        `then` is told whether something can be seen through the frame.
        """
        extraction = Extraction(command, request.path, 1)
        with self._lock:
            if self._is_closed:
                return
            former, self._look = self._look, extraction
        if former is not None:
            former.close()

        def run() -> None:
            try:
                if extraction.run(lambda done: None):
                    then(extraction.is_transparent)
            except ExtractionFailed as error:
                on_fault(PluginFault(str(error), "", error.log_tail))
            except ClientError as error:
                on_fault(fault_of(error))

        _start(run)

    @contextmanager
    def _slot(self, extraction: Extraction) -> Generator[None]:
        """A time in which one more Blender may run; waited for, unless it is closed meanwhile."""
        has_slot = False
        while not (has_slot or extraction.is_closed):
            has_slot = self._slots.acquire(timeout=_POLL_S)
        try:
            yield
        finally:
            if has_slot:
                self._slots.release()


def _start(run: Callable[[], None]) -> None:
    threading.Thread(target=run, daemon=True, name="fresco-render").start()
