"""Jobs in words a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from fresco_client import Job, JobState, values_of
from fresco_media.files.text import printable
from fresco_settings import titles, words_for
from PyQt6.QtCore import QCoreApplication

translate = QCoreApplication.translate
_MOST_WORDS = 3
_LONGEST_NAME = 28
_OF_KEYFRAMES = ("keyframe_seeds", "keyframe_prompts", "keyframe_pictures")


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
        JobState.INTERPOLATING: QCoreApplication.translate("jobs", "frames"),
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


def range_of_job(job: Job) -> str:
    """The frames it is of."""
    if job.plan is not None:
        first, stop = job.plan.start, job.plan.stop
    elif job.settings is not None and job.settings.stop is not None:
        first, stop = job.settings.start or 0, job.settings.stop
    else:
        return ""
    return QCoreApplication.translate("jobs", "frames {first} to {last}").format(
        first=first, last=stop - 1
    )


def difference_of(job: Job, before: Job | None) -> str:
    """What makes a job another one than the one before it; empty where nothing is known."""
    if before is None or job.settings is None or before.settings is None:
        return ""
    then, now = values_of(before.settings), values_of(job.settings)
    names = [name for name in dict.fromkeys((*then, *now)) if then.get(name) != now.get(name)]
    if not job.parent_id:
        # Single keyframes were changed in the other one, not in this one.
        names = [name for name in names if name not in _OF_KEYFRAMES]
    words = [_difference(name, then.get(name), now.get(name)) for name in names]
    if job.parent_id and job.plan is not None and before.plan is not None:
        words.insert(0, _moved(before.plan.keyframes, job.plan.keyframes))
    words = [one for one in words if one]
    return ", ".join(words[:_MOST_WORDS]) + ("…" if len(words) > _MOST_WORDS else "")


def names_of(a: Job | None, b: Job | None) -> tuple[str, str]:
    """What A and B are called on the screen, so that they can be told apart; None: not known."""
    first, second = _name_of(a), _name_of(b)
    if a is None or b is None or first != second:
        return first, second
    told = difference_of(a, b), difference_of(b, a)
    if told[0] == told[1]:
        told = time_text(a.create_time), time_text(b.create_time)
    return _joined(first, told[0]), _joined(second, told[1])


def _name_of(job: Job | None) -> str:
    """A look in a few words: "watercolour, 0.6"."""
    settings = job.settings if job is not None else None
    if settings is None:
        return translate("jobs", "result")
    words = settings.style or settings.prompt
    if len(words) > _LONGEST_NAME:
        words = f"{words[:_LONGEST_NAME].rstrip()}…"
    strength = "" if settings.strength is None else words_for(settings.strength)
    return _joined(printable(words), strength)


def _joined(*words: str) -> str:
    return ", ".join(filter(None, words))


def _difference(name: str, then: Any, now: Any) -> str:
    by_frame = {
        "keyframe_seeds": translate("jobs", "keyframe {frames} anew"),
        "keyframe_prompts": translate("jobs", "words of keyframe {frames}"),
        "keyframe_pictures": translate("jobs", "keyframe {frames} painted"),
    }
    if name in by_frame:
        frames = sorted(
            {*(then or {}), *(now or {})},
            key=int,
        )
        changed = [one for one in frames if (then or {}).get(one) != (now or {}).get(one)]
        return by_frame[name].format(frames=_listed(changed))
    if name in ("start", "stop", "keyframes"):
        return ""
    title = translate("Setting", titles().get(name, name)).lower()
    return f"{title} {words_for(now)}" if now is not None else f"{title}: {_usual()}"


def _usual() -> str:
    return translate("jobs", "as usual")


def _listed(frames: Sequence[object]) -> str:
    shown = ", ".join(str(one) for one in frames[:3])
    return f"{shown}…" if len(frames) > 3 else shown


def _moved(before: Sequence[int], after: Sequence[int]) -> str:
    """Which keyframes there are more, or fewer."""
    added, gone = sorted(set(after) - set(before)), sorted(set(before) - set(after))
    parts: list[str] = []
    if added:
        parts.append(translate("jobs", "keyframe {frames} added").format(frames=_listed(added)))
    if gone:
        parts.append(translate("jobs", "keyframe {frames} removed").format(frames=_listed(gone)))
    return ", ".join(parts)
