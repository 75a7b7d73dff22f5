"""A clip that is edited: stopped and resumed like any other."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.diffusion.editing import edit
from fresco_engine.diffusion.model import Model
from fresco_engine.doubts import edit_doubts
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import Event, Progress, RunWarned, Stage
from fresco_settings.restyle import InversionKind

from tests.engine.conftest import MakeClip
from tests.engine.runs import JOBS, SETTINGS, keyframes_of, same_pictures, taken

EDIT = replace(JOBS["edit"], region="all", batch_size=3)


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


def _kept(folder: Path) -> set[str]:
    return {path.name for path in (folder / "inversions").iterdir()}


@pytest.mark.parametrize("inversion", ["ddpm", "ddim"])
def test_another_edit_of_the_same_shot_begins_with_what_the_first_has_found(
    inversion: InversionKind,
    make_clip: MakeClip,
    tiny_model: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = make_clip(12)
    first = replace(EDIT, inversion=inversion, sampler=None)
    other = replace(first, prompt="blue of blue")
    anew = list(restyle(clip, other, tiny_model))
    list(restyle(clip, first, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "first")))

    def never(*_: object) -> None:
        raise AssertionError("inverted again")

    monkeypatch.setattr(edit, "edit_friendly", never)
    monkeypatch.setattr(edit, "deterministic", never)
    checkpoint = FolderCheckpoint(tmp_path / "other", tmp_path.iterdir)
    events = list(restyle(clip, other, tiny_model, checkpoint=checkpoint))

    assert same_pictures(events, anew)
    assert _kept(tmp_path / "other") == _kept(tmp_path / "first")
    last = next(e for e in reversed(events) if isinstance(e, Progress))
    assert last.done == last.total


@pytest.mark.parametrize(
    "changes", [{"source_prompt": "blue"}, {"seed": 9}, {"strength": 1.0}, {"inversion": "ddim"}]
)
def test_an_inversion_is_not_taken_for_one_of_something_else(
    changes: dict[str, Any], make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(4)
    other = replace(EDIT, **changes)
    list(restyle(clip, EDIT, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "first")))

    checkpoint = FolderCheckpoint(tmp_path / "other", tmp_path.iterdir)
    events = list(restyle(clip, other, tiny_model, checkpoint=checkpoint))

    assert _kept(tmp_path / "other").isdisjoint(_kept(tmp_path / "first"))
    assert same_pictures(events, list(restyle(clip, other, tiny_model)))


def test_other_weights_of_the_same_name_are_inverted_anew(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(4)
    changed: Any = deepcopy(tiny_model.unet)
    changed.conv_out.weight.mul_(1.01)
    other = replace(tiny_model, unet=changed)
    for name, model in {"first": tiny_model, "other": other}.items():
        checkpoint = FolderCheckpoint(tmp_path / name, tmp_path.iterdir)
        list(restyle(clip, EDIT, model, checkpoint=checkpoint))

    assert _kept(tmp_path / "other").isdisjoint(_kept(tmp_path / "first"))


def test_a_damaged_inversion_is_made_again(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(4)
    whole = list(restyle(clip, EDIT, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "first")))
    (path,) = (tmp_path / "first" / "inversions").iterdir()
    path.write_bytes(path.read_bytes()[:-7])

    checkpoint = FolderCheckpoint(tmp_path / "other", tmp_path.iterdir)
    events = list(restyle(clip, EDIT, tiny_model, checkpoint=checkpoint))

    assert same_pictures(events, whole)


@pytest.mark.parametrize("name", ["source_prompt", "keep", "inversion"])
def test_what_is_for_edits_alone_is_told_without_one(
    name: str, make_clip: MakeClip, tiny_model: Model
) -> None:
    chosen = {"source_prompt": "of", "keep": 0.5, "inversion": "ddim"}[name]
    settings = replace(SETTINGS, **{name: chosen})

    events = list(restyle(make_clip(3), settings, tiny_model))

    warnings = [event.message for event in events if isinstance(event, RunWarned)]
    assert sum("has no effect unless" in text for text in warnings) == 1


@pytest.mark.parametrize(
    ("source", "target", "style", "is_told"),
    [
        ("Snow on a road", "a road, on snow", None, True),
        ("a road in summer", "a road in winter", None, False),
        ("snow", "snow", "ink", False),
    ],
)
def test_an_edit_of_words_that_do_not_differ_is_told(
    source: str, target: str, style: str | None, is_told: bool
) -> None:
    settings = RestyleSettings(
        mode="edit", region="words", source_prompt=source, prompt=target, style=style
    )

    assert any("nothing will be changed" in text for text in edit_doubts(settings)) == is_told


@pytest.mark.parametrize(
    ("inversion", "steps", "is_told"), [("ddim", 4, True), ("ddim", 20, False), ("ddpm", 4, False)]
)
def test_an_inversion_in_too_few_steps_is_told(
    inversion: InversionKind, steps: int, is_told: bool
) -> None:
    settings = replace(EDIT, inversion=inversion, steps=steps)

    assert any("comes back to a blurred clip" in text for text in edit_doubts(settings)) == is_told
