"""Getting a result to where Resolve will read it from for good."""

from __future__ import annotations

from pathlib import Path

from fresco_client import Job, Session
from fresco_client.files import make_folder
from fresco_client.pictures import fetch_pictures

from fresco_davinci.pending_jobs import PendingJob
from fresco_davinci.plugin_folders import PluginFolders


def fetch(
    session: Session, pending: PendingJob, job: Job, plugin_folders: PluginFolders, project: str
) -> Path:
    """The result's file, or the pattern of its pictures; there already if it was fetched before.

    Raises:
        ClientError: the daemon cannot give it, or it cannot be written.
    """
    if pending.is_sequence:
        return _pictures(session, pending, job, plugin_folders, project)
    ending = Path(job.result.file_name).suffix if job.result else ".mp4"
    path = plugin_folders.result(project, pending.name, pending.job_id, ending or ".mp4")
    if not path.exists():
        make_folder(path.parent)
        session.fetch_result(pending.job_id, path)
    return path


def _pictures(
    session: Session, pending: PendingJob, job: Job, plugin_folders: PluginFolders, project: str
) -> Path:
    """A folder of numbered pictures, the first with the number 0."""
    folder = plugin_folders.result(project, pending.name, pending.job_id, "")
    make_folder(folder)
    start = job.plan.start if job.plan else 0
    pattern = f"{pending.job_id[:8]}_%06d.png"
    indices = range(start, start + pending.count)
    fetch_pictures(session, pending.job_id, indices, lambda number: folder / (pattern % number))
    return folder / pattern
