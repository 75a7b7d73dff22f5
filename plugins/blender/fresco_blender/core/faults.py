"""Errors as the panel shows them: a sentence, and the button that may mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fresco_client import (
    ClientError,
    DaemonFailedToStart,
    DaemonNotFound,
    DaemonNotInstalled,
    DaemonUnreachable,
    Failure,
    FileFailed,
    NotAuthorised,
    VersionMismatch,
)
from fresco_client.remedies import in_window
from fresco_client.words import unexpected

Remedy = Literal["", "START", "RECONNECT", "PREFERENCES", "RESUME", "FOLLOW", "PLACE", "SEND"]
"""Which button helps: start the daemon, connect anew, open the preferences, let the job go on,
fetch again, place the result, send the job again."""

_REMEDIES: tuple[tuple[type[ClientError], Remedy], ...] = (
    (DaemonNotFound, "START"),
    (DaemonNotInstalled, "PREFERENCES"),
    (DaemonFailedToStart, "START"),
    (DaemonUnreachable, "RECONNECT"),
    (VersionMismatch, "RECONNECT"),
    (NotAuthorised, "PREFERENCES"),
    (FileFailed, "FOLLOW"),
)


@dataclass(frozen=True)
class PluginFault:
    """What went wrong."""

    message: str
    remedy: Remedy = ""
    details: str = ""
    """More for a report; may be empty."""


NOT_RUNNING = PluginFault("No Fresco daemon runs. Start one.", "START")
"""Nothing went wrong, really."""


def fault_of(error: Exception, remedy: Remedy | None = None) -> PluginFault:
    """An error as a fault; `remedy` where the place it happened knows better than its kind."""
    if isinstance(error, DaemonFailedToStart):
        return PluginFault(error.summary, remedy or "START", error.details)
    if isinstance(error, DaemonNotFound):
        return NOT_RUNNING
    if isinstance(error, DaemonNotInstalled):
        text = (
            "Fresco is not installed where it can be found. Install it, run 'fresco serve' once, "
            "or name its command in the add-on's preferences."
        )
        return PluginFault(text, "PREFERENCES")
    if isinstance(error, ClientError):
        return PluginFault(
            in_window(error.message), _remedy_of(error) if remedy is None else remedy
        )
    return PluginFault(unexpected(error), remedy or "")


def _remedy_of(error: ClientError) -> Remedy:
    for kind, remedy in _REMEDIES:
        if isinstance(error, kind):
            return remedy
    return ""


def fault_of_failure(failure: Failure) -> PluginFault:
    """Why a job has failed."""
    return PluginFault(
        in_window(failure.message), "RESUME" if failure.can_resume else "", failure.log_tail
    )
