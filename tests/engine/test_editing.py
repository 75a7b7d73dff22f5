"""A clip that is edited: stopped and resumed like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.diffusion.model import Model
from fresco_engine.restyling import restyle
from fresco_engine.types import Event, Progress, RunWarned, Stage

from tests.engine.conftest import MakeClip
from tests.engine.runs import SETTINGS, keyframes_of, same_pictures, taken

EDIT = replace(SETTINGS, mode="edit", source_prompt="of", batch_size=3)


def _progress(events: list[Event]) -> list[float]:
    return [
        event.done
        for event in events
        if isinstance(event, Progress) and event.stage is Stage.TRANSLATING
    ]


def test_a_run_that_is_stopped_goes_on_with_the_same_pictures(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(20)
    whole = list(restyle(clip, EDIT, tiny_model))

    first = taken(restyle(clip, EDIT, tiny_model, checkpoint=FolderCheckpoint(tmp_path)), 45)
    events = list(restyle(clip, EDIT, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    assert keyframes_of(first)
    assert same_pictures(events, whole)
    told = _progress(whole)
    assert told == sorted(told)
    last = next(e for e in reversed(whole) if isinstance(e, Progress))
    assert last.done == last.total


@pytest.mark.parametrize("name", ["source_prompt", "keep", "inversion"])
def test_what_is_for_edits_alone_is_told_without_one(
    name: str, make_clip: MakeClip, tiny_model: Model
) -> None:
    chosen = {"source_prompt": "of", "keep": 0.5, "inversion": "ddim"}[name]
    settings = replace(SETTINGS, **{name: chosen})

    events = list(restyle(make_clip(3), settings, tiny_model))

    warnings = [event.message for event in events if isinstance(event, RunWarned)]
    assert sum("has no effect unless" in text for text in warnings) == 1
