"""A full device: tiles, smaller batches, then a smaller size, once each, never for nothing."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from fakes.tiny_models import tiny_vae, write_model_folder
from fresco_engine import memory_fallback
from fresco_engine.checkpoint import Adjustments, Checkpoint, FolderCheckpoint, NoCheckpoint, fork
from fresco_engine.diffusion import cost, latents
from fresco_engine.diffusion.cost import working_bytes
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.errors import OutOfDeviceMemory
from fresco_engine.memory_fallback import MemoryFallback, fitting, smaller_batch, smaller_size
from fresco_engine.rendering import render
from fresco_engine.restyling import restyle
from fresco_engine.settings import OptimisationSettings, SmoothingSettings
from fresco_engine.types import (
    Event,
    KeyframeMade,
    Progress,
    RunFinished,
    RunRestarted,
    RunWarned,
    Stage,
)
from fresco_media.clip import Clip

from tests.engine.conftest import MakeClip
from tests.engine.runs import SETTINGS as OPTIMISED
from tests.engine.runs import (
    frames_of,
    keyframes_of,
    plan_of,
    same_pictures,
    settings_of,
    taken,
)

SETTINGS = replace(
    OPTIMISED,
    optimisation=OptimisationSettings(iterations=0),
    smoothing=SmoothingSettings(is_on=False),
)
BIG = replace(SETTINGS, size=344, steps=2)
IN_EACH_MODE = pytest.mark.parametrize(
    "mode",
    [{}, {"mode": "edit", "source_prompt": "of", "region": "background"}],
    ids=["restyle", "edit"],
)
LimitDevice = Callable[[Callable[[int, int], bool]], None]


@pytest.fixture
def limit_device(tiny_model: Model) -> Iterator[LimitDevice]:
    """Makes the device too small for (frames, latent height) of which something is true."""
    handles: list[Any] = []

    def limit(is_too_much: Callable[[int, int], bool]) -> None:
        def check(module: Any, inputs: Any) -> None:
            frames, _, height, _ = inputs[0].shape
            if is_too_much(frames, height):
                raise torch.OutOfMemoryError("CUDA out of memory")

        handles.append(tiny_model.unet.register_forward_pre_hook(check))

    yield limit
    for handle in handles:
        handle.remove()


@pytest.fixture(params=["kept", "not kept"])
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Checkpoint:
    """With and without one, the fallback is the same."""
    return FolderCheckpoint(tmp_path / "kept") if request.param == "kept" else NoCheckpoint()


@pytest.mark.parametrize(
    ("frames", "lower"),
    [(64, 32), (8, 4), (7, 3), (5, 3), (4, 3), (3, 1), (2, 1), (1, None)],
)
def test_half_a_batch_never_has_just_its_anchors(frames: int, lower: int | None) -> None:
    assert smaller_batch(frames) == lower


@pytest.mark.parametrize("size", range(64, 2049, 7))
def test_a_smaller_size_is_a_multiple_of_eight_of_at_least_256(size: int) -> None:
    lower = smaller_size(size)

    assert lower is None if size * 3 // 4 < 256 else lower is not None
    assert lower is None or (lower % 8 == 0 and 256 <= lower < size)


def test_each_step_is_taken_once_also_by_a_run_that_goes_on(tmp_path: Path) -> None:
    settings = replace(SETTINGS, batch_size=8, size=512)
    first = MemoryFallback(settings, FolderCheckpoint(tmp_path))
    assert first.lower_batch(8)

    second = MemoryFallback(settings, FolderCheckpoint(tmp_path))
    assert second.lower_batch(4) is None
    assert second.restart_reason
    second.lower_size()

    third = MemoryFallback(settings, FolderCheckpoint(tmp_path))
    assert third.lower_batch(4) is None
    assert third.restart_reason is None
    assert third.adjusted(settings) == replace(settings, batch_size=4, size=384)
    assert len(list(third.notes())) == 2


@IN_EACH_MODE
def test_a_batch_that_does_not_fit_is_halved_with_a_warning(
    mode: dict[str, Any],
    make_clip: MakeClip,
    tiny_model: Model,
    limit_device: LimitDevice,
    checkpoint: Checkpoint,
) -> None:
    clip, settings = make_clip(20), replace(SETTINGS, batch_size=6, **mode)
    expected = list(restyle(clip, replace(settings, batch_size=3), tiny_model))
    limit_device(lambda frames, _: frames > 6)

    events = list(restyle(clip, settings, tiny_model, checkpoint=checkpoint))

    warnings = [event.message for event in events if isinstance(event, RunWarned)]
    assert len(warnings) == 1
    assert "only 3 keyframes" in warnings[0]
    assert same_pictures(events, expected)
    progress = [e for e in events if isinstance(e, Progress) and e.stage is Stage.TRANSLATING]
    assert progress[-1].done == progress[-1].total


def test_a_later_batch_that_does_not_fit_keeps_all_before_it(
    make_clip: MakeClip, tiny_model: Model, limit_device: LimitDevice, checkpoint: Checkpoint
) -> None:
    clip, settings = make_clip(28), replace(SETTINGS, batch_size=6)
    undisturbed = list(restyle(clip, settings, tiny_model))
    events: list[Event] = []

    with closing(restyle(clip, settings, tiny_model, checkpoint=checkpoint)) as running:
        for event in running:
            events.append(event)
            if isinstance(event, KeyframeMade) and len(keyframes_of(events)) == 6:
                limit_device(lambda frames, _: frames > 6)

    assert [event.frame.index for event in frames_of(events)] == list(range(28))
    assert [event.index for event in keyframes_of(events)] == list(plan_of(events).keyframes)
    pairs = zip(keyframes_of(events)[:6], keyframes_of(undisturbed)[:6], strict=True)
    assert all(np.array_equal(one.image, two.image) for one, two in pairs)
    assert sum(isinstance(event, RunWarned) for event in events) == 1


@IN_EACH_MODE
def test_a_run_that_is_killed_after_a_step_goes_on_with_the_same_pictures(
    mode: dict[str, Any],
    make_clip: MakeClip,
    tiny_model: Model,
    limit_device: LimitDevice,
    tmp_path: Path,
) -> None:
    clip, settings = make_clip(20), replace(SETTINGS, batch_size=6, **mode)
    limit_device(lambda frames, _: frames > 6)
    whole = list(restyle(clip, settings, tiny_model))

    taken(restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path)), 45)
    events = list(restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    assert same_pictures(events, whole)
    assert settings_of(events).batch_size == 3
    assert any(
        "only 3 keyframes" in event.message for event in events if isinstance(event, RunWarned)
    )


def test_a_second_try_whose_batch_does_not_fit_any_more_is_made_in_a_smaller_one(
    make_clip: MakeClip, tiny_model: Model, limit_device: LimitDevice, tmp_path: Path
) -> None:
    clip, settings = make_clip(28), replace(SETTINGS, batch_size=6)
    events = list(
        restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "first"))
    )
    key = plan_of(events).keyframes[7]
    fork(tmp_path / "first", tmp_path / "second", [key])
    limit_device(lambda frames, _: frames > 6)

    checkpoint = FolderCheckpoint(tmp_path / "second")
    settings = replace(settings, keyframe_seeds={key: 9})
    again = list(restyle(clip, settings, tiny_model, checkpoint=checkpoint))

    pairs = list(zip(keyframes_of(events), keyframes_of(again), strict=True))
    changed = [one.index for one, two in pairs if not np.array_equal(one.image, two.image)]
    assert changed == [key]
    assert sum(isinstance(event, RunWarned) for event in again) == 1


def test_where_smaller_batches_do_not_fit_either_everything_begins_anew_in_small(
    make_clip: MakeClip, tiny_model: Model, limit_device: LimitDevice, checkpoint: Checkpoint
) -> None:
    clip = make_clip(3)
    expected = list(restyle(clip, replace(BIG, size=256, batch_size=1), tiny_model))
    limit_device(lambda _, height: height > 32)

    events = list(restyle(clip, BIG, tiny_model, checkpoint=checkpoint))

    kinds = [type(event) for event in events]
    assert kinds.count(RunRestarted) == 1
    after = events[kinds.index(RunRestarted) :]
    assert same_pictures(after, expected)
    assert plan_of(after).settings.size == 256
    assert frames_of(events) == frames_of(after)
    if isinstance(checkpoint, FolderCheckpoint):
        assert checkpoint.adjustments() == Adjustments(batch_size=1, size=256)
        again = list(restyle(clip, BIG, tiny_model, checkpoint=checkpoint))
        assert same_pictures(again, expected)
        assert RunRestarted not in map(type, again)


def test_where_nothing_helps_the_error_says_what_to_do(
    make_clip: MakeClip, tiny_model: Model, limit_device: LimitDevice, checkpoint: Checkpoint
) -> None:
    limit_device(lambda _, __: True)
    events: list[Event] = []

    with pytest.raises(OutOfDeviceMemory, match="smaller “Working size”"):
        events.extend(restyle(make_clip(5), SETTINGS, tiny_model, checkpoint=checkpoint))


def test_a_file_that_was_begun_is_begun_anew(
    make_clip: MakeClip, tiny_model: Model, limit_device: LimitDevice, tmp_path: Path
) -> None:
    clip, settings = make_clip(9), replace(BIG, batch_size=1)
    output = tmp_path / "out"
    output.mkdir()
    events: list[Event] = []

    with closing(render(clip, output / "a.mkv", settings, tiny_model, codec="lossless")) as running:
        for event in running:
            events.append(event)
            if len(frames_of(events)) == 2 and isinstance(event, Progress):
                limit_device(lambda _, height: height > 32)

    after = events[[type(event) for event in events].index(RunRestarted) :]
    stored = [frame.image for frame in Clip.open(output / "a.mkv").frames()]
    assert [path.name for path in output.iterdir()] == ["a.mkv"]
    assert all(
        np.array_equal(event.frame.image, image)
        for event, image in zip(frames_of(after), stored, strict=True)
    )
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert finished.report.settings["size"] == 256
    assert any("a size of 256" in text for text in finished.report.warnings)


def test_an_autoencoder_that_does_not_fit_works_in_tiles(
    make_clip: MakeClip, checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model_folder(tmp_path / "model", vae="kl", controlnet=False)
    model = load_model(folder, control="none", device="cpu")
    monkeypatch.setattr(latents, "TILE", 32)
    clip, settings = make_clip(5), replace(SETTINGS, control="none")
    seen: list[int] = []

    def check(module: Any, inputs: Any) -> None:
        seen.append(max(inputs[0].shape[-2:]))
        if seen[-1] > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")

    cast(Any, model.vae).decoder.register_forward_pre_hook(check)
    events = list(restyle(clip, settings, model, checkpoint=checkpoint))

    warnings = [event.message for event in events if isinstance(event, RunWarned)]
    assert len(warnings) == 1
    assert "one part after the other" in warnings[0]
    assert sum(size > 4 for size in seen) == 1
    assert len(frames_of(events)) == 5
    if isinstance(checkpoint, FolderCheckpoint):
        assert checkpoint.adjustments() == Adjustments(is_tiled=True)


GIB = 1 << 30


@pytest.mark.parametrize(
    ("free_gib", "wanted"),
    [
        (30, Adjustments()),
        (11.2, Adjustments()),
        (9, Adjustments(batch_size=6)),
        (5.6, Adjustments(batch_size=3)),
        (5, Adjustments(batch_size=7, is_tiled=True)),
        (3, Adjustments(batch_size=3, is_tiled=True)),
        (1.7, Adjustments(batch_size=1, is_tiled=True)),
        (1.4, None),
    ],
)
def test_what_has_no_room_is_changed_no_more_than_it_must(
    free_gib: float,
    wanted: Adjustments | None,
    tiny_model: Model,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def needed(model: Model, settings: Any, *, frames: int, height: int, width: int) -> int:
        return round((0.5 if model.is_tiled else 1) * GIB * (2 + frames))

    monkeypatch.setattr(cost, "working_bytes", needed)
    model = replace(tiny_model, vae=cast(Any, tiny_vae("kl")))
    settings, free = replace(SETTINGS, batch_size=8), round(free_gib * GIB)

    if wanted is None:
        with pytest.raises(OutOfDeviceMemory, match="planning the first batch"):
            fitting(model, settings, 768, 768, free)
    else:
        assert fitting(model, settings, 768, 768, free) == wanted


def test_where_there_is_plenty_nothing_is_counted(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cost, "working_bytes")

    assert fitting(tiny_model, SETTINGS, 512, 512, 1000 * GIB) == Adjustments()
    with pytest.raises(ImportError):
        fitting(tiny_model, SETTINGS, 512, 512, GIB)


def test_a_batch_that_has_no_room_is_not_tried(
    make_clip: MakeClip,
    tiny_model: Model,
    limit_device: LimitDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip, settings = make_clip(20), replace(SETTINGS, batch_size=6)
    expected = list(restyle(clip, replace(settings, batch_size=3), tiny_model))
    resolved = tiny_model.resolved(settings)
    height, width = plan_of(expected).working_size[::-1]
    room = working_bytes(tiny_model, resolved, frames=3, height=height, width=width) / 0.9
    monkeypatch.setattr(memory_fallback, "device_room", lambda device: round(room) + 100)
    tried: list[int] = []
    limit_device(lambda frames, _: tried.append(frames) is not None)

    events = list(restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    warnings = [event.message for event in events if isinstance(event, RunWarned)]
    assert len(warnings) == 1
    assert "only 3 keyframes" in warnings[0]
    assert max(tried) <= 6
    assert same_pictures(events, expected)
    again = list(restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))
    assert same_pictures(again, expected)
