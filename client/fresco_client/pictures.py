"""Pictures of a job as PNG files; those that are there already are not fetched again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fresco_client.files import write_whole
from fresco_client.session import Session
from fresco_client.values import FrameKind, PictureOptions

AS_IT_IS = PictureOptions(encoding="png")
"""Without loss, and over black where the clip is transparent."""
WITH_ALPHA = PictureOptions(encoding="png", has_alpha=True)


def fetch_picture(
    session: Session,
    job_id: str,
    kind: FrameKind,
    index: int,
    path: Path,
    options: PictureOptions = AS_IT_IS,
) -> None:
    """Put a keyframe or a frame of the result, by its source frame index, at this path.

    Raises:
        ClientError: the daemon has none, or it cannot be written.
    """
    if not path.exists():
        write_whole(path, session.frame(job_id, kind, index, options).data)


def fetch_pictures(
    session: Session, job_id: str, indices: range, path_of: Callable[[int], Path]
) -> None:
    """Put all frames of a result into files and tell the daemon so.

    `path_of` is asked with 0 for the first of `indices` and so on; what it raises ends it.

    Raises:
        ClientError: the daemon lacks one, or one cannot be written.
    """
    for number, index in enumerate(indices):
        fetch_picture(session, job_id, "result", index, path_of(number))
    session.confirm(job_id)
