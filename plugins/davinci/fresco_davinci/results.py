"""Getting a result to where Resolve will read it from for good."""

from __future__ import annotations

from pathlib import Path

from fresco_client import Job, Session
from fresco_client.files import make_folder
from fresco_client.pictures import fetch_pictures

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
        make_folder(path.parent)
        session.fetch_result(order.job_id, path)
    return path


def _pictures(session: Session, order: Order, job: Job, places: Places, project: str) -> Path:
    """A folder of numbered pictures, the first with the number 0."""
    folder = places.result(project, order.name, order.job_id, "")
    make_folder(folder)
    start = job.plan.start if job.plan else 0
    pattern = f"{order.job_id[:8]}_%06d.png"
    indices = range(start, start + order.count)
    fetch_pictures(session, order.job_id, indices, lambda number: folder / (pattern % number))
    return folder / pattern
