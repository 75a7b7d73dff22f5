"""Which keyframes a result was made of, from what its run has left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fresco_media.files.opening import read_file
from fresco_media.stills.numbered import signed_number

from fresco_engine.batches import keyframes_ahead, plan_batches
from fresco_engine.checkpoint import CheckpointReader
from fresco_engine.errors import InvalidSettings
from fresco_engine.evaluation.flicker import KeyframePlan

_PICTURE = re.compile(r"\D*\d+\.[A-Za-z]+")
_DIGITS = re.compile(r"\d+")
_MOST_BYTES = 256 << 20
_NO_BATCH = 2
"""Frames that leave no room beside two anchors."""


def read_keyframes(place: Path, first_number: int = 0) -> KeyframePlan:
    """The keyframes that `place` tells of.

    That is the report of a run (JSON), a checkpoint, or a folder of saved keyframes, whose names
    hold their numbers, counted from `first_number`. Only the first two know batches.

    Raises:
        InvalidSettings: it is none of these.
    """
    if place.is_dir():
        return _of_checkpoint(place) or _of_folder(place, first_number)
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


def _of_folder(folder: Path, first_number: int) -> KeyframePlan:
    pictures = [file.name for file in folder.iterdir() if _PICTURE.fullmatch(file.name)]
    numbers = [signed_number(name, digits) for name in pictures if (digits := _DIGITS.search(name))]
    if not numbers:
        raise _unusable(folder, "holds no pictures with a number in their name")
    return KeyframePlan(frozenset(number - first_number for number in numbers))


def _of_report(file: Path) -> KeyframePlan:
    try:
        report = json.loads(read_file(file, _MOST_BYTES).decode("utf-8"))
        keyframes = sorted(set(_numbers(report["keyframes"])))
        shots = [(first, stop) for first, stop in map(_numbers, report["shots"])]
        batches = _batches(report["settings"])
    except OSError as error:
        raise _unusable(file, f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unusable(file, "is not the report of a run") from error
    return KeyframePlan(frozenset(keyframes), frozenset(_starts(keyframes, shots, batches)))


def _numbers(values: Any) -> list[int]:
    if not isinstance(values, list) or not all(type(one) is int for one in values):
        raise TypeError
    return values


def _batches(settings: dict[str, Any]) -> tuple[int, int] | None:
    """How many frames batches have, and how often one goes first; None for painted keyframes."""
    size, every = settings.get("batch_size"), settings.get("anchors_first", 0)
    if size is None:
        return None
    if not type(size) is type(every) is int or size < 1 or size == _NO_BATCH or every < 0:
        raise TypeError
    return size, every


def _starts(
    keyframes: Sequence[int], shots: Iterable[Sequence[int]], batches: tuple[int, int] | None
) -> Iterable[int]:
    """Keyframes whose latents do not come from the batch of the keyframe before them."""
    if batches is None:
        return
    size, every = batches
    for first, stop in shots:
        of_shot = [key for key in keyframes if first <= key < stop]
        ahead = keyframes_ahead(of_shot, size, every)
        for batch in plan_batches(of_shot, size, ahead)[1:]:
            yield from batch.new if batch.is_ahead else batch.new[:1]


def _unusable(place: Path, why: str) -> InvalidSettings:
    return InvalidSettings(
        "keyframes",
        f"{place} {why}; give the report of the run, its checkpoint, the folder of its saved "
        "keyframes, or the numbers of the keyframes",
    )
