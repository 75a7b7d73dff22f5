"""What went wrong, as a kind for programs, a sentence for the user, and an exit code."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fresco_engine import errors
from fresco_engine.errors import DiskFull, FrescoError, InvalidSettings, OutOfDeviceMemory
from fresco_settings import titles

from fresco_cli.remedies import options
from fresco_cli.words import moved_in

if TYPE_CHECKING:
    from fresco_client import ClientError

FAILED = 1
WRONG_INPUT = 2
# What the machine lacks is a failure; everything else the user can put right is input.
_LACKING = (DiskFull, OutOfDeviceMemory)


class CommandFailed(Exception):
    """A command ends with this sentence and exit code."""

    def __init__(self, kind: str, text: str, code: int) -> None:
        super().__init__(text)
        self.kind = kind
        self.code = code


class Stopped(KeyboardInterrupt):
    """The user stopped the command; the text says what became of the work."""


@dataclass(frozen=True)
class Fault:
    """Kind, sentence and exit code."""

    kind: str
    text: str
    code: int


def fault_of(error: Exception) -> Fault:
    """What `error` means to the user."""
    kind = type(error).__name__
    if isinstance(error, PermissionError) and error.filename is not None:
        # Looking whether a file is there fails in a folder that nobody may look into.
        return fault_of(errors.NotPermitted(os.fsdecode(error.filename)))
    if isinstance(error, CommandFailed):
        return Fault(error.kind, str(error), error.code)
    if isinstance(error, InvalidSettings):
        return Fault(kind, moved_in(f"{called_here(error.field)}: {error.reason}"), code_of(kind))
    if isinstance(error, FrescoError):
        return Fault(kind, moved_in(error), code_of(kind))
    from fresco_client import ClientError

    if isinstance(error, ClientError):
        return _fault_of_call(error)
    return Fault(kind, moved_in(_unexpected(error)), FAILED)


def called_here(field: str) -> str:
    """A setting by the name of its option, where it has one."""
    return options().get(field, field).lstrip("-")


def kind_of(reason: str) -> str:
    """The class name that became a `reason` of the daemon: CLIP_NOT_FOUND was ClipNotFound."""
    return "".join(word.capitalize() for word in reason.split("_"))


def code_of(kind: str) -> int:
    """The exit code of an engine's error, by its class name; that of a failure for any other."""
    known = getattr(errors, kind, None)
    if not (isinstance(known, type) and issubclass(known, FrescoError)):
        return FAILED
    return FAILED if issubclass(known, _LACKING) else WRONG_INPUT


def _called_here(error: ClientError) -> str:
    """The sentence of a daemon, which calls a setting by its title, with its option instead."""
    field = getattr(error, "field", "")
    title, _, rest = error.message.partition(": ")
    if not field or title not in (field, titles().get(field)):
        return error.message
    return f"{called_here(field)}: {rest}"


def _fault_of_call(error: ClientError) -> Fault:
    import fresco_client as client

    kind = type(error).__name__
    wrong_input = (
        client.InvalidRequest,
        client.NotFound,
        client.AlreadyExists,
        client.Forbidden,
        client.OutOfRange,
        client.NotPossibleNow,
        client.NotAuthorised,
    )
    code = WRONG_INPUT if isinstance(error, wrong_input) else FAILED
    if isinstance(error, client.CallFailed) and error.reason:
        kind = kind_of(error.reason)
    return Fault(kind, moved_in(_called_here(error)), code)


def _unexpected(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "the memory is full; close other programs, or use a smaller --size or --batch"
    text = str(error).strip().split("\n")[0]
    return (
        f"something Fresco did not expect happened ({type(error).__name__}: {text}); "
        "run the command again with --debug and report what it prints"
    )
