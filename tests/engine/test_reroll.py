"""Another try at single keyframes: only what depends on them is made again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fresco_engine.checkpoint import CheckpointReader, FolderCheckpoint, fork
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import CheckpointError, InvalidSettings
from fresco_engine.parts import is_stored, parts_of
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import Event
from fresco_media.clip import Clip
from fresco_media.files.disk import partial_name
from fresco_media.stills.images import write_image

from tests.engine.conftest import scene, write_clip
from tests.engine.runs import (
    AHEAD,
    JOBS,
    SETTINGS,
    CountingInterpolator,
    contents,
    frames_of,
    keyframes_of,
    plan_of,
    same_pictures,
    settings_of,
    steps_of,
    taken,
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Two shots, the first with several batches."""
    path = tmp_path_factory.mktemp("clip") / "two shots.mp4"
    return Clip.open(write_clip(path, scene(32, cut_at=24)))


@dataclass(frozen=True)
class Finished:
    """A run that is done, and its folder."""

    settings: RestyleSettings
    events: list[Event]
    folder: Path


@pytest.fixture(scope="module", params=JOBS)
def finished_job(
    request: pytest.FixtureRequest,
    clip: Clip,
    tiny_model: Model,
    tmp_path_factory: pytest.TempPathFactory,
) -> Finished:
    """A restyle and an edit."""
    # Everywhere and freely: a region might hide what changes, and an edit hardly minds its seed.
    settings = replace(JOBS[request.param], region="all", keep=0.2)
    folder = tmp_path_factory.mktemp("finished")
    events = list(restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(folder)))
    return Finished(settings, events, folder)


@pytest.fixture(scope="module")
def finished(
    clip: Clip, tiny_model: Model, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Event], Path]:
    """A restyle that is done, and its folder."""
    folder = tmp_path_factory.mktemp("finished")
    return list(restyle(clip, SETTINGS, tiny_model, checkpoint=FolderCheckpoint(folder))), folder


def pictures(events: list[Event]) -> Iterator[tuple[tuple[str, int], np.ndarray]]:
    for frame in frames_of(events):
        yield ("frame", frame.frame.index), frame.frame.image
    for key in keyframes_of(events):
        yield ("keyframe", key.index), key.image


def changed(before: list[Event], after: list[Event]) -> set[tuple[str, int]]:
    later = dict(pictures(after))
    return {name for name, image in pictures(before) if not np.array_equal(image, later[name])}


@pytest.mark.parametrize("place", [0, 4, 5], ids=lambda n: f"keyframe {n}")
@pytest.mark.parametrize("change", ["seed", "prompt"])
def test_exactly_what_depends_on_a_keyframe_changes(
    clip: Clip,
    tiny_model: Model,
    finished_job: Finished,
    tmp_path: Path,
    place: int,
    change: str,
) -> None:
    events, folder = finished_job.events, finished_job.folder
    plan = plan_of(events)
    key = plan.keyframes[place]
    shot = next(keys for keys in _keyframes_by_shot(events) if key in keys)
    neighbours = [k for k in (_before(shot, key), _after(shot, key)) if k is not None]
    settings = (
        replace(finished_job.settings, keyframe_seeds={key: 77})
        if change == "seed"
        else replace(finished_job.settings, keyframe_prompts={key: "red and of"})
    )
    interpolator = CountingInterpolator()

    fork(folder, tmp_path / "again", [key])
    again = list(
        restyle(
            clip,
            settings,
            tiny_model,
            interpolator=interpolator,
            checkpoint=FolderCheckpoint(tmp_path / "again"),
        )
    )

    low, high = min([key, *neighbours]), max([key, *neighbours])
    depends = {("frame", i) for i in range(low, high + 1)} - {("frame", k) for k in neighbours}
    assert changed(events, again) == depends | {("keyframe", key)}
    assert interpolator.segments == [abs(k - key) - 1 for k in neighbours if abs(k - key) > 1]
    assert settings_of(again).keyframe_seeds == settings.keyframe_seeds


