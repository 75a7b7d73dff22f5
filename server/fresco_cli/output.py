"""Telling the user: a progress bar and sentences on stderr, or JSON lines on stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from fresco_media.files.text import counted, printable, printable_json
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from fresco_cli.events import event_as_json, plan_as_json, progress_as_json
from fresco_cli.faults import FAILED, CommandFailed
from fresco_cli.words import moved_in

if TYPE_CHECKING:
    from fresco_client import Event, Plan, StageProgress
    from fresco_engine.types import Report
    from fresco_media.types import ClipProperties

_SEEN_BYTES = 16_000_000


def make_output(*, as_json: bool, quiet: bool) -> Output:
    """The output that the options ask for."""
    if as_json:
        return JsonOutput()
    return Output() if quiet else TerminalOutput()


def write_json(value: Any, *, indent: int | None = None) -> None:
    """One JSON document on stdout; what JSON does not know becomes text."""
    text = json.dumps(value, ensure_ascii=False, default=str, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # A name that is not UTF-8, or a terminal that is not.
        text = json.dumps(value, default=str, indent=indent)
    _write(printable_json(text) + "\n")


def write_text(text: str) -> None:
    """Lines on stdout, of which foreign text inside cannot steer the terminal."""
    _write(printable(text, keep="\n") + "\n")


@contextmanager
def answering() -> Iterator[Console]:
    """For tables and sentences on stdout; nothing else is done inside."""
    with _taken():
        yield Console(highlight=False)


def _write(text: str) -> None:
    with _taken():
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def _taken() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # Whoever read it has had enough, which is for Typer to end quietly.
        raise
    except OSError as error:
        raise refused(error) from None


def refused(error: OSError) -> CommandFailed:
    """What to say when stdout takes nothing more; nothing more is written there."""
    # What is left in the buffer would fail once more when the process ends.
    sys.stdout = _nowhere()
    reason = f"what was to be printed could not be written ({error.strerror})"
    advice = "free some room or print it elsewhere, then run again"
    return CommandFailed("OutputRefused", f"{reason}; {advice}", FAILED)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns that are never folded, so that paths can be copied."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in shown)
    return "\n".join(line.rstrip() for line in lines)


def write_error(text: str) -> None:
    """One sentence on stderr; lines of foreign text inside are `moved_in`."""
    with _news():
        sys.stderr.write(printable(text, keep="\n\t") + "\n")
        sys.stderr.flush()


@contextmanager
def _news() -> Iterator[None]:
    """No work ends because a full disk takes no word about it."""
    try:
        yield
    except BrokenPipeError:  # Whoever read it wants no more.
        raise
    except OSError:
        # What is left in the buffer would fail with every further word.
        sys.stderr = _nowhere()


def _nowhere() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


class Output:
    """Where a command's news goes. This one says nothing but errors; others say more."""

    def event(self, event: Event) -> None:
        """Show what happens to the job."""

    def planned(self, plan: Plan, info: ClipProperties) -> None:
        """Show what is going to be done with a clip."""

    def progress(self, progress: StageProgress, remaining_s: float | None) -> None:
        """Show how far a stage is, and the seconds the whole job may still take."""

    def warned(self, message: str) -> None:
        """Say what should be known and does not stop the job."""

    def finished(self, report: Report) -> None:
        """Tell of a job that went well."""

    def job(self, job_id: str) -> None:
        """Name the job that a daemon works on from here on."""

    def transfer(self, name: str, done: int, total: int) -> None:
        """Show how many bytes have been sent or received."""

    def frames(self, name: str, done: int, total: int) -> None:
        """Show how many frames have been looked at."""

    def note(self, text: str) -> None:
        """Say something that is good to know."""

    def result(self, text: str) -> None:
        """Say what came out of it, on stdout."""

    def answer(self, text: str) -> None:
        """Say on stdout, however quiet, what the command is run for."""
        write_text(text)

    def failed(self, kind: str, text: str) -> None:
        """Say why the command failed."""
        write_error(f"Error: {text}")

    def cancelled(self, text: str) -> None:
        """Say that the user stopped the command."""
        write_error(text)

    def close(self) -> None:
        """Leave the terminal clean."""


class JsonOutput(Output):
    """One JSON object per line on stdout; errors also as sentences on stderr."""

    def event(self, event: Event) -> None:
        """Write the event."""
        values = event_as_json(event)
        if values is not None:
            write_json(values)

    def planned(self, plan: Plan, info: ClipProperties) -> None:
        """Write the plan."""
        write_json({"event": "analysed", **plan_as_json(plan, info)})

    def progress(self, progress: StageProgress, remaining_s: float | None) -> None:
        """Write how far it is."""
        write_json(progress_as_json(progress, remaining_s))

    def warned(self, message: str) -> None:
        """Write the warning."""
        write_json({"event": "warning", "message": message})

    def finished(self, report: Report) -> None:
        """Write the report."""
        write_json({"event": "finished", "report": report.as_dict()})

    def job(self, job_id: str) -> None:
        """Write the job's id."""
        write_json({"event": "job", "id": job_id})

    def answer(self, text: str) -> None:
        """Nothing more: it has been told as an event."""

    def failed(self, kind: str, text: str) -> None:
        """Write the failure as the last line."""
        write_json({"event": "failed", "kind": kind, "message": text})
        super().failed(kind, text)

    def cancelled(self, text: str) -> None:
        """Write the cancellation as the last line."""
        write_json({"event": "cancelled", "message": text})
        super().cancelled(text)


class TerminalOutput(Output):
    """Progress bars on a terminal, a line every tenth of a stage elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._shown: dict[str, int] = {}

    def event(self, event: Event) -> None:
        """Say that all begins again."""
        from fresco_client import Restarted

        if isinstance(event, Restarted):
            self._shown.clear()
            self.warned(event.reason)

    def planned(self, plan: Plan, info: ClipProperties) -> None:
        """Say how much there is to do."""
        self.note(
            f"{counted(plan.stop - plan.start, 'frame')} in "
            f"{counted(len(plan.shots), 'shot')}, "
            f"{counted(len(plan.keyframes), 'keyframe')}, "
            f"worked on at {plan.working_width} x {plan.working_height}"
        )

    def progress(self, progress: StageProgress, remaining_s: float | None) -> None:
        """Move the bar of the stage."""
        left = time_left(remaining_s, is_live=self.console.is_terminal)
        self._move(progress.stage.value, progress.done, progress.total, left)

    def warned(self, message: str) -> None:
        """Say it above the bars."""
        self.note(f"Warning: {message}")

    def job(self, job_id: str) -> None:
        """Name the job."""
        self.note(f"Job {job_id}")

    def transfer(self, name: str, done: int, total: int) -> None:
        """Move the bar of a transfer that takes long enough to be seen."""
        if self.console.is_terminal and total >= _SEEN_BYTES:
            self._move(name, done / 1e6, total / 1e6, " MB")

    def frames(self, name: str, done: int, total: int) -> None:
        """Move the bar of what is looked at."""
        self._move(name, done, total, "")

    def note(self, text: str) -> None:
        """Print a sentence above the bars."""
        with _news():
            self.console.print(moved_in(text), markup=False, highlight=False, soft_wrap=True)

    def result(self, text: str) -> None:
        """Print the result below the bars."""
        self.close()
        write_text(text)

    def answer(self, text: str) -> None:
        """Print it below the bars."""
        self.result(text)

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

    def _move(self, name: str, done: float, total: float, ending: str) -> None:
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
