"""A worker of a cluster that sleeps as long as the engine would work, and stores small pictures.

The daemon, its end of the cluster and its clients see a real job: a plan with the shots that the
clip has, records of batches, keyframes and frames, which are the clip's own pictures.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
from fresco_engine.checkpoint import ScratchCheckpoint, StoredBatch, StoredPlan
from fresco_engine.lazy_model import LazyModel
from fresco_engine.parts import BatchPart, SpanPart
from fresco_engine.planning import plan
from fresco_engine.settings import ModelDefaults, RestyleSettings, settings_from_dict
from fresco_media.clip import Clip
from fresco_media.colour.scaling import fit
from fresco_server.cluster.orders import Answer, Looked, PartOrder, Stepped
from fresco_server.cluster.part_worker import PartWorker

_NAP_S = 0.2
"""A part that is to stop does so after a nap."""
_NOTHING = Stepped(0)
_RECORD = StoredBatch(
    anchors=(),
    new=(0,),
    first=np.zeros((1, 1, 1, 1), np.float32),
    last=np.zeros((1, 1, 1, 1), np.float32),
    origin_frame=np.zeros((1, 1), np.int32),
    origin_place=np.zeros((2, 1, 1), np.float32),
)


@dataclass(frozen=True, kw_only=True)
class SleepSeconds:
    """How long everything takes: a frame of the plan, a denoising step of a keyframe, a frame."""

    plan_frame: float = 0.0
    step: float = 0.0
    frame: float = 0.0


class SleepingPartWorker(PartWorker):
    """Makes parts without a model, in the time that `seconds` says.

    What it really does, as reading the clip, is part of that time and not added to it.
    """

    seconds = SleepSeconds()

    def __init__(self, device: str, token: str) -> None:
        del device  # A GPU that Ray was told of need not be there.
        super().__init__("cpu", token)

    def _work(
        self,
        order: PartOrder,
        settings: dict[str, object],
        clip: Clip,
        model: LazyModel,
        checkpoint: ScratchCheckpoint,
    ) -> Generator[Answer, None, bool]:
        began = time.monotonic()
        match order.part:
            case None:
                frames = _planned(clip, settings_from_dict(settings), checkpoint)
                yield from _naps(began, self.seconds.plan_frame * frames, Looked(0, frames))
            case BatchPart():
                took = 0.0
                for _ in range(order.part.steps):
                    took += self.seconds.step * len(order.part.batch.frames)
                    yield from _naps(began, took)
                    yield Stepped(1)
                _translated(clip, checkpoint, order.part)
            case SpanPart():
                for place, _ in enumerate(_carried(clip, checkpoint, order.part)):
                    yield from _naps(began, self.seconds.frame * (place + 1))
                    yield Stepped(0)
        return True


def sleeping_worker(seconds: SleepSeconds) -> type[SleepingPartWorker]:
    """The class of workers that take so long; Ray sends it to where they are."""
    return type("ConfiguredSleeper", (SleepingPartWorker,), {"seconds": seconds})


def _naps(began: float, took: float, answer: Answer = _NOTHING) -> Iterator[Answer]:
    """Sleep until `took` seconds have gone by; the answer tells nothing and lets it be stopped."""
    while (left := began + took - time.monotonic()) > 0:
        time.sleep(min(left, _NAP_S))
        if left > _NAP_S:
            yield answer


def _planned(clip: Clip, settings: RestyleSettings, checkpoint: ScratchCheckpoint) -> int:
    """Store the plan of the clip, and how many frames it has."""
    values = ModelDefaults().values(settings)
    chosen = {name: value for name, value in values.items() if getattr(settings, name) is None}
    analysed = plan(clip, replace(settings, **chosen))
    checkpoint.save_plan(StoredPlan.of(analysed, model="sleeping", device="cpu", warnings=()))
    return analysed.stop - analysed.start


def _translated(clip: Clip, checkpoint: ScratchCheckpoint, part: BatchPart) -> None:
    batch, size = part.batch, checkpoint.sound_plan().size
    record, new = replace(_RECORD, anchors=batch.anchors, new=batch.new), batch.new
    for key in reversed(new) if batch.is_ahead else new[:1]:
        checkpoint.save_batch(replace(record, ahead=key if batch.is_ahead else None))
    for frame in clip.frames_at(new, size=size.scaled):
        checkpoint.save("keyframes", frame.index, fit(frame.image, size))


def _carried(clip: Clip, checkpoint: ScratchCheckpoint, part: SpanPart) -> Iterator[int]:
    frames, size = part.span.frames, checkpoint.sound_plan().size
    for frame in clip.frames(frames.start, frames.stop, size=size.scaled):
        checkpoint.save("frames", frame.index, fit(frame.image, size))
        yield frame.index
