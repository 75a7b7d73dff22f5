"""Which keyframes a result was made of, from what its run has left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fresco_media.files.opening import read_file

from fresco_engine.checkpoint import CheckpointReader
from fresco_engine.errors import InvalidSettings
from fresco_engine.evaluation.flicker import KeyframePlan
from fresco_engine.keyframes import plan_batches

_PICTURE = re.compile(r"\D*(\d+)\.[A-Za-z]+")
_MOST_BYTES = 256 << 20


def read_keyframes(place: Path) -> KeyframePlan:
    """The keyframes that `place` tells of.

    That is the report of a run (JSON), a checkpoint, or a folder of saved keyframes, whose names
    hold their numbers. Only the first two know batches.

    Raises:
        InvalidSettings: it is none of these.
    """
    if place.is_dir():
        return _of_checkpoint(place) or _of_folder(place)
    return _of_report(place)


def kept_keyframes(result: Path) -> KeyframePlan | None:
    """The keyframes of a result that lies in its run's own checkpoint, None for any other."""
    folder = result if result.is_dir() else result.parent
    return _of_checkpoint(folder) or _of_checkpoint(folder.parent)


def _of_checkpoint(folder: Path) -> KeyframePlan | None:
    reader = CheckpointReader(folder)
    plan = reader.plan()
    if plan is None:
        return None
    starts = set(reader.batch_indices()) - {first for first, _ in plan.shots}
    return KeyframePlan(frozenset(plan.keyframes), frozenset(starts))


def _of_folder(folder: Path) -> KeyframePlan:
    names = (_PICTURE.fullmatch(file.name) for file in folder.iterdir())
    numbers = frozenset(int(found[1]) for found in names if found)
    if not numbers:
        raise _unusable(folder, "holds no pictures with a number in their name")
    return KeyframePlan(numbers)


def _of_report(file: Path) -> KeyframePlan:
    try:
        report = json.loads(read_file(file, _MOST_BYTES).decode("utf-8"))
        keyframes = _numbers(report["keyframes"])
        shots = [(first, stop) for first, stop in map(_numbers, report["shots"])]
        size = _batch_size(report["settings"])
    except OSError as error:
        raise _unusable(file, f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unusable(file, "is not the report of a run") from error
    return KeyframePlan(frozenset(keyframes), frozenset(_starts(keyframes, shots, size)))


def _numbers(values: Any) -> list[int]:
    if not isinstance(values, list) or not all(type(one) is int for one in values):
        raise TypeError
    return values


def _batch_size(settings: dict[str, Any]) -> int | None:
    """None for painted keyframes, which have no batches."""
    size = settings.get("batch_size")
    if size is not None and (type(size) is not int or size < 1):
        raise TypeError
    return size


def _starts(
    keyframes: Sequence[int], shots: Iterable[Sequence[int]], size: int | None
) -> Iterable[int]:
    if size is None:
        return
    for first, stop in shots:
        of_shot = [key for key in keyframes if first <= key < stop]
        yield from (batch.new[0] for batch in plan_batches(of_shot, size)[1:])


def _unusable(place: Path, why: str) -> InvalidSettings:
    return InvalidSettings(
        "keyframes",
        f"{place} {why}; give the report of the run, its checkpoint, the folder of its saved "
        "keyframes, or the numbers of the keyframes",
    )
