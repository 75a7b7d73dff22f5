"""What went wrong in the worker, as it is told to the daemon."""

from __future__ import annotations

import logging
import os
import traceback

from fresco_client.values import Failure
from fresco_engine.errors import (
    CheckpointError,
    ClipError,
    DiskFull,
    FileChanged,
    FrescoError,
    KeyframesUnusable,
    MaskUnusable,
    NotPermitted,
    OutOfDeviceMemory,
    OutputError,
)
from fresco_settings import Remedy, said

from fresco_server.errors import reason_of

_LOGGER = logging.getLogger(__name__)
_PASSING = (
    *(DiskFull, OutOfDeviceMemory, OutputError),
    *(ClipError, FileChanged, MaskUnusable, KeyframesUnusable, NotPermitted),
)
"""Faults of the moment: once they are mended, the job can go on from what is there.

Of files that is so as a job is made only of a clip and a mask that can be read.
"""


class KnownFailure(Exception):
    """What has gone wrong elsewhere, as it was told there."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def failure_of(error: Exception) -> Failure:
    """An error's kind, its sentence, whether a job can go on after it, and a trace for the log."""
    if isinstance(error, KnownFailure):
        return error.failure
    if isinstance(error, PermissionError) and error.filename is not None:
        error = NotPermitted(os.fsdecode(error.filename))
    if isinstance(error, FrescoError):
        can_resume = isinstance(error, _PASSING) and not isinstance(error, CheckpointError)
        reason = reason_of(type(error).__name__)
        return Failure(
            reason=reason,
            message=str(error),
            can_resume=can_resume,
            field=error.field,
            remedy=error.remedy_code,
        )
    trace = "".join(traceback.format_exception(error))
    _LOGGER.error("something unexpected happened:\n%s", trace)
    if isinstance(error, MemoryError):
        remedy = Remedy.LESS_MEMORY
        text = f"the memory is full; close other programs, or {said(remedy)}"
    else:
        remedy = Remedy.REPORT_FAULT
        first_line = str(error).strip().split("\n")[0]
        text = (
            f"something Fresco did not expect happened ({type(error).__name__}: {first_line}); "
            f"{said(remedy)}"
        )
    log_tail = "\n".join(trace.splitlines()[-20:])
    return Failure(
        reason="UNEXPECTED", message=text, can_resume=True, log_tail=log_tail, remedy=remedy.value
    )