def _keyframes_by_shot(events: list[Event]) -> list[list[int]]:
    plan = plan_of(events)
    return [[k for k in plan.keyframes if first <= k < stop] for first, stop in plan.shots]


def _before(shot: list[int], key: int) -> int | None:
    return max((k for k in shot if k < key), default=None)


def _after(shot: list[int], key: int) -> int | None:
    return min((k for k in shot if k > key), default=None)


def test_only_the_batch_of_the_keyframe_is_translated_again(
    clip: Clip, tiny_model: Model, finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    events, folder = finished
    frames: list[int] = []
    hook = tiny_model.controls[0].network.register_forward_pre_hook(
        lambda _, inputs: frames.append(len(inputs[0]) // 2)
    )
    key = plan_of(events).keyframes[4]

    fork(folder, tmp_path / "again", [key])
    list(
        restyle(
            clip,
            replace(SETTINGS, keyframe_seeds={key: 5}),
            tiny_model,
            checkpoint=FolderCheckpoint(tmp_path / "again"),
        )
    )

    hook.remove()
    assert frames == [4, 4]


def test_with_the_same_settings_the_same_comes_out(
    clip: Clip, tiny_model: Model, finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    events, folder = finished
    keys = plan_of(events).keyframes

    fork(folder, tmp_path / "again", [keys[1], keys[5], keys[-1]])
    before = contents(tmp_path / "again")
    again = list(
        restyle(clip, SETTINGS, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "again"))
    )

    assert same_pictures(again, events)
    assert steps_of(again) < steps_of(events)
    assert before.items() <= contents(folder).items()
    assert contents(tmp_path / "again") == contents(folder)


def test_neither_side_touches_what_both_share(
    clip: Clip, tiny_model: Model, finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    events, folder = finished
    before = contents(folder)
    key = plan_of(events).keyframes[3]

    fork(folder, tmp_path / "again", [key])
    settings = replace(SETTINGS, keyframe_prompts={key: "red"})
    list(restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "again")))

    assert contents(folder) == before


def test_a_second_try_can_be_interrupted_as_well(
    clip: Clip, tiny_model: Model, finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    events, folder = finished
    key = plan_of(events).keyframes[4]
    settings = replace(SETTINGS, keyframe_seeds={key: 5})
    for name in ("whole", "parts"):
        fork(folder, tmp_path / name, [key])
    whole = list(
        restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "whole"))
    )

    for count in (20, 32, 40):
        taken(
            restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "parts")),
            count,
        )
    last = list(
        restyle(clip, settings, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "parts"))
    )

    assert same_pictures(last, whole)


