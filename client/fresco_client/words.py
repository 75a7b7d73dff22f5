"""What every front end says of a job in the same words."""

from __future__ import annotations

from fresco_client.server_info import Device
from fresco_client.values import Job, JobState

ESTIMATING = "estimating…"
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def duration(seconds: float) -> str:
    """A length of time, no more exact than it is known: 45 s, 4 min, 2 h 05 min, 3 days."""
    if seconds < 1.5 * _MINUTE:
        return f"{max(round(seconds), 1)} s"
    if seconds < 1.5 * _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    if seconds < 2 * _DAY:
        hours, minutes = divmod(round(seconds / _MINUTE), 60)
        return f"{hours} h {minutes:02d} min"
    return f"{round(seconds / _DAY)} days"


def time_left(job: Job) -> str:
    """ "4 min left", "estimating…" until that is known, or nothing for a job that does not run."""
    if job.is_estimating:
        return ESTIMATING
    return "" if job.time_left_s is None else f"{duration(job.time_left_s)} left"


def device_words(device: Device, memory: str = "") -> str:
    """A device, its memory in words, and what it does; in one line, after its id."""
    parts = [part for part in (device.name, memory, device.state) if part]
    if device.is_draining:
        parts.append("given nothing new, so that its machine can leave")
    if device.has_model:
        parts.append(f"holds {device.model_source or 'the bundled model'}")
    if device.job_id:
        what = f"{device.activity} of " if device.activity else ""
        parts.append(f"works on {what}{device.job_id}")
    return ", ".join(parts)


def state_of(job: Job) -> str:
    """What a job does, with what it has made so far: "keyframes 3/9"."""
    if job.state is JobState.QUEUED and job.jobs_ahead:
        return f"queued, {job.jobs_ahead} before it"
    made = job.made_of
    if made is None:
        return job.state.value
    what = "keyframes" if job.state is JobState.TRANSLATING else "frames"
    return f"{what} {made[0]}/{made[1]}"


def unexpected(error: Exception) -> str:
    """A sentence for what no front end has a better one for."""
    return f"Something Fresco did not expect happened ({type(error).__name__}: {error})."


def look_of(job: Job) -> str:
    """The style and the prompt that a job was given."""
    if job.settings is None:
        return ""
    return ", ".join(filter(None, (job.settings.style, job.settings.prompt)))
