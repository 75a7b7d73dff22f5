"""The pipeline behind every way to make keyframes: announce them, fill in the frames between.

Memory is bounded by one batch of keyframes and one segment between two keyframes, whatever the
length of the clip. Keyframes are made on the consumer's thread, the frames between them on a
second one meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial

from fresco_media.types import Frame
from fresco_media.video.span_reader import SpanReader

from fresco_engine.frames import make_frames
from fresco_engine.interpolation.keyframe_span import keys_within
from fresco_engine.pipeline_stage import PipelineStage, Timed
from fresco_engine.run import Keyframe, MadeFrame, Run
from fresco_engine.types import Event, FrameMade, KeyframeMade, RunWarned, Stage

_WAITING_BYTES = 64 << 20
_WAITING = (4, 32)
"""Pictures that wait to go from one stage to the other: bytes, and the least and most number."""


def run_pipeline(run: Run) -> Iterator[Event]:
    """Every keyframe as soon as it is there, and every frame of the range once and in order.

    Raises:
        FrescoError: whatever the source of the keyframes raises, or the interpolator.
    """
    plan, tracker, source = run.plan, run.tracker, run.keyframes
    shots = [keys_within(plan.keyframes, first, last) for first, last in plan.shots]
    steps = source.steps_left(shots)
    # Measured while a span has to wait for its keyframes, a frame takes its time alone.
    tracker.expect(Stage.INTERPOLATING, plan.stop - plan.start, at_once=run.at_once if steps else 1)
    tracker.expect(Stage.TRANSLATING, steps)
    frames = SpanReader(run.clip, plan.stop, run.size)
    room = _room(run)
    with PipelineStage(partial(make_frames, run), inbox=room, outbox=room) as stage:
        for place, keyframes in enumerate(shots):
            done = 0
            with closing(source.of_shot(keyframes, frames)) as items:
                for item in items:
                    if isinstance(item, Keyframe):
                        done += 1
                        yield KeyframeMade(item.index, source.at_source_size(item))
                        yield from _announced(run, stage.submit(item))
                    else:
                        yield item
                    if isinstance(item, RunWarned):  # Batches are smaller from here on.
                        tracker.revise(Stage.TRANSLATING, source.steps_left(shots[place:], done))
                    yield from _announced(run, stage.ready())
        yield from _announced(run, stage.finish())


def _room(run: Run) -> int:
    """How many pictures may wait between the stages: enough for a slow step, but not for a clip."""
    width, height = run.size.padded
    least, most = _WAITING
    return max(least, min(most, _WAITING_BYTES // (3 * width * height)))


def _announced(run: Run, finished: Iterator[Timed[MadeFrame]]) -> Iterator[Event]:
    info = run.clip.info
    for made in finished:
        frame = made.item
        run.tracker.spend(Stage.INTERPOLATING, made.seconds)
        with run.tracker.measured(Stage.INTERPOLATING):
            image = run.keyframes.frame_at_source_size(frame)
        time_s = info.times[frame.index] * info.time_base
        made_frame = Frame(frame.index, time_s, image)
        yield FrameMade(made_frame, frame.is_keyframe, frame.quality, frame.error)
        if frame.is_reused:
            run.tracker.reused["frames"] += 1
            yield run.tracker.skip(Stage.INTERPOLATING)
        elif frame.is_keyframe:  # It was there: its time would promise too much for the others.
            yield run.tracker.skip(Stage.INTERPOLATING)
        else:
            yield run.tracker.advance(Stage.INTERPOLATING)
