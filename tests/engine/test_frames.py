"""The frames between keyframes: made in order, and stopped without waiting for a segment."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from fakes.waiting import PATIENCE_S
from fresco_engine.checkpoint import NoCheckpoint
from fresco_engine.frames import make_frames
from fresco_engine.interpolation.choice import make_interpolator, shared_cores
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment
from fresco_engine.pipeline_stage import PipelineStageClosed
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.run import Keyframe, MadeFrame, Run
from fresco_engine.types import ClipAnalysed
from fresco_media.clip import Clip
from fresco_media.stills.images import working_size
from fresco_media.types import Image
from fresco_media.video.span_reader import SpanReader

from tests.engine.conftest import MakeClip, scene
from tests.engine.runs import SETTINGS


class Submitted:
    """Keyframes that are all there from the beginning."""

    def __init__(self, keyframes: list[Keyframe]) -> None:
        self._keyframes = iter(keyframes)

    def __iter__(self) -> Iterator[Keyframe]:
        return self

    def __next__(self) -> Keyframe:
        return next(self._keyframes)

    def is_ready(self) -> bool:
        return True


class NoSource:
    """Nothing is asked of it: the keyframes are there."""

    def of_shot(
        self, keyframes: tuple[int, ...], frames: SpanReader
    ) -> Generator[Keyframe, None, None]:
        yield from ()

    def at_source_size(self, keyframe: Keyframe) -> Image:
        return keyframe.image

    def steps_left(self, shots: Sequence[tuple[int, ...]], done: int = 0) -> int:
        return 0

    def frame_at_source_size(self, frame: MadeFrame) -> Image:
        return frame.image


def run_of(
    clip: Clip,
    shots: tuple[tuple[int, int], ...] = ((2, 20), (20, 25)),
    keyframes: tuple[int, ...] = (2, 8, 19, 20, 24),
) -> Run:
    at_once, workers = shared_cores()
    return Run(
        clip=clip,
        plan=ClipAnalysed(
            info=clip.info,
            settings=SETTINGS,
            start=shots[0][0],
            stop=shots[-1][1],
            shots=shots,
            keyframes=keyframes,
            working_size=(80, 64),
        ),
        size=working_size(80, 64, 64),
        keyframes=NoSource(),
        interpolator=make_interpolator(SETTINGS.interpolation, workers=workers),
        at_once=at_once,
        checkpoint=NoCheckpoint(),
        tracker=ProgressTracker(),
    )


def frames(run: Run, check: Callable[[], None] = lambda: None) -> list[MadeFrame]:
    keyframes = [Keyframe(index, scene(30)[index]) for index in run.plan.keyframes]
    return list(make_frames(run, Submitted(keyframes), check))


def test_shots_are_filled_from_keyframe_to_keyframe(make_clip: MakeClip) -> None:
    made = frames(run_of(make_clip(30)))

    assert [frame.index for frame in made] == list(range(2, 25))
    assert [frame.index for frame in made if frame.is_keyframe] == [2, 8, 19, 20, 24]
    assert not any(frame.is_reused for frame in made)


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_the_number_of_cores_changes_nothing(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    clip = make_clip(30)
    usual = frames(run_of(clip))
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    made = frames(run_of(clip))

    assert [frame.index for frame in made] == [frame.index for frame in usual]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(made, usual, strict=True))
    assert [frame.quality for frame in made] == [frame.quality for frame in usual]


def test_later_segments_are_made_while_the_first_one_is(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def meet(segment: Segment) -> Iterator[InterpolatedFrame]:
        both.wait()
        for offset in segment.offsets:
            error = np.zeros(segment.sources[0].shape[:2], np.float32)
            yield InterpolatedFrame(offset, segment.sources[offset], error)

    run = replace(run_of(make_clip(30), ((2, 20),), (2, 8, 19)), interpolator=meet)

    made = frames(run)

    assert [frame.index for frame in made] == list(range(2, 20))


def test_frames_outside_the_keyframes_come_from_one_side(make_clip: MakeClip) -> None:
    run = run_of(make_clip(30), ((0, 20), (20, 30)), (8, 24))

    made = frames(replace(run, longest=5, keeps_errors=True))

    assert [frame.index for frame in made] == list(range(30))
    assert [frame.index for frame in made if frame.is_keyframe] == [8, 24]
    assert all((frame.error is None) == frame.is_keyframe for frame in made)


def test_the_work_ends_in_the_middle_of_a_segment(make_clip: MakeClip) -> None:
    asked: list[bool] = []

    def check() -> None:
        asked.append(True)
        if len(asked) >= 4:
            raise PipelineStageClosed

    with pytest.raises(PipelineStageClosed):
        frames(run_of(make_clip(30)), check)
    asked_until_closed = len(asked)
    asked.clear()
    frames(run_of(make_clip(30)), lambda: asked.append(True))

    assert asked_until_closed < len(asked) / 2
