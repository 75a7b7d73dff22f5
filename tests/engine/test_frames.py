"""The frames between keyframes: made in order, and stopped without waiting for a segment."""

from collections.abc import Callable

import pytest
from fresco_engine.checkpoint import NoCheckpoint
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.models import Model
from fresco_engine.fallback import Ladder
from fresco_engine.frames import make_frames
from fresco_engine.lane import LaneClosed
from fresco_engine.media.clip import Clip
from fresco_engine.media.images import working_size
from fresco_engine.pace import Pace
from fresco_engine.run import Keyframe, LazyModel, MadeFrame, Run

from tests.engine.conftest import MakeClip, scene
from tests.engine.runs import SETTINGS


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
    return list(make_frames(run_of(clip, model), 30, iter(keyframes), check))


def test_shots_are_filled_from_keyframe_to_keyframe(make_clip: MakeClip, tiny_model: Model) -> None:
    made = frames(make_clip(30), tiny_model)

    assert [frame.index for frame in made] == list(range(2, 25))
    assert [frame.index for frame in made if frame.is_keyframe] == [2, 8, 19, 20, 24]
    assert not any(frame.is_reused for frame in made)


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
