"""Jobs in words a person reads."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath

from fresco_client import Job, JobState
from PyQt6.QtCore import QCoreApplication


def title_of_job(job: Job) -> str:
    """What a job is called: its title, else its clip's name."""
    if job.title:
        return job.title
    if job.clip and job.clip.path:
        return PurePath(job.clip.path).name
    return QCoreApplication.translate("jobs", "clip sent from elsewhere")


def state_of_job(job: Job) -> str:
    """What a job does, with how far it is."""
    if job.state is JobState.QUEUED and job.jobs_ahead:
        return QCoreApplication.translate("jobs", "queued, {count} before it").format(
            count=job.jobs_ahead
        )
    names = {
        JobState.QUEUED: QCoreApplication.translate("jobs", "queued"),
        JobState.ANALYSING: QCoreApplication.translate("jobs", "analysing"),
        JobState.TRANSLATING: QCoreApplication.translate("jobs", "keyframes"),
        JobState.INTERPOLATING: QCoreApplication.translate("jobs", "frames between"),
        JobState.ENCODING: QCoreApplication.translate("jobs", "encoding"),
        JobState.PAUSED: QCoreApplication.translate("jobs", "paused"),
        JobState.DONE: QCoreApplication.translate("jobs", "done"),
        JobState.CANCELLED: QCoreApplication.translate("jobs", "cancelled"),
        JobState.FAILED: QCoreApplication.translate("jobs", "failed"),
    }
    text = names[job.state]
    if job.state is JobState.FAILED and job.failure and job.failure.can_resume:
        text = QCoreApplication.translate("jobs", "failed, can go on")
    if job.made_of is not None:
        return f"{text} {job.made_of[0]}/{job.made_of[1]}"
    return text


def time_text(time: datetime | None) -> str:
    """A point in time, in this machine's zone."""
    return time.astimezone().strftime("%d %b %H:%M") if time else ""
