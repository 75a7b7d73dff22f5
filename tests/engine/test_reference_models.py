"""A reference picture, from missing networks to a whole restyle that goes on where it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.diffusion.detectors.places import DetectorPlaces
from fresco_engine.diffusion.library import Library
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import CheckpointMismatch, ModelCorrupt, ModelNotFound
from fresco_engine.looks import look
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings, SmoothingSettings
from fresco_engine.types import RunWarned
from fresco_media.errors import ClipNotFound, ClipUnreadable
from fresco_media.stills.images import write_image

from tests.engine.conftest import MakeClip
from tests.engine.runs import SETTINGS, same_pictures, settings_of
from tests.fakes.tiny_ip_adapter import write_image_encoder, write_ip_adapter

PLAIN = replace(SETTINGS, interpolation="flow", smoothing=SmoothingSettings(is_on=False))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    paint(tmp_path / "look.png", 0)
    return tmp_path / "look.png"


@pytest.fixture
def model(tiny_model: Model, tmp_path: Path) -> Model:
    """The tiny model with an adapter and its encoder in a folder of models."""
    folder = tmp_path / "models" / "ipadapter"
    write_ip_adapter(folder / "ip-adapter_sd15.safetensors", tiny_model.unet)
    write_image_encoder(folder / "image_encoder")
    return replace(tiny_model, library=Library((tmp_path,)), detectors=DetectorPlaces(offline=True))


def paint(path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    pixels = np.kron(random.integers(0, 255, (5, 7, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    write_image(path, pixels)


def shown(picture: Path, settings: RestyleSettings = PLAIN) -> RestyleSettings:
    return replace(settings, reference=str(picture), reference_scale=1.0)


def test_a_picture_changes_what_is_made_and_strength_0_does_not(
    make_clip: MakeClip, model: Model, picture: Path
) -> None:
    clip = make_clip(5)
    plain = list(restyle(clip, PLAIN, model))

    made = list(restyle(clip, shown(picture), model))
    unheeded = list(restyle(clip, replace(shown(picture), reference_scale=0.0), model))
    alone = list(restyle(clip, replace(PLAIN, reference_model="plus"), model))

    assert not same_pictures(made, plain)
    assert same_pictures(unheeded, plain)
    assert same_pictures(alone, plain)
    assert settings_of(made).reference == str(picture)
    told = [
        [event.message for event in events if isinstance(event, RunWarned)]
        for events in (made, unheeded, alone)
    ]
    assert told == [
        [],
        ["“Reference” has no effect at a “Reference strength” of 0"],
        ["“Reference model” has no effect without a “Reference”"],
    ]


def test_a_look_takes_it_too_and_reads_it_once(
    make_clip: MakeClip, model: Model, picture: Path
) -> None:
    clip = make_clip(5)
    wanted = shown(picture)
    first = look(clip, 2, wanted, model)
    encoder_ = model.library.folders[0] / "models" / "ipadapter" / "image_encoder"
    (encoder_ / "model.safetensors").write_bytes(b"gone")

    again = look(clip, 2, wanted, model)
    weaker = look(clip, 2, replace(wanted, reference_scale=0.5), model)

    assert np.array_equal(again, first)
    assert not np.array_equal(weaker, first)
    paint(picture, 1)
    with pytest.raises(ModelNotFound, match=r"\(image_encoder cannot be read\)"):
        look(clip, 2, wanted, model)


def test_what_is_missing_or_damaged_is_told_by_its_setting_before_the_work(
    make_clip: MakeClip, tiny_model: Model, model: Model, picture: Path
) -> None:
    clip, missing = make_clip(5), replace(tiny_model, detectors=DetectorPlaces(offline=True))
    (picture.parent / "broken.png").write_bytes(picture.read_bytes()[:60])

    with pytest.raises(ModelNotFound, match="no IP-Adapter is known for its shape") as no_adapter:
        list(restyle(clip, shown(picture), missing))
    with pytest.raises(ClipNotFound) as no_picture:
        list(restyle(clip, shown(picture.parent / "no.png"), model))
    with pytest.raises(ClipUnreadable) as broken:
        list(restyle(clip, shown(picture.parent / "broken.png"), model))
    adapter = picture.parent / "models" / "ipadapter" / "ip-adapter_sd15.safetensors"
    adapter.write_bytes(adapter.read_bytes()[:-8])
    with pytest.raises(ModelCorrupt, match="8 bytes are missing") as cut:
        list(restyle(clip, replace(shown(picture), reference_model=str(adapter)), model))

    fields = [one.value.field for one in (no_adapter, no_picture, broken, cut)]
    assert fields == ["reference", "reference", "reference", "reference_model"]


def test_a_run_goes_on_with_the_same_picture_only(
    make_clip: MakeClip, model: Model, picture: Path, tmp_path: Path
) -> None:
    clip, wanted = make_clip(9), shown(picture)
    whole = list(restyle(clip, wanted, model))

    def begun() -> list[object]:
        return list(restyle(clip, wanted, model, checkpoint=FolderCheckpoint(tmp_path / "job")))

    stopped = restyle(clip, wanted, model, checkpoint=FolderCheckpoint(tmp_path / "job"))
    for _ in range(14):
        next(stopped)
    stopped.close()

    assert same_pictures(begun(), whole)  # pyright: ignore[reportArgumentType]
    for changed in (replace(wanted, reference=None), replace(wanted, reference_scale=0.5)):
        with pytest.raises(CheckpointMismatch, match="other settings: reference"):
            list(restyle(clip, changed, model, checkpoint=FolderCheckpoint(tmp_path / "job")))
    paint(picture, 1)
    with pytest.raises(CheckpointMismatch, match=r"look\.png is another picture than when this"):
        begun()
