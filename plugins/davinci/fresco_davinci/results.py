"""Getting a result to where Resolve will read it from for good."""

from __future__ import annotations

from pathlib import Path

from fresco_client import FileFailed, Job, PictureOptions, Session
from fresco_client.files import part_name

from fresco_davinci.orders import Order
from fresco_davinci.places import Places


def fetch(session: Session, order: Order, job: Job, places: Places, project: str) -> Path:
    """The result's file, or the pattern of its pictures; there already if it was fetched before.

    Raises:
        ClientError: the daemon cannot give it, or it cannot be written.
    """
    if order.is_sequence:
        return _pictures(session, order, job, places, project)
    ending = Path(job.result.file_name).suffix if job.result else ".mp4"
    path = places.result(project, order.name, order.job_id, ending or ".mp4")
    if not path.exists():
        _make(path.parent)
        session.fetch_result(order.job_id, path)
    return path


def _pictures(session: Session, order: Order, job: Job, places: Places, project: str) -> Path:
    """A folder of numbered pictures, the first with the number 0."""
    folder = places.result(project, order.name, order.job_id, "")
    _make(folder)
    start = job.plan.start if job.plan else 0
    pattern = folder / f"{order.job_id[:8]}_%06d.png"
    for number in range(order.count):
        path = folder / (pattern.name % number)
        if not path.exists():
            options = PictureOptions(encoding="png")
            picture = session.frame(order.job_id, "result", start + number, options)
            _write(path, picture.data)
    session.confirm(order.job_id)
    return pattern


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileFailed.from_os(folder, error) from error


def _write(path: Path, data: bytes) -> None:
    temporary = part_name(path)
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        raise FileFailed.from_os(path, error) from error
