"""A run that was interrupted goes on where it was, with the same result bit for bit."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fresco_engine.checkpoint import CheckpointReader, FolderCheckpoint
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.errors import CheckpointMismatch
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings, SamplerKind
from fresco_engine.types import Event, Progress, RunWarned, Stage
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image

from tests.engine.conftest import MakeClip, scene, write_clip
from tests.engine.runs import (
    JOBS,
    SETTINGS,
    CountingInterpolator,
    CountingLoader,
    contents,
    frames_of,
    keyframes_of,
    plan_of,
    same_pictures,
    steps_of,
    taken,
)
from tests.fakes.tiny_xl import write_xl_folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Two shots with several batches each."""
    path = tmp_path_factory.mktemp("clip") / "two shots.mp4"
    return Clip.open(write_clip(path, scene(32, cut_at=20)))


IN_EACH_MODE = pytest.mark.parametrize("job", JOBS, indirect=True)


@pytest.fixture(scope="session")
def job(request: pytest.FixtureRequest) -> RestyleSettings:
    """A restyle, or what is asked for."""
    return JOBS[getattr(request, "param", "restyle")]


@pytest.fixture(scope="session")
def undisturbed(
    clip: Clip, job: RestyleSettings, tiny_model: Model, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Event], Path]:
    """What a run in one go announces and leaves behind."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return list(restyle(clip, job, tiny_model, checkpoint=FolderCheckpoint(folder))), folder


def test_a_checkpoint_changes_nothing(
    clip: Clip, job: RestyleSettings, tiny_model: Model, undisturbed: tuple[list[Event], Path]
) -> None:
    events = list(restyle(clip, job, tiny_model))

    assert same_pictures(events, undisturbed[0])


@IN_EACH_MODE
def test_what_is_announced_is_stored_as_it_was_announced(
    undisturbed: tuple[list[Event], Path],
) -> None:
    events, folder = undisturbed

    reader = CheckpointReader(folder)

    plan = plan_of(events)
    assert reader.indices("frames") == tuple(range(32))
    assert reader.indices("keyframes") == plan.keyframes
    assert all(
        np.array_equal(reader.picture("frames", event.frame.index), event.frame.image)  # pyright: ignore[reportArgumentType]
        for event in frames_of(events)
    )
    assert all(
        np.array_equal(reader.picture("keyframes", event.index), event.image)  # pyright: ignore[reportArgumentType]
        for event in keyframes_of(events)
    )


@IN_EACH_MODE
@pytest.mark.parametrize("seed", range(1))
def test_a_run_stopped_again_and_again_ends_with_the_same_pictures(
    clip: Clip,
    job: RestyleSettings,
    tiny_model: Model,
    undisturbed: tuple[list[Event], Path],
    tmp_path: Path,
    seed: int,
) -> None:
    chance = random.Random(seed)
    whole, folder = undisturbed

    for _ in range(4):
        events = restyle(clip, job, tiny_model, checkpoint=FolderCheckpoint(tmp_path))
        part = taken(events, chance.randrange(1, len(whole)))
        stored = CheckpointReader(tmp_path)
        assert all(stored.has("frames", event.frame.index) for event in frames_of(part))
        assert all(stored.has("keyframes", event.index) for event in keyframes_of(part))
    last = list(restyle(clip, job, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    assert same_pictures(last, whole)
    assert contents(tmp_path) == contents(folder)
    qualities = [event.quality for event in frames_of(last)]
    assert qualities == [event.quality for event in frames_of(whole)]
    assert any(qualities)


BATCHES = replace(
    SETTINGS,
    steps=3,
    stop=20,
    keyframe_min=5,
    keyframe_max=9,
    batch_size=3,
    interpolation="flow",
)


@pytest.mark.parametrize("sampler", ["ddim", "euler-a", "dpm++2m", "unipc", "lcm", "tcd"])
def test_with_every_sampler_a_batch_that_is_made_later_is_the_same(
    clip: Clip, tiny_model: Model, tmp_path: Path, sampler: SamplerKind
) -> None:
    check_second_batch(clip, tiny_model, replace(BATCHES, sampler=sampler), tmp_path)


def test_in_a_model_of_xls_shape_a_batch_that_is_made_later_is_the_same(
    clip: Clip, tmp_path: Path
) -> None:
    folder = write_xl_folder(tmp_path / "xl", vae="tiny")

    model = load_model(folder, control="none", device="cpu")

    check_second_batch(clip, model, BATCHES, tmp_path)


def check_second_batch(clip: Clip, model: Model, settings: RestyleSettings, work: Path) -> None:
    """A run that stops within its second batch goes on to what one in one go makes."""
    whole = list(restyle(clip, settings, model, checkpoint=FolderCheckpoint(work / "whole")))
    third = keyframes_of(whole)[2]
    count = next(number for number, event in enumerate(whole, 1) if event is third)

    stopped = restyle(clip, settings, model, checkpoint=FolderCheckpoint(work / "part"))
    taken(stopped, count)
    last = list(restyle(clip, settings, model, checkpoint=FolderCheckpoint(work / "part")))

    assert len(CheckpointReader(work / "whole").batch_indices()) > 1
    assert same_pictures(last, whole)
    assert contents(work / "part") == contents(work / "whole")


@IN_EACH_MODE
@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_lost_or_damaged_is_made_again_as_it_was(
    clip: Clip,
    job: RestyleSettings,
    tiny_model: Model,
    undisturbed: tuple[list[Event], Path],
    tmp_path: Path,
    seed: int,
) -> None:
    whole, folder = undisturbed
    chance = random.Random(seed)
    files = sorted(path for path in contents(folder) if path != "plan.json")
    FolderCheckpoint(tmp_path)
    for name in (*files, "plan.json"):
        data = (folder / name).read_bytes()
        match chance.randrange(4) if name != "plan.json" else 3:
            case 0:
                continue
            case 1:
                data = data[: chance.randrange(len(data))]
            case 2:
                place = chance.randrange(len(data))
                data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            case _:
                pass
        (tmp_path / name).write_bytes(data)

    events = list(restyle(clip, job, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    assert same_pictures(events, whole)
    reader = CheckpointReader(tmp_path)
    assert reader.indices("keyframes") == plan_of(events).keyframes
    assert reader.indices("frames") == tuple(range(32))


def test_nothing_stored_is_computed_again(
    clip: Clip, job: RestyleSettings, undisturbed: tuple[list[Event], Path], tiny_model: Model
) -> None:
    events, folder = undisturbed
    loader, interpolator, tracker = (
        CountingLoader(tiny_model),
        CountingInterpolator(),
        ProgressTracker(),
    )

    again = list(
        restyle(
            clip,
            job,
            loader,
            interpolator=interpolator,
            tracker=tracker,
            checkpoint=FolderCheckpoint(folder),
        )
    )

    assert same_pictures(again, events)
    assert (loader.calls, interpolator.segments) == (0, [])
    assert plan_of(again) == plan_of(events)
    assert tracker.reused == {"keyframes": len(plan_of(events).keyframes), "frames": 32}


@IN_EACH_MODE
def test_progress_goes_on_where_it_was_and_reaches_the_same_total(
    clip: Clip,
    job: RestyleSettings,
    tiny_model: Model,
    undisturbed: tuple[list[Event], Path],
    tmp_path: Path,
) -> None:
    taken(restyle(clip, job, tiny_model, checkpoint=FolderCheckpoint(tmp_path)), 60)

    events = list(restyle(clip, job, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    def last(of: list[Event]) -> dict[Stage, tuple[float, float]]:
        return {e.stage: (e.done, e.total) for e in of if isinstance(e, Progress)}

    assert last(events) == last(undisturbed[0])
    assert steps_of(events) < steps_of(undisturbed[0])


def test_a_job_goes_on_with_smaller_batches_and_keeps_what_it_has(
    clip: Clip,
    job: RestyleSettings,
    tiny_model: Model,
    undisturbed: tuple[list[Event], Path],
    tmp_path: Path,
) -> None:
    settings = replace(job, batch_size=5)
    part = restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path))
    before: list[Event] = []
    for event in part:
        before.append(event)
        if len(keyframes_of(before)) == 5:
            break
    part.close()

    smaller = replace(job, batch_size=3)
    events = list(restyle(clip, smaller, tiny_model, checkpoint=FolderCheckpoint(tmp_path)))

    assert [e.frame.index for e in frames_of(events)] == list(range(32))
    kept = {event.index: event.image for event in keyframes_of(events)}
    assert all(np.array_equal(kept[event.index], event.image) for event in keyframes_of(before))
    recorded = CheckpointReader(tmp_path).batch_indices()
    assert list(recorded[:2]) == [plan_of(events).keyframes[i] for i in (0, 5)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"seed": 3}, "seed 3"), ({"prompt": "red"}, "prompt red"), ({"steps": 9}, "steps 9")],
)
def test_other_settings_cannot_go_on(
    clip: Clip,
    tiny_model: Model,
    undisturbed: tuple[list[Event], Path],
    changes: dict[str, object],
    words: str,
) -> None:
    settings = replace(SETTINGS, **changes)  # pyright: ignore[reportArgumentType]
    events = restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(undisturbed[1]))

    with pytest.raises(CheckpointMismatch, match=words):
        next(events)


def test_another_clip_or_model_cannot_go_on(
    make_clip: MakeClip,
    clip: Clip,
    tiny_model: Model,
    undisturbed: tuple[list[Event], Path],
    tmp_path: Path,
) -> None:
    other_clip = restyle(
        make_clip(41), SETTINGS, tiny_model, checkpoint=FolderCheckpoint(undisturbed[1])
    )
    taken(restyle(clip, SETTINGS, tiny_model, checkpoint=FolderCheckpoint(tmp_path)), 42)
    other_model = restyle(
        clip, SETTINGS, replace(tiny_model, name="huge"), checkpoint=FolderCheckpoint(tmp_path)
    )

    with pytest.raises(CheckpointMismatch, match=r"frame count \(41\)"):
        next(other_clip)
    with pytest.raises(CheckpointMismatch, match="cannot go on with huge"):
        list(other_model)


def test_another_mask_cannot_go_on_whether_its_name_or_what_it_shows_has_changed(
    clip: Clip, tiny_model: Model, tmp_path: Path
) -> None:
    def begun(mask: Path | None) -> list[Event]:
        checkpoint = FolderCheckpoint(tmp_path / "job")
        settings = replace(SETTINGS, subject_mask=mask and str(mask))
        return taken(restyle(clip, settings, tiny_model, checkpoint=checkpoint), 42)

    mask, other = tmp_path / "mask.png", tmp_path / "other.png"
    for file in (mask, other):
        write_image(file, np.full((64, 80, 3), 255, np.uint8))
    begun(mask)
    begun(mask)

    for changed in (other, None):
        with pytest.raises(CheckpointMismatch, match=r"subject mask .+ \(was .+mask\.png\)"):
            begun(changed)
    write_image(mask, np.full((64, 80, 3), 254, np.uint8))
    with pytest.raises(CheckpointMismatch, match=r"mask\.png is another mask than when this job"):
        begun(mask)


def test_what_was_found_out_about_the_clip_is_said_again(
    clip: Clip, tiny_model: Model, undisturbed: tuple[list[Event], Path], tmp_path: Path
) -> None:
    taken(restyle(clip, SETTINGS, tiny_model, checkpoint=FolderCheckpoint(tmp_path)), 45)
    checkpoint = FolderCheckpoint(tmp_path)
    plan = checkpoint.plan()
    assert plan is not None
    checkpoint.save_plan(replace(plan, warnings=("frame 7 is damaged",)))

    events = taken(restyle(clip, SETTINGS, tiny_model, checkpoint=checkpoint), 3)

    assert RunWarned("frame 7 is damaged") in events
