"""All errors of the client. Each text is a sentence for the user that says what to do.

ClientError
├── DaemonNotFound          no daemon runs
├── DaemonNotInstalled      there is no program to start
├── DaemonFailedToStart     it ended before it answered; carries its last log lines
├── DaemonUnreachable       the connection was refused or lost; trying again may help
├── DaemonSilent            one runs on this machine and does not answer
├── VersionMismatch         daemon and client are of versions that do not fit
├── NotAuthorised           the token is missing or wrong
├── SessionClosed           the session was closed by this program
├── FileFailed              a file on this machine cannot be read or written
└── CallFailed              the daemon refused or failed; carries its reason
    ├── InvalidRequest      a value is wrong; the message names it
    ├── NotFound            there is no such clip, job, picture or model
    ├── AlreadyExists       the id is taken
    ├── NotPossibleNow      the state of things does not allow it
    ├── OutOfRange          past the end of something
    ├── LimitReached        queue, disk, quota, memory, message size or number of streams
    ├── Cancelled           ended by the other side: a newer look took its place
    ├── TimedOut            no answer within the time the call may take
    ├── DataLost            bytes are damaged or gone
    ├── Forbidden           the path lies outside what the daemon may read
    ├── NotSupported        this daemon does not know the call
    └── InternalFailure     a fault of the daemon; its log says more
"""

from __future__ import annotations

from pathlib import Path

from fresco_settings import Remedy, said, titles


class ClientError(Exception):
    """Any error of this package."""

    @property
    def message(self) -> str:
        """All there is to say to the user."""
        return str(self)

    @property
    def summary(self) -> str:
        """The sentence for the user, without `details`."""
        return str(self)

    @property
    def details(self) -> str:
        """More for a report, such as lines of a log; may be empty."""
        return ""


class DaemonNotFound(ClientError):
    """No daemon runs for this data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        super().__init__(f"No Fresco daemon runs for {data}. {said(Remedy.START_DAEMON)}")


class DaemonNotInstalled(ClientError):
    """No daemon runs, and there is no program that could be started."""

    def __init__(self, data: Path) -> None:
        self.data = data
        super().__init__(
            "Fresco is not installed where it can be found. Install it and "
            f"{said(Remedy.START_DAEMON_ONCE)}, or put the command into {data / 'program.json'}."
        )


class DaemonFailedToStart(ClientError):
    """The daemon was started and ended, or did not answer in time; `log` is what it printed."""

    def __init__(self, problem: str, log: Path | None, log_tail: str) -> None:
        self.log = log
        self.log_tail = log_tail
        place = f" Its log is {log}." if log else ""
        self._summary = f"The Fresco daemon {problem}.{place}"
        ending = f" Its last lines:\n{log_tail}" if log_tail else ""
        super().__init__(self._summary + ending)

    @property
    def summary(self) -> str:
        """See `ClientError`."""
        return self._summary

    @property
    def details(self) -> str:
        """See `ClientError`."""
        return self.log_tail


class DaemonUnreachable(ClientError):
    """The connection could not be made or was lost."""

    def __init__(self, address: str, detail: str) -> None:
        self.address = address
        self.detail = detail
        super().__init__(
            f"The Fresco daemon at {address} cannot be reached ({detail.rstrip('.')}). "
            "Check that it runs, then try again."
        )


class DaemonSilent(DaemonUnreachable):
    """A daemon runs for this data folder, by its own account, and does not answer."""

    def __init__(self, data: Path, address: str, process_id: int, log: Path) -> None:
        self.data = data
        self.address = address
        self.detail = "no answer"
        self.process_id = process_id
        ClientError.__init__(
            self,
            f"A Fresco daemon runs for {data} (process {process_id}, at {address}), but it does "
            "not answer: it may be busy, or have too many connections. Try again in a minute; if "
            f"it still is silent, its log {log} may tell why, and ending that process makes room "
            "for a new one.",
        )


class VersionMismatch(ClientError):
    """Daemon and client do not speak the same version of the contract."""


class NotAuthorised(ClientError):
    """The daemon does not know the token."""

    def __init__(self, address: str, detail: str) -> None:
        self.address = address
        self.detail = detail
        super().__init__(
            f"The Fresco daemon at {address} does not accept this token. "
            f"{said(Remedy.USE_PRINTED_TOKEN)} or wrote when it started."
        )


class SessionClosed(ClientError):
    """The session was closed while, or before, it was used."""

    def __init__(self) -> None:
        super().__init__("The session with the Fresco daemon was closed. Open a new one.")


class FileFailed(ClientError):
    """A file on this machine cannot be read or written."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")

    @classmethod
    def from_os(cls, path: Path, error: OSError) -> FileFailed:
        """What the operating system said, in its words, or that a file is in a folder's place."""
        if isinstance(error, FileExistsError | NotADirectoryError):
            for place in (path, *path.parents):
                if place.exists() and not place.is_dir():
                    problem = "it is a file, and a folder is needed there. Choose another place."
                    return cls(place, problem)
        if isinstance(error, IsADirectoryError):
            return cls(path, "it is a folder, and a file is to be there. Choose another name.")
        return cls(path, f"{error.strerror or error}. Check the path, its rights and free space.")


