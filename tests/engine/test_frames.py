"""The frames between keyframes: made in order, and stopped without waiting for a segment."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from fresco_engine.checkpoint import NoCheckpoint
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.model import Model
from fresco_engine.fallback import Ladder
from fresco_engine.frames import make_frames
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment
from fresco_engine.lane import LaneClosed
from fresco_engine.pace import Pace
from fresco_engine.run import Keyframe, LazyModel, MadeFrame, Run
from fresco_media.clip import Clip
from fresco_media.images import working_size

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


def run_of(clip: Clip, model: Model) -> Run:
    return Run(
        clip=clip,
        settings=SETTINGS,
        size=working_size(80, 64, 64),
        model=LazyModel(model),
        estimator=DisFlow(),
        interpolator=None,
        checkpoint=NoCheckpoint(),
        ladder=Ladder(SETTINGS, NoCheckpoint()),
        pace=Pace(),
    )


def frames(clip: Clip, model: Model, check: Callable[[], None] = lambda: None) -> list[MadeFrame]:
    keyframes = [
        Keyframe(index, scene(30)[index], begins_shot=index in (2, 20))
        for index in (2, 8, 19, 20, 24)
    ]
    return list(make_frames(run_of(clip, model), 30, Submitted(keyframes), check))


def test_shots_are_filled_from_keyframe_to_keyframe(make_clip: MakeClip, tiny_model: Model) -> None:
    made = frames(make_clip(30), tiny_model)

    assert [frame.index for frame in made] == list(range(2, 25))
    assert [frame.index for frame in made if frame.is_keyframe] == [2, 8, 19, 20, 24]
    assert not any(frame.is_reused for frame in made)


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_the_number_of_cores_changes_nothing(
    make_clip: MakeClip, tiny_model: Model, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    clip = make_clip(30)
    usual = frames(clip, tiny_model)
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    made = frames(clip, tiny_model)

    assert [frame.index for frame in made] == [frame.index for frame in usual]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(made, usual, strict=True))
    assert [frame.quality for frame in made] == [frame.quality for frame in usual]


def test_later_segments_are_made_while_the_first_one_is(
    make_clip: MakeClip, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    both = threading.Barrier(2, timeout=20)

    def meet(segment: Segment) -> Iterator[InterpolatedFrame]:
        both.wait()
        for offset in segment.offsets:
            error = np.zeros(segment.sources[0].shape[:2], np.float32)
            yield InterpolatedFrame(offset, segment.sources[offset], error)

    run = replace(run_of(make_clip(30), tiny_model), interpolator=meet)
    keyframes = [Keyframe(i, scene(30)[i], begins_shot=i == 2) for i in (2, 8, 19)]

    made = list(make_frames(run, 30, Submitted(keyframes), lambda: None))

    assert [frame.index for frame in made] == list(range(2, 20))


def test_the_work_ends_in_the_middle_of_a_segment(make_clip: MakeClip, tiny_model: Model) -> None:
    asked: list[bool] = []

    def check() -> None:
        asked.append(True)
        if len(asked) >= 4:
            raise LaneClosed

    with pytest.raises(LaneClosed):
        frames(make_clip(30), tiny_model, check)
    asked_until_closed = len(asked)
    asked.clear()
    frames(make_clip(30), tiny_model, lambda: asked.append(True))

    assert asked_until_closed < len(asked) / 2
