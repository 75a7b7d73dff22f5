"""Whether what a job's folder tells of the job can be true, so that nobody who reads it stumbles.

The record may have been damaged, or written by somebody else. All that the daemon, or a message to
a client, takes from a job or an event is looked at once, when it is taken up: the kinds of most
values by `codec`, here the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from fresco_server.jobs.codec import is_fraction
from fresco_server.jobs.job import StoredJob, Values

_Is = Callable[[Any], bool]
_LARGEST_32, _LARGEST_64 = 2**31, 2**63
_LATEST = 253_402_300_799
"""The last second of the year 9999, beyond which no message tells a time."""


def check_job(job: StoredJob) -> None:
    """Raises: ValueError when it has a value of another kind than its field, or out of range."""
    _check(vars(job), _JOB)
    _check(vars(job.order), _ORDER)
    if job.order.clip_info:
        _check(job.order.clip_info, _CLIP)
    for stage in job.progress:
        _check(vars(stage), {"done": _is_number, "total": _is_number})


def check_event(row: Values) -> None:
    """Raises: ValueError when a number in an event's row is none, or out of range."""
    _check(row, {"sequence": _is_long, "time": _is_time})


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


_CLIP: dict[str, _Is] = {
    "width": _is_count,
    "height": _is_count,
    "frame_count": _is_count,
    "frame_rate": is_fraction,
    "duration": is_fraction,
    "has_audio": _is_flag,
    "is_variable_rate": _is_flag,
    "is_sequence": _is_flag,
    "first_number": _is_number,
    "bit_depth": _is_count,
    "has_alpha": _is_flag,
    "codec": _is_text,
    "warnings": _are(_is_text),
}
_ORDER: dict[str, _Is] = {"settings": _is_settings, "frame_rate": _maybe(is_fraction)}
_JOB: dict[str, _Is] = {
    "created": _is_time,
    "updated": _is_time,
    "remaining_s": _maybe(_is_number),
    "last_sequence": _is_long,
    "restarts": _is_count,
    "wanted": ("", "cancel", "pause").__contains__,
}