def test_a_frame_that_is_no_keyframe_is_refused_and_its_neighbours_are_named(
    finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    keys = plan_of(finished[0]).keyframes
    wrong = next(i for i in range(8, 32) if i not in keys)
    near = [str(k) for k in keys if abs(k - wrong) <= 4]

    with pytest.raises(InvalidSettings, match=f"frame {wrong} is not a keyframe") as caught:
        fork(finished[1], tmp_path / "again", [wrong])

    assert all(k in str(caught.value) for k in near)
    assert not (tmp_path / "again").exists()


def test_a_fork_that_was_killed_half_way_is_made_anew(
    finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    left_over = FolderCheckpoint(partial_name(tmp_path / "again"))
    left_over.save("frames", 3, np.zeros((8, 8, 3), np.uint8))

    fork(finished[1], tmp_path / "again", [0])

    assert not CheckpointReader(tmp_path / "again").has("frames", 0)
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_a_fork_never_replaces_anything(finished: tuple[list[Event], Path], tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()

    with pytest.raises(CheckpointError, match="exists already"):
        fork(finished[1], tmp_path / "again", [0])
    with pytest.raises(CheckpointError, match="nothing was planned"):
        fork(tmp_path / "again", tmp_path / "other", [0])


def _with(
    clip: Clip, model: Model, folder: Path, settings: RestyleSettings = SETTINGS
) -> tuple[list[Event], CountingInterpolator]:
    interpolator = CountingInterpolator()
    checkpoint = FolderCheckpoint(folder)
    plan = checkpoint.plan()
    assert plan is not None
    settings = replace(settings, keyframes=plan.settings.keyframes)
    events = restyle(clip, settings, model, interpolator=interpolator, checkpoint=checkpoint)
    return list(events), interpolator


def _translates_nothing(events: list[Event], folder: Path) -> bool:
    """Whether every batch was skipped, which is one step for each."""
    return steps_of(events) == len({batch.new for batch in FolderCheckpoint(folder).batches()})


def _same_keyframes(before: list[Event], after: list[Event], but: set[int]) -> bool:
    kept = {event.index: event.image for event in keyframes_of(before) if event.index not in but}
    found = {event.index: event.image for event in keyframes_of(after) if event.index not in but}
    return kept.keys() == found.keys() and all(
        np.array_equal(image, found[index]) for index, image in kept.items()
    )


@pytest.mark.parametrize("place", [1, 3, 4])
def test_a_keyframe_that_is_taken_away_becomes_a_frame_like_the_others(
    clip: Clip, tiny_model: Model, finished: tuple[list[Event], Path], tmp_path: Path, place: int
) -> None:
    events, folder = finished
    keys = plan_of(events).keyframes
    key = keys[place]

    fork(folder, tmp_path / "again", [], [k for k in keys if k != key])
    again, interpolator = _with(clip, tiny_model, tmp_path / "again")

    assert plan_of(again).keyframes == tuple(k for k in keys if k != key)
    assert _same_keyframes(events, again, {key})
    assert interpolator.segments == [keys[place + 1] - keys[place - 1] - 1]
    assert _translates_nothing(again, tmp_path / "again")
    between = range(keys[place - 1] + 1, keys[place + 1])
    assert {index for kind, index in changed_frames(events, again)} <= set(between)
    assert [event.frame.index for event in frames_of(again)] == list(range(32))


def changed_frames(before: list[Event], after: list[Event]) -> set[tuple[str, int]]:
    later = dict(pictures(after))
    return {
        name
        for name, image in pictures(before)
        if name[0] == "frame" and not np.array_equal(image, later[name])
    }


def test_a_keyframe_that_is_added_is_translated_alone(
    clip: Clip, tiny_model: Model, finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    events, folder = finished
    keys = plan_of(events).keyframes
    left = next(k for k, after in pairwise(keys) if after - k > 2)
    key, right = left + 1, keys[keys.index(left) + 1]

    fork(folder, tmp_path / "again", [], [*keys, key])
    again, interpolator = _with(clip, tiny_model, tmp_path / "again")

    assert plan_of(again).keyframes == tuple(sorted((*keys, key)))
    assert _same_keyframes(events, again, {key})
    assert interpolator.segments == [right - key - 1]
    assert not _translates_nothing(again, tmp_path / "again")
    assert steps_of(again) < steps_of(events)
    assert {index for _, index in changed_frames(events, again)} <= set(range(left + 1, right))


def test_all_keyframes_of_a_batch_can_go_and_others_be_made_again_after_that(
    clip: Clip, tiny_model: Model, finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    events, folder = finished
    records = list(FolderCheckpoint(folder).batches())
    lost = records[1]
    keys = [k for k in plan_of(events).keyframes if k not in lost.new or k in (23, 31)]
    fork(folder, tmp_path / "fewer", [], keys)
    fewer, _ = _with(clip, tiny_model, tmp_path / "fewer")
    later = keys[-2] if keys[-2] < 23 else keys[2]

    fork(tmp_path / "fewer", tmp_path / "again", [later])
    settings = replace(SETTINGS, keyframe_seeds={later: 5})
    again, _ = _with(clip, tiny_model, tmp_path / "again", settings)

    assert plan_of(fewer).keyframes == tuple(keys)
    assert _same_keyframes(fewer, again, {later})
    assert not _same_keyframes(fewer, again, set())


def test_a_painted_keyframe_is_taken_as_it_is(
    clip: Clip, tiny_model: Model, finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    events, folder = finished
    keys = plan_of(events).keyframes
    painted = np.full((64, 80, 3), (200, 40, 90), np.uint8)
    write_image(tmp_path / "painted.png", painted)

    fork(folder, tmp_path / "again", [keys[2]])
    settings = replace(SETTINGS, keyframe_pictures={keys[2]: str(tmp_path / "painted.png")})
    again, interpolator = _with(clip, tiny_model, tmp_path / "again", settings)

    shown = {event.index: event.image for event in keyframes_of(again)}
    assert np.array_equal(shown[keys[2]], painted)
    assert _same_keyframes(events, again, {keys[2]})
    assert len(interpolator.segments) == 2
    assert _translates_nothing(again, tmp_path / "again")


@pytest.mark.parametrize("wrong", [32, -1, 400])
def test_keyframes_outside_of_the_job_are_refused(
    finished: tuple[list[Event], Path], tmp_path: Path, wrong: int
) -> None:
    keys = plan_of(finished[0]).keyframes

    with pytest.raises(InvalidSettings, match=f"frame {wrong} is not among"):
        fork(finished[1], tmp_path / "again", [], [*keys, wrong])


def test_the_end_of_a_shot_stays_a_keyframe(
    finished: tuple[list[Event], Path], tmp_path: Path
) -> None:
    keys = plan_of(finished[0]).keyframes

    with pytest.raises(InvalidSettings, match="frame 23 is the end of a shot"):
        fork(finished[1], tmp_path / "again", [], [key for key in keys if key != 23])


@pytest.fixture(scope="module")
def finished_ahead(
    clip: Clip, tiny_model: Model, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Event], Path]:
    """A run that is done, of which some keyframes of the first shot went ahead."""
    folder = tmp_path_factory.mktemp("finished")
    return list(restyle(clip, AHEAD, tiny_model, checkpoint=FolderCheckpoint(folder))), folder


@pytest.mark.parametrize("place", range(1, 5))
@pytest.mark.parametrize("change", ["gone", "added"])
def test_a_shot_with_anchors_first_can_get_other_keyframes(
    clip: Clip,
    tiny_model: Model,
    finished_ahead: tuple[list[Event], Path],
    tmp_path: Path,
    place: int,
    change: str,
) -> None:
    events, folder = finished_ahead
    plan = plan_of(events)
    keys, anchor = set(plan.keyframes), plan.ahead[place]
    index = {
        "gone": anchor,
        "added": min(set(range(anchor - 4, 24)) - keys, key=lambda i: abs(i - anchor)),
    }[change]

    fork(folder, tmp_path / "again", [], keys ^ {index})
    again, _ = _with(clip, tiny_model, tmp_path / "again", AHEAD)

    assert plan_of(again).keyframes == tuple(sorted(keys ^ {index}))
    assert not plan_of(again).ahead
    assert _same_keyframes(events, again, {index})
    checkpoint = FolderCheckpoint(tmp_path / "again")
    stored = checkpoint.plan()
    assert stored is not None
    assert all(is_stored(part, checkpoint) for part in parts_of(stored, checkpoint))
    assert [event.frame.index for event in frames_of(again)] == list(range(32))
    if change == "gone":
        assert _translates_nothing(again, tmp_path / "again")


def test_a_shot_whose_keyframes_stay_keeps_what_goes_ahead(
    clip: Clip, tiny_model: Model, finished_ahead: tuple[list[Event], Path], tmp_path: Path
) -> None:
    events, folder = finished_ahead
    plan = plan_of(events)
    key = plan.keyframes[-2]

    fork(folder, tmp_path / "again", [], set(plan.keyframes) - {key})
    again, _ = _with(clip, tiny_model, tmp_path / "again", AHEAD)

    assert plan_of(again).ahead == tuple(anchor for anchor in plan.ahead if anchor < 24) != ()
    assert _same_keyframes(events, again, {key})
    assert _translates_nothing(again, tmp_path / "again")