class CallFailed(ClientError):
    """The daemon answered with an error."""

    def __init__(self, message: str, reason: str = "", field: str = "", remedy: str = "") -> None:
        self.reason = reason
        """Kind of error for programs, such as CLIP_NOT_FOUND; may be empty."""
        self.field = field
        """The declared name of the setting that is wrong, such as "guidance_scale"; or empty.

        The message calls it by its title.
        """
        self.remedy = remedy
        """The code of what may put it right (`fresco_settings.Remedy`), or of a newer one."""
        super().__init__(_with_title(field, message) or type(self).__doc__ or type(self).__name__)


class InvalidRequest(CallFailed):
    """A value of the request is not allowed."""


class NotFound(CallFailed):
    """What was asked for does not exist."""


class AlreadyExists(CallFailed):
    """It exists already."""


class NotPossibleNow(CallFailed):
    """The state of things does not allow it."""


class OutOfRange(CallFailed):
    """It lies past the end."""


class LimitReached(CallFailed):
    """A limit is reached; try again when there is room."""


class Cancelled(CallFailed):
    """It was cancelled by the other side."""


class TimedOut(CallFailed):
    """The Fresco daemon did not answer in time, as on a busy computer; try again in a moment."""


class DataLost(CallFailed):
    """Data is damaged or gone."""


class Forbidden(CallFailed):
    """The daemon may not do that."""


class NotSupported(CallFailed):
    """This daemon does not know the call; update it."""


class InternalFailure(CallFailed):
    """The daemon failed; its log says more."""


UNAVAILABLE = 14
"""The gRPC status of a connection that could not be made or was lost."""

_CLASSES: dict[int, type[CallFailed]] = {
    1: Cancelled,
    2: InternalFailure,  # UNKNOWN
    3: InvalidRequest,
    4: TimedOut,
    5: NotFound,
    6: AlreadyExists,
    7: Forbidden,
    8: LimitReached,
    9: NotPossibleNow,
    10: NotPossibleNow,  # ABORTED
    11: OutOfRange,
    12: NotSupported,
    13: InternalFailure,
    15: DataLost,
}
# What gRPC itself says of these ("Deadline Exceeded") tells nobody more than our own sentence.
_SAID_BY_GRPC = {4, 12}
# Parts of what gRPC says of a connection that is lost, and what that means.
_LOSSES = (
    ("wrong_version_number", "it does not speak TLS as this program does"),
    ("refused", "connection refused"),
    ("timed out", "no answer"),
    ("timeout", "no answer"),
    ("deadline", "no answer"),
    ("dns", "there is no computer of this name"),
    ("name resolution", "there is no computer of this name"),
    ("certificate", "its certificate does not fit"),
    ("handshake", "it does not speak TLS as this program does"),
    ("goaway", "it is shutting down"),
    ("reset by peer", "the connection was lost"),
    ("broken pipe", "the connection was lost"),
    ("socket closed", "the connection was lost"),
    ("stream removed", "the connection was lost"),
    ("unreachable", "there is no way to it in the network"),
)
_UNAUTHENTICATED = 16
_FAILED_PRECONDITION = 9
_VERSION_REASON = "VERSION_MISMATCH"


def error_of_status(
    code: int, message: str, reason: str, address: str, field: str = "", remedy: str = ""
) -> ClientError:
    """The error for a gRPC status other than OK.

    `reason`, `field` and `remedy` are the metadata `fresco-reason`, `fresco-field` and
    `fresco-remedy`.
    """
    if code == UNAVAILABLE:
        return DaemonUnreachable(address, message if reason else _lost(message))
    if code == _UNAUTHENTICATED:
        return NotAuthorised(address, message)
    if code == _FAILED_PRECONDITION and reason == _VERSION_REASON:
        return VersionMismatch(message)
    if code in _SAID_BY_GRPC and not reason:
        message = ""
    return _CLASSES.get(code, InternalFailure)(message, reason, field, remedy)


def is_passing(error: Exception) -> bool:
    """Whether trying again by itself may help: the daemon is busy, starting or away for now."""
    return isinstance(error, DaemonUnreachable | TimedOut)


def _lost(details: str) -> str:
    """What gRPC says of a lost connection, in words of a person where it is a plain case."""
    lowered = details.lower()
    known = (words for part, words in _LOSSES if part in lowered)
    return next(known, details.rpartition("last error: ")[2][:300]) or "no answer"


def _with_title(field: str, message: str) -> str:
    """A sentence that begins with a setting's name, with its title instead."""
    prefix = f"{field}: "
    if not (field and message.startswith(prefix)):
        return message
    return f"{titles().get(field, field)}: {message.removeprefix(prefix)}"
