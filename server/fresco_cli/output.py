"""Telling the user: a progress bar and sentences on stderr, or JSON lines on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from fresco_engine import types
from fresco_engine.types import Event
from fresco_media.text import counted, printable, printable_json
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from fresco_cli.events import event_as_json
from fresco_cli.words import moved_in

_SEEN_BYTES = 16_000_000


class Output(Protocol):
    """Where a command's news goes."""

    def event(self, event: Event) -> None:
        """Show what the engine says."""
        ...

    def job(self, job_id: str) -> None:
        """Name the job that a daemon works on from here on."""
        ...

    def transfer(self, name: str, done: int, total: int) -> None:
        """Show how many bytes have been sent or received."""
        ...

    def note(self, text: str) -> None:
        """Say something that is good to know."""
        ...

    def result(self, text: str) -> None:
        """Say what came out of it, on stdout."""
        ...

    def failed(self, kind: str, text: str) -> None:
        """Say why the command failed."""
        ...

    def cancelled(self, text: str) -> None:
        """Say that the user stopped the command."""
        ...

    def close(self) -> None:
        """Leave the terminal clean."""
        ...


def make_output(*, as_json: bool, quiet: bool) -> Output:
    """The output that the options ask for."""
    if as_json:
        return JsonOutput()
    return QuietOutput() if quiet else TerminalOutput()


def write_json(value: Any, *, indent: int | None = None) -> None:
    """One JSON document on stdout; what JSON does not know becomes text."""
    text = json.dumps(value, ensure_ascii=False, default=str, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # A name that is not UTF-8, or a terminal that is not.
        text = json.dumps(value, default=str, indent=indent)
    sys.stdout.write(printable_json(text) + "\n")
    sys.stdout.flush()


def write_text(text: str) -> None:
    """Lines on stdout, of which foreign text inside cannot steer the terminal."""
    sys.stdout.write(printable(text, keep="\n") + "\n")
    sys.stdout.flush()


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns that are never folded, so that paths can be copied."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in shown)
    return "\n".join(line.rstrip() for line in lines)


def write_error(text: str) -> None:
    """One sentence on stderr; lines of foreign text inside are `moved_in`."""
    sys.stderr.write(printable(text, keep="\n\t") + "\n")
    sys.stderr.flush()


class QuietOutput:
    """Nothing but errors."""

    def event(self, event: Event) -> None:
        """Say nothing."""

    def job(self, job_id: str) -> None:
        """Say nothing."""

    def transfer(self, name: str, done: int, total: int) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def result(self, text: str) -> None:
        """Say nothing."""

    def failed(self, kind: str, text: str) -> None:
        """Say why the command failed."""
        write_error(f"Error: {text}")

    def cancelled(self, text: str) -> None:
        """Say that the user stopped the command."""
        write_error(text)

    def close(self) -> None:
        """Nothing is open."""


class JsonOutput(QuietOutput):
    """One JSON object per line on stdout; errors also as sentences on stderr."""

    def event(self, event: Event) -> None:
        """Write the event."""
        write_json(event_as_json(event))

    def job(self, job_id: str) -> None:
        """Write the job's id."""
        write_json({"event": "job", "id": job_id})

    def failed(self, kind: str, text: str) -> None:
        """Write the failure as the last line."""
        write_json({"event": "failed", "kind": kind, "message": text})
        super().failed(kind, text)

    def cancelled(self, text: str) -> None:
        """Write the cancellation as the last line."""
        write_json({"event": "cancelled", "message": text})
        super().cancelled(text)


class TerminalOutput(QuietOutput):
    """Progress bars on a terminal, a line every tenth of a stage elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._shown: dict[str, int] = {}

    def event(self, event: Event) -> None:
        """Move the bars, or say what happened."""
        if isinstance(event, types.Progress):
            left = time_left(event.remaining_s, is_live=self.console.is_terminal)
            self._progress(event.stage.value, event.done, event.total, left)
        elif isinstance(event, types.Warned):
            self.note(f"Warning: {event.message}")
        elif isinstance(event, types.Restarted):
            self._shown.clear()
            self.note(f"Warning: {event.reason}")
        elif isinstance(event, types.Analysed):
            self.note(
                f"{counted(event.stop - event.start, 'frame')} in "
                f"{counted(len(event.shots), 'shot')}, "
                f"{counted(len(event.keyframes), 'keyframe')}, "
                f"worked on at {event.working_size[0]} x {event.working_size[1]}"
            )

    def job(self, job_id: str) -> None:
        """Name the job."""
        self.note(f"Job {job_id}")

    def transfer(self, name: str, done: int, total: int) -> None:
        """Move the bar of a transfer that takes long enough to be seen."""
        if self.console.is_terminal and total >= _SEEN_BYTES:
            self._progress(name, done / 1e6, total / 1e6, " MB")

    def note(self, text: str) -> None:
        """Print a sentence above the bars."""
        self.console.print(moved_in(text), markup=False, highlight=False, soft_wrap=True)

    def result(self, text: str) -> None:
        """Print the result below the bars."""
        self.close()
        write_text(text)

    def failed(self, kind: str, text: str) -> None:
        """Say why the command failed, below what the bars show."""
        self.close()
        super().failed(kind, text)

    def cancelled(self, text: str) -> None:
        """Say that the user stopped the command, below what the bars show."""
        self.close()
        super().cancelled(text)

    def close(self) -> None:
        """Stop the bars where they are."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _progress(self, name: str, done: float, total: float, ending: str) -> None:
        if self.console.is_terminal:
            self._move_bar(name, done, total, ending)
            return
        share = done / total if total else 1.0
        tenth = int(share * 10 + 1e-9)
        if tenth != self._shown.get(name):
            self._shown[name] = tenth
            self.note(f"{name} {share:.0%}{ending}")

    def _move_bar(self, name: str, done: float, total: float, ending: str) -> None:
        if self._bars is None:
            self._bars = _make_bars(self.console)
            self._bars.start()
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(printable(name), left="")
        self._bars.update(self._tasks[name], completed=done, total=total, left=ending)


def _make_bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<22}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}{task.fields[left]}", markup=False),
        console=console,
    )


def time_left(remaining_s: float | None, *, is_live: bool) -> str:
    """ ", 4 min left"; while it is not known ", estimating…" where the line will be replaced."""
    from fresco_client.words import ESTIMATING, duration

    if remaining_s is not None:
        return f", {duration(remaining_s)} left"
    return f", {ESTIMATING}" if is_live else ""
