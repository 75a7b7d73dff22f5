"""The pipeline as its consumers see it: which events come, in which order, for which clips."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import (
    ClipUnreadable,
    DiskFull,
    FileChanged,
    InvalidSettings,
    KeyframesUnusable,
    MaskUnusable,
    RangeOutsideClip,
)
from fresco_engine.interpolation.choice import make_interpolator
from fresco_engine.interpolation.propagate import FlowInterpolator
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment
from fresco_engine.looks import look, look_steps
from fresco_engine.planning import plan
from fresco_engine.restyling import restyle
from fresco_engine.settings import SmoothingSettings, Style
from fresco_engine.types import (
    ClipAnalysed,
    Event,
    FrameMade,
    KeyframeMade,
    Progress,
    RunWarned,
    Stage,
)
from fresco_media.stills.images import write_image
from fresco_media.types import Image

from tests.engine.conftest import MakeClip
from tests.engine.runs import (
    JOBS,
    SETTINGS,
    CountingLoader,
    farthest,
    frames_of,
    keyframes_of,
    same_pictures,
    settings_of,
    taken,
)


@pytest.mark.parametrize("frame_count", [1, 2, 3, 22], ids=lambda n: f"{n} frames")
def test_every_frame_comes_once_in_order_with_its_own_time(
    make_clip: MakeClip, tiny_model: Model, frame_count: int
) -> None:
    clip = make_clip(frame_count)

    events = list(restyle(clip, SETTINGS, tiny_model))

    frames = frames_of(events)
    assert [event.frame.index for event in frames] == list(range(frame_count))
    assert [event.frame.time_s * 24 for event in frames] == list(range(frame_count))
    assert all(event.frame.image.shape == (64, 80, 3) for event in frames)


def test_a_keyframe_of_the_result_is_the_keyframe_that_was_announced(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    events = list(restyle(make_clip(14), SETTINGS, tiny_model))

    announced = {event.index: event.image for event in keyframes_of(events)}
    shown = {e.frame.index: e.frame.image for e in frames_of(events) if e.is_keyframe}
    assert sorted(announced) == sorted(shown)
    assert all(np.array_equal(announced[index], shown[index]) for index in announced)
    assert {0, 13} <= set(announced)


def test_a_cut_starts_afresh_and_no_frame_mixes_both_shots(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    clip = make_clip(16, cut_at=9)

    events = list(restyle(clip, SETTINGS, tiny_model))

    analysed = next(event for event in events if isinstance(event, ClipAnalysed))
    assert analysed.shots == ((0, 9), (9, 16))
    assert {0, 8, 9, 15} <= set(analysed.keyframes)


def test_the_first_frame_leaves_before_the_last_batch_is_translated(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    events = list(restyle(make_clip(22), SETTINGS, tiny_model))

    kinds = [type(event) for event in events]
    last_keyframe = max(i for i, kind in enumerate(kinds) if kind is KeyframeMade)
    assert kinds.index(FrameMade) < last_keyframe


def test_progress_reaches_the_announced_total_of_every_stage(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    events = list(restyle(make_clip(14), SETTINGS, tiny_model))

    last: dict[Stage, Progress] = {e.stage: e for e in events if isinstance(e, Progress)}
    assert set(last) == {Stage.ANALYSING, Stage.TRANSLATING, Stage.INTERPOLATING}
    assert all(progress.done == progress.total for progress in last.values())
    assert last[Stage.INTERPOLATING].remaining_s == 0


def test_only_the_wanted_range_is_restyled(make_clip: MakeClip, tiny_model: Model) -> None:
    settings = replace(SETTINGS, start=5, stop=11)

    events = list(restyle(make_clip(14), settings, tiny_model))

    assert [event.frame.index for event in frames_of(events)] == list(range(5, 11))


def test_a_range_outside_the_clip_is_refused_before_any_work(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    events = restyle(make_clip(3), replace(SETTINGS, stop=9), tiny_model)

    with pytest.raises(RangeOutsideClip, match="frames 0 to 2"):
        list(events)


def test_a_prompt_longer_than_the_text_encoder_is_refused(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    settings = replace(SETTINGS, prompt="blue " * 1600)

    with pytest.raises(InvalidSettings, match="shorten it"):
        list(restyle(make_clip(3), settings, tiny_model))


@pytest.mark.parametrize("job", JOBS)
def test_closing_the_iterator_stops_the_work(
    job: str, make_clip: MakeClip, tiny_model: Model
) -> None:
    events: Iterator[Event] = restyle(make_clip(22), JOBS[job], tiny_model)
    for event in events:
        if isinstance(event, KeyframeMade):
            break

    events.close()  # pyright: ignore[reportAttributeAccessIssue]

    assert list(events) == []


def test_the_same_seed_gives_the_same_pixels_and_another_does_not(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    clip = make_clip(6)

    first, again, other = (
        frames_of(list(restyle(clip, replace(SETTINGS, seed=seed), tiny_model)))
        for seed in (1, 1, 2)
    )

    same = [np.array_equal(a.frame.image, b.frame.image) for a, b in zip(first, again, strict=True)]
    assert all(same)
    assert not np.array_equal(first[0].frame.image, other[0].frame.image)


def test_a_size_that_is_no_multiple_of_eight_comes_back_as_it_was(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    clip = make_clip(3, size=(86, 70))

    events = list(restyle(clip, replace(SETTINGS, size=67), tiny_model))

    analysed = next(event for event in events if isinstance(event, ClipAnalysed))
    assert all(side % 8 == 0 for side in analysed.working_size)
    assert frames_of(events)[1].frame.image.shape == (70, 86, 3)


def test_colour_options_apply_to_keyframes(make_clip: MakeClip, tiny_model: Model) -> None:
    clip = make_clip(2)
    source = next(clip.frames()).image.astype(np.float32)

    kept = keyframes_of(list(restyle(clip, replace(SETTINGS, keep_colours=1.0), tiny_model)))
    plain = keyframes_of(list(restyle(clip, SETTINGS, tiny_model)))

    def distance(image: np.ndarray) -> float:
        return float(np.abs(image.mean((0, 1)) - source.mean((0, 1))).sum())

    assert distance(kept[0].image) < distance(plain[0].image)


def test_planning_needs_no_model_and_agrees_with_the_job(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    clip = make_clip(14)

    planned = plan(clip, SETTINGS)

    events = restyle(clip, SETTINGS, tiny_model)
    analysed = next(event for event in events if isinstance(event, ClipAnalysed))
    assert planned.keyframes == analysed.keyframes
    assert planned.working_size == analysed.working_size


def test_a_look_is_one_frame_at_source_size(make_clip: MakeClip, tiny_model: Model) -> None:
    clip = make_clip(5)

    image = look(clip, 3, SETTINGS, tiny_model)

    assert image.shape == (64, 80, 3)
    with pytest.raises(RangeOutsideClip):
        look(clip, 5, SETTINGS, tiny_model)


def test_a_style_is_the_same_as_its_words_and_settings_by_hand(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    style = Style(
        name="sepia", prompt="red", strength=1.0, guidance_scale=2.0, negative_prompt="of"
    )
    knowing = replace(tiny_model, styles=(style,))
    by_hand = replace(
        SETTINGS,
        prompt=f"{SETTINGS.prompt}, red",
        negative_prompt="of",
        strength=1.0,
        guidance_scale=2.0,
    )
    by_style = replace(SETTINGS, style="sepia", strength=None, guidance_scale=None)

    wanted = list(restyle(make_clip(2), by_hand, tiny_model))
    made = list(restyle(make_clip(2), by_style, knowing))

    assert same_pictures(made, wanted)
    assert not any(isinstance(event, RunWarned) for event in made)


def test_a_style_the_model_does_not_know_is_refused(make_clip: MakeClip, tiny_model: Model) -> None:
    settings = replace(SETTINGS, style="glitter")

    with pytest.raises(InvalidSettings, match="style: "):
        list(restyle(make_clip(2), settings, tiny_model))
    with pytest.raises(InvalidSettings, match="style: "):
        look(make_clip(2), 0, settings, tiny_model)


@pytest.mark.parametrize(("guidance", "is_warned"), [(1.0, True), (2.0, False)])
def test_a_negative_prompt_without_effect_is_pointed_out(
    make_clip: MakeClip, tiny_model: Model, guidance: float, is_warned: bool
) -> None:
    settings = replace(SETTINGS, negative_prompt="of", guidance_scale=guidance)

    events = list(restyle(make_clip(2), settings, tiny_model))

    said = [event.message for event in events if isinstance(event, RunWarned)]
    assert any("no effect" in message for message in said) is is_warned


def test_what_comes_out_does_not_depend_on_who_is_faster(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    clip = make_clip(22)
    slow = SlowInterpolator()

    at_leisure = list(restyle(clip, SETTINGS, tiny_model, interpolator=slow))
    hurried: list[Event] = []
    for event in restyle(clip, SETTINGS, tiny_model):
        hurried.append(event)
        time.sleep(0.005)

    assert same_pictures(at_leisure, hurried)


class SlowInterpolator:
    """The usual interpolation, but slow, so that everything else is done before it."""

    def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
        """The frames of `segment`."""
        for frame in make_interpolator(SETTINGS.interpolation)(segment):
            time.sleep(0.02)
            yield frame


def test_frames_are_made_while_the_consumer_has_control_between_two_steps(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    is_made = threading.Event()

    class Signalling:
        """The usual interpolation, which says when it has made a segment."""

        def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
            yield from FlowInterpolator(DisFlow())(segment)
            is_made.set()

    events: list[Event] = []
    for event in restyle(make_clip(22), SETTINGS, tiny_model, interpolator=Signalling()):
        events.append(event)
        is_step = isinstance(event, Progress) and event.stage is Stage.TRANSLATING
        if is_step and keyframes_of(events):
            assert is_made.wait(60), "no segment was made beside the second batch"
            break

    assert is_made.is_set()


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("count", [1, 30, 45, 60])
def test_closing_ends_the_work_beside_it_as_well(
    make_clip: MakeClip, tiny_model: Model, count: int, job: str
) -> None:
    taken(restyle(make_clip(22), JOBS[job], tiny_model), count)

    assert not any(thread.name == "fresco-pipeline-stage" for thread in threading.enumerate())


def test_an_error_in_the_work_beside_it_ends_the_run(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    class Failing:
        def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
            raise DiskFull("nowhere", 0)

    with pytest.raises(DiskFull):
        list(restyle(make_clip(22), SETTINGS, tiny_model, interpolator=Failing()))

    assert not any(thread.name == "fresco-pipeline-stage" for thread in threading.enumerate())


def test_a_look_can_be_had_between_two_steps_with_the_same_model(
    make_clip: MakeClip, tiny_model: Model
) -> None:
    clip = make_clip(14)
    expected = look(clip, 5, SETTINGS, tiny_model)
    undisturbed = list(restyle(clip, SETTINGS, tiny_model))

    events: list[Event] = []
    pictures: list[Image] = []
    for event in restyle(clip, SETTINGS, tiny_model):
        events.append(event)
        if isinstance(event, Progress) and event.stage is Stage.TRANSLATING:
            pictures.append(look(clip, 5, SETTINGS, tiny_model))

    assert all(np.array_equal(picture, expected) for picture in pictures)
    assert same_pictures(events, undisturbed)


def test_a_look_tells_of_every_step(make_clip: MakeClip, tiny_model: Model) -> None:
    steps = list(look_steps(make_clip(3), 1, SETTINGS, tiny_model))

    assert [(step.step, step.steps) for step in steps] == [(1, 2), (2, 2)]


def test_keyframes_are_chosen_and_painted_by_hand(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    painted = np.full((128, 160, 3), (200, 40, 90), np.uint8)
    write_image(tmp_path / "7.png", painted)
    settings = replace(SETTINGS, keyframes=(4,), keyframe_pictures={7: str(tmp_path / "7.png")})

    events = list(restyle(make_clip(12), settings, tiny_model))

    keys = {event.index: event.image for event in events if isinstance(event, KeyframeMade)}
    assert list(keys) == [0, 4, 7, 11]
    assert np.array_equal(keys[7], painted[:64, :80])
    frames = [event.frame.image for event in events if isinstance(event, FrameMade)]
    assert np.array_equal(frames[7], keys[7])
    said = [event.message for event in events if isinstance(event, RunWarned)]
    assert any("7.png is 160x128 and was resized" in message for message in said)


def test_a_painted_keyframe_that_cannot_be_read_is_told_before_work_begins(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    (tmp_path / "7.png").write_bytes(b"no picture")
    settings = replace(SETTINGS, keyframe_pictures={7: str(tmp_path / "7.png")})

    with pytest.raises(KeyframesUnusable, match="export it again as PNG"):
        next(restyle(make_clip(12), settings, tiny_model))


def test_a_painted_keyframe_that_is_replaced_during_the_work_never_becomes_part_of_it(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    path = _image_of(tmp_path / "7.png", 90)
    settings = replace(SETTINGS, keyframe_pictures={7: str(path)})
    checkpoint = FolderCheckpoint(tmp_path / "job")
    events = restyle(make_clip(12), settings, tiny_model, checkpoint=checkpoint)
    next(event for event in events if isinstance(event, ClipAnalysed))

    _image_of(path, 200)

    with pytest.raises(FileChanged, match=r"7\.png: it was replaced"):
        list(events)
    assert checkpoint.load("keyframes", 7) is None


def _image_of(path: Path, level: int) -> Path:
    write_image(path, np.full((64, 80, 3), level, np.uint8))
    return path


def test_what_a_mask_calls_subject_is_not_smoothed(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(16)
    smoothed = replace(SETTINGS, steps=8, strength=1.0)
    unsmoothed = replace(smoothed, smoothing=SmoothingSettings(is_on=False))
    white = _image_of(tmp_path / "mask.png", 255)

    masked = list(restyle(clip, replace(smoothed, subject_mask=str(white)), tiny_model))

    # The smoothed step is one of rounding errors where nothing is carried.
    assert farthest(masked, restyle(clip, unsmoothed, tiny_model)) <= 1
    assert farthest(masked, restyle(clip, smoothed, tiny_model)) > 1
    assert settings_of(masked).as_dict()["subject_mask"] == str(white)


def test_an_unusable_mask_is_told_before_a_model_is_loaded(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip, loader = make_clip(8), CountingLoader(tiny_model)
    black = _image_of(tmp_path / "black.png", 0)
    (tmp_path / "broken.mp4").write_bytes(b"no film")

    for name, error in ((black.name, MaskUnusable), ("broken.mp4", ClipUnreadable)):
        masked = replace(SETTINGS, subject_mask=str(tmp_path / name))
        with pytest.raises(error) as caught:
            list(restyle(clip, masked, loader))
        assert caught.value.field == "subject_mask"

    assert loader.calls == 0
