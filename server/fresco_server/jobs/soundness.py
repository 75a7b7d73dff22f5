"""Whether what a job's folder tells of the job can be true, so that nobody who reads it stumbles.

The record may have been damaged, or written by somebody else. All that the daemon, or a message to
a client, takes from a job or an event is looked at here once, when it is taken up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from fresco_engine.types import Stage

from fresco_server.jobs.job import Job, JobEvent, JobState, Values

CANNOT_BE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What working with values of whatever kind may raise."""
_Is = Callable[[Any], bool]
_LARGEST_32, _LARGEST_64 = 2**31, 2**63
_LATEST = 253_402_300_799
"""The last second of the year 9999, beyond which no message tells a time."""
_FRACTION = re.compile(r"-?[0-9]{1,40}(/0*[1-9][0-9]{0,40})?")


def check_job(job: Job) -> None:
    """Raises: ValueError when it has a value of another kind than its field, or out of range."""
    _check(vars(job), _JOB)
    _check(vars(job.order), _ORDER)
    _check(vars(job.order.model), _MODEL)
    if job.order.clip_info:
        _check(job.order.clip_info, _CLIP)
    for stage in job.progress:
        _check(vars(stage), {"done": _is_number, "total": _is_number})
    if job.plan is not None:
        _check(job.plan, _PLAN)
    if job.result is not None:
        _check(asdict(job.result), _RESULT)
    if job.failure is not None:
        _check(asdict(job.failure), _FAILURE)


def check_event(event: JobEvent) -> None:
    """Raises: ValueError when it has a value of another kind than its field, or out of range."""
    _check(vars(event), {"sequence": _is_long, "time": _is_time, "kind": _EVENTS.__contains__})
    _check(event.values, _EVENTS[event.kind])


def _check(values: Values, wanted: Mapping[str, _Is]) -> None:
    for name, is_sound in wanted.items():
        if not is_sound(values[name]):
            raise ValueError(f"{name} cannot be {values[name]!r:.100}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return value in (True, False)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST_32


def _is_long(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST_64


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) < _LARGEST_64


def _is_time(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= _LATEST


def _is_fraction(value: Any) -> bool:
    return isinstance(value, str) and _FRACTION.fullmatch(value) is not None


def _is_values(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_pair(value: Any) -> bool:
    return _are(_is_count)(value) and len(value) == 2


def _are(is_one: _Is) -> _Is:
    return lambda value: isinstance(value, list | tuple) and all(map(is_one, value))


def _maybe(is_one: _Is) -> _Is:
    return lambda value: value is None or is_one(value)


def _is_settings(value: Any) -> bool:
    """Whether what is told of a job's keyframes can be told; the rest is for the engine."""
    by_index = ("keyframe_seeds", "keyframe_prompts", "keyframe_pictures")
    indices = [int(index) for name in by_index for index in value.get(name, {})]
    seeds = value.get("keyframe_seeds", {}).values()
    texts = (text for name in by_index[1:] for text in value.get(name, {}).values())
    return (
        all(map(_is_count, (*indices, *value.get("keyframes", ()))))
        and all(map(_is_long, seeds))
        and all(map(_is_text, texts))
    )


_PLAN: dict[str, _Is] = {
    "start": _is_count,
    "stop": _is_count,
    "shots": _are(_is_pair),
    "keyframes": _are(_is_count),
    "working_size": _is_pair,
}
_RESULT: dict[str, _Is] = {
    "file_name": _is_text,
    "size_bytes": _is_long,
    "sha256": _is_text,
    "report": _is_values,
}
_FAILURE: dict[str, _Is] = {
    "reason": _is_text,
    "message": _is_text,
    "log_tail": _is_text,
    "can_resume": _is_flag,
}
_CLIP: dict[str, _Is] = {
    "width": _is_count,
    "height": _is_count,
    "frame_count": _is_count,
    "frame_rate": _is_fraction,
    "duration": _is_fraction,
    "has_audio": _is_flag,
    "is_variable_rate": _is_flag,
    "is_sequence": _is_flag,
    "first_number": _is_number,
    "bit_depth": _is_count,
    "has_alpha": _is_flag,
    "codec": _is_text,
    "warnings": _are(_is_text),
}
_MODEL: dict[str, _Is] = {"source": _maybe(_is_text), "control_source": _maybe(_is_text)}
_ORDER: dict[str, _Is] = {
    "clip": _is_text,
    "settings": _is_settings,
    "frame_rate": _maybe(_is_fraction),
    "codec": _is_text,
    "suffix": _is_text,
    "device": _is_text,
    "title": _is_text,
    "upload": _maybe(_is_text),
    "parent_id": _maybe(_is_text),
    "clip_info": _is_values,
    "request": _is_values,
}
_JOB: dict[str, _Is] = {
    "created": _is_time,
    "updated": _is_time,
    "remaining_s": _maybe(_is_number),
    "warnings": _are(_is_text),
    "last_sequence": _is_long,
    "restarts": _is_count,
    "wanted": ("", "cancel", "pause").__contains__,
}
_EVENTS: dict[str, dict[str, _Is]] = {
    "state": {"state": {state.value for state in JobState}.__contains__},
    "analysed": _PLAN,
    "progress": {
        "stage": {stage.value for stage in Stage}.__contains__,
        "done": _is_number,
        "total": _is_number,
        "remaining_s": _maybe(_is_number),
    },
    "keyframe": {"index": _is_count},
    "frame": {"index": _is_count, "time": _is_fraction, "is_keyframe": _is_flag},
    "warned": {"message": _is_text},
    "restarted": {"reason": _is_text},
    "finished": _RESULT,
    "failed": _FAILURE,
}
