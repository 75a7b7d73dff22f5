"""What every error means to a client: one table from kinds of errors to gRPC statuses."""

from __future__ import annotations

from dataclasses import dataclass

from fresco_engine.errors import FrescoError
from fresco_media.files.text import printable
from grpc import StatusCode

from fresco_server import errors

_BY_CLASS: dict[type[errors.ServerError], StatusCode] = {
    errors.JobNotFound: StatusCode.NOT_FOUND,
    errors.JobExists: StatusCode.ALREADY_EXISTS,
    errors.NotPossible: StatusCode.FAILED_PRECONDITION,
    errors.BadRequest: StatusCode.INVALID_ARGUMENT,
    errors.PositionOutOfRange: StatusCode.OUT_OF_RANGE,
    errors.PathForbidden: StatusCode.PERMISSION_DENIED,
    errors.ArtefactNotFound: StatusCode.NOT_FOUND,
    errors.ArtefactLost: StatusCode.DATA_LOSS,
    errors.UploadNotFound: StatusCode.NOT_FOUND,
    errors.UploadIncomplete: StatusCode.FAILED_PRECONDITION,
    errors.UploadDamaged: StatusCode.DATA_LOSS,
    errors.DaemonLimitReached: StatusCode.RESOURCE_EXHAUSTED,
    errors.Superseded: StatusCode.CANCELLED,
    errors.ShuttingDown: StatusCode.UNAVAILABLE,
    errors.WorkerLost: StatusCode.UNAVAILABLE,
    errors.ModelUnusable: StatusCode.FAILED_PRECONDITION,
    errors.DeviceUnknown: StatusCode.FAILED_PRECONDITION,
    errors.NodeUnknown: StatusCode.NOT_FOUND,
    errors.CannotStart: StatusCode.FAILED_PRECONDITION,
}

ENGINE_REASONS: dict[str, StatusCode] = {
    "INVALID_SETTINGS": StatusCode.INVALID_ARGUMENT,
    "CLIP_NOT_FOUND": StatusCode.NOT_FOUND,
    "CLIP_UNREADABLE": StatusCode.FAILED_PRECONDITION,
    "CLIP_CHANGED": StatusCode.FAILED_PRECONDITION,
    "FILE_CHANGED": StatusCode.FAILED_PRECONDITION,
    "NO_VIDEO_STREAM": StatusCode.FAILED_PRECONDITION,
    "SEQUENCE_GAP": StatusCode.FAILED_PRECONDITION,
    "KEYFRAMES_UNUSABLE": StatusCode.FAILED_PRECONDITION,
    "MASK_UNUSABLE": StatusCode.FAILED_PRECONDITION,
    "NOT_PERMITTED": StatusCode.FAILED_PRECONDITION,
    "RANGE_OUTSIDE_CLIP": StatusCode.OUT_OF_RANGE,
    "OUTPUT_EXISTS": StatusCode.FAILED_PRECONDITION,
    "OUTPUT_NOT_WRITABLE": StatusCode.FAILED_PRECONDITION,
    "DISK_FULL": StatusCode.RESOURCE_EXHAUSTED,
    "RESULT_MISMATCH": StatusCode.FAILED_PRECONDITION,
    "CHECKPOINT_ERROR": StatusCode.FAILED_PRECONDITION,
    "CHECKPOINT_MISMATCH": StatusCode.FAILED_PRECONDITION,
    "MODEL_NOT_FOUND": StatusCode.NOT_FOUND,
    "MODEL_CORRUPT": StatusCode.FAILED_PRECONDITION,
    "WRONG_MODEL_KIND": StatusCode.FAILED_PRECONDITION,
    "RESULT_NOT_FINITE": StatusCode.FAILED_PRECONDITION,
    "CONTROL_UNAVAILABLE": StatusCode.FAILED_PRECONDITION,
    "OUT_OF_DEVICE_MEMORY": StatusCode.RESOURCE_EXHAUSTED,
}
"""By the reason of an engine's error, which is all that is left of one from another process."""

REASON_KEY = "fresco-reason"
FIELD_KEY = "fresco-field"
REMEDY_KEY = "fresco-remedy"
_DETAIL_BYTES = 3000
"""A status travels in the trailers, which by default hold 8 KiB in all; escapes may double it."""


@dataclass(frozen=True)
class CallStatus:
    """How a call ends: gRPC's code, the kind of error for programs, a sentence for the user."""

    code: StatusCode
    reason: str
    message: str
    field: str = ""
    """The declared name of the setting that is wrong, such as "guidance_scale"; or empty."""
    remedy: str = ""
    """The code of what may put it right, such as LESS_MEMORY; or empty."""

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What is sent beside code and message."""
        more = ((FIELD_KEY, self.field), (REMEDY_KEY, self.remedy))
        return ((REASON_KEY, self.reason), *(one for one in more if one[1]))


def status_of(error: BaseException) -> CallStatus | None:
    """What `error` means to a client; `None` for one that nobody raised on purpose."""
    if isinstance(error, errors.EngineRefused):
        code = ENGINE_REASONS.get(error.reason, StatusCode.FAILED_PRECONDITION)
        return _refused(code, error)
    if isinstance(error, errors.ServerError):
        code = next((_BY_CLASS[kind] for kind in type(error).__mro__ if kind in _BY_CLASS), None)
        return None if code is None else _refused(code, error)
    if isinstance(error, FrescoError):
        reason = errors.reason_of(type(error).__name__)
        code = ENGINE_REASONS.get(reason, StatusCode.FAILED_PRECONDITION)
        return CallStatus(code, reason, short(str(error)), error.field, error.remedy_code)
    return None


def _refused(code: StatusCode, error: errors.ServerError) -> CallStatus:
    return CallStatus(code, error.reason, short(str(error)), error.field, error.remedy)


def short(sentence: str, most_bytes: int = _DETAIL_BYTES) -> str:
    """`sentence` without what cannot be shown or sent, and cut in the middle where it is long."""
    data = printable(sentence).encode("utf-8", "replace")
    # Bytes outside ASCII travel as three, such as %C3.
    cost = len(data) + 2 * sum(byte > 126 or byte < 32 for byte in data)
    if cost <= most_bytes:
        return data.decode("utf-8")
    half = most_bytes // 6
    return f"{data[:half].decode('utf-8', 'ignore')} … {data[-half:].decode('utf-8', 'ignore')}"
