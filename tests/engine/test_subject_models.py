"""A subject named in words, from missing weights to a whole restyle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.hub import serving
from fakes.tiny_detectors import tiny_clipseg, write_network
from fresco_engine.diffusion.detectors.places import DetectorPlaces
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import InvalidSettings, ModelCorrupt, ModelError, ModelNotFound
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings, SmoothingSettings
from fresco_engine.subject_models import PART, NamedSubject
from fresco_engine.types import RunWarned
from fresco_media.stills.images import write_image

from tests.engine.conftest import MakeClip
from tests.engine.runs import SETTINGS, same_pictures, settings_of

# Of 8 steps the last is smoothed: where nothing is carried, its pictures stay to the bit.
SMOOTHED = replace(SETTINGS, steps=8, strength=1.0)
NAMED = replace(SMOOTHED, subject="the red square")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no hub that answers."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    _use_hub(monkeypatch, "http://127.0.0.1:9")
    return tmp_path / "cache"


def _use_hub(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


def beside(model: Model, folder: Path, odds: float) -> Model:
    """The model with a network beside it that finds the subject likelier by so much."""
    write_network(tiny_clipseg(odds), folder / "detectors" / "subject")
    return replace(model, detectors=DetectorPlaces((folder,)))


def warnings_of(events: list[object]) -> list[str]:
    return [event.message for event in events if isinstance(event, RunWarned)]


def test_missing_weights_are_told_before_the_clip_is_looked_at(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    with pytest.raises(ModelNotFound) as caught:
        list(restyle(make_clip(5), NAMED, tiny_model))

    assert str(caught.value) == (
        "the red square: it takes a network that finds it (603 MB), which is not on this machine "
        "and could not be downloaded; run 'hf download CIDAS/clipseg-rd64-refined config.json "
        "model.safetensors' here, or on a machine with network access, and put the files into "
        "detectors/subject beside the model or the ControlNet, or leave out “Subject”"
    )
    assert caught.value.field == "subject"


def test_weights_are_fetched_once_and_nothing_that_is_not_needed(
    tiny_model: Model, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = write_network(tiny_clipseg(), tmp_path / "repository")
    (repository / "pytorch_model.bin").write_bytes(b"not needed")

    with serving({PART.hub_id: repository}) as address:
        _use_hub(monkeypatch, address)
        NamedSubject("the train", lambda: tiny_model).load()
    offline = replace(tiny_model, detectors=DetectorPlaces(offline=True))
    NamedSubject("the train", lambda: offline).load()

    assert list(cache.rglob("model.safetensors"))
    assert not list(cache.rglob("pytorch_model.bin"))


def test_what_is_wrong_with_the_network_is_wrong_with_the_subject(
    tiny_model: Model, tmp_path: Path
) -> None:
    model = beside(tiny_model, tmp_path, 0)
    wordy = NamedSubject("train " * 90, lambda: model)
    with pytest.raises(InvalidSettings, match="use fewer words"):
        wordy.load()
    (tmp_path / "detectors" / "subject" / "model.safetensors").write_bytes(b"no weights")

    with pytest.raises(ModelCorrupt) as caught:
        NamedSubject("the train", lambda: model).load()

    error: ModelError = caught.value
    assert error.field == "subject"


@pytest.mark.parametrize("odds", [100.0, -100.0], ids=["everywhere", "nowhere"])
def test_what_fills_the_picture_or_is_not_found_is_not_smoothed_and_told(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path, odds: float
) -> None:
    clip, model = make_clip(5), beside(tiny_model, tmp_path, odds)
    unsmoothed = replace(SMOOTHED, smoothing=SmoothingSettings(is_on=False))

    named = list(restyle(clip, NAMED, model))

    assert same_pictures(named, restyle(clip, unsmoothed, tiny_model))
    assert settings_of(named).subject == "the red square"
    (told,) = warnings_of([*named])
    assert told.startswith("“the red square” was not found in keyframes 0 to ")


def test_what_is_found_in_part_takes_the_place_of_what_moves(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip, model = make_clip(5), beside(tiny_model, tmp_path, -1)
    # Scattered as it is, what a random network finds must not grow over everything.
    smoothed, unsmoothed = (
        replace(SMOOTHED, smoothing=SmoothingSettings(is_on=is_on, dilation=0))
        for is_on in (True, False)
    )

    named = list(restyle(clip, replace(smoothed, subject="the red square"), model))

    assert warnings_of([*named]) == []
    assert not same_pictures(named, restyle(clip, smoothed, tiny_model))
    assert not same_pictures(named, restyle(clip, unsmoothed, tiny_model))


def test_where_it_has_no_effect_nothing_is_fetched_and_that_is_told(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(5)
    write_image(tmp_path / "mask.png", np.full((64, 80, 3), 255, np.uint8))
    masked = replace(NAMED, subject_mask=str(tmp_path / "mask.png"))
    unsmoothed = replace(NAMED, smoothing=SmoothingSettings(is_on=False))

    told = [warnings_of(list(restyle(clip, one, tiny_model))) for one in (masked, unsmoothed)]

    assert told == [
        ["“Subject” has no effect beside “Subject mask”, which is used"],
        [
            "“Subject” has no effect while the background is not smoothed; turn on “Smooth "
            "background” to use it"
        ],
    ]


def test_no_words_are_no_subject() -> None:
    with pytest.raises(InvalidSettings, match="subject: it is empty; name the subject"):
        RestyleSettings(prompt="ink", subject=" ")
