"""A worker without a model: real media, real checkpoints, negatives instead of restyled frames.

    python -m tests.fakes.worker [--step-s S] [--frame-s S] [--crash-at N] [--start-once FILE] ...

`--step-s` and `--frame-s` are how long a denoising step and a frame take. With `--crash-at N` the
process kills itself when it is to make frame N, with `--frames-after FILE` it makes none until that
file is there. With `--start-once FILE` only the first one starts.
With `--copies` results are as their sources are.
With `--broken NAME` the worker of that device ("any" for all) does not start, in the way of
`--how`, until there is the file `--mended FILE`.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from fresco_client.values import Failure
from fresco_engine.checkpoint import FolderCheckpoint, StoredPlan
from fresco_engine.errors import InvalidSettings
from fresco_engine.keyframes import with_chosen
from fresco_engine.mattes import KeptMattes, matte_of
from fresco_engine.settings import ControlChoice, RestyleSettings, settings_from_dict
from fresco_engine.types import (
    ClipAnalysed,
    Event,
    FrameMade,
    KeyframeMade,
    LookedFrame,
    Progress,
    Report,
    RunFinished,
    Stage,
)
from fresco_media.clip import Clip
from fresco_media.colour.scaling import WorkingSize, fit, unfit, working_size
from fresco_media.painted.keys import read_key
from fresco_media.types import Frame, Image
from fresco_media.writing.writer import open_writer
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.looks import LookOrder
from fresco_server.jobs.messages import Ready, Refused, RunJob
from fresco_server.worker import confinement, media
from fresco_server.worker.channel import Channel
from fresco_server.worker.device_worker import DeviceWorker
from fresco_server.worker.job_run import result_path

GAP = 5
STEPS = 3


@dataclass
class NegativeEngine:
    """Turns frames into their negatives, stores them like the engine, and goes on like it."""

    step_s: float
    frame_s: float
    crash_at: int | None
    frames_after: Path | None = None
    copies: bool = False
    is_lost: bool = False

    def _made(self, image: Image) -> Image:
        return image if self.copies else 255 - image

    def render(self, run: RunJob) -> Generator[Event, None, None]:
        order = run.order
        clip = media.open_ordered(order)
        settings = settings_from_dict(order.settings)
        if settings.prompt == "unthinkable":
            raise InvalidSettings("prompt", "nobody can think of this; use other words")
        if self.is_lost or settings.prompt == "lose the device":
            self.is_lost = True
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        checkpoint = FolderCheckpoint(Path(run.folder))
        stored = checkpoint.plan()
        plan = _plan(clip, settings) if stored is None else stored.analysed(clip.info, settings)
        yield Progress(stage=Stage.ANALYSING, done=1, total=1, remaining_s=None)
        checkpoint.save_plan(
            StoredPlan.of(plan, model="negative", device="cpu", warnings=clip.warnings)
        )
        mattes = KeptMattes(clip, checkpoint)
        mattes.keep(plan)
        yield plan
        for event in self._keyframes(clip, plan, checkpoint):
            mattes.keep(event)
            yield event
        stop = plan.stop
        output = None if order.codec == "frames" else result_path(run)
        if output is None:
            for event in self._frames(clip, plan, checkpoint):
                mattes.keep(event)
                yield event
        else:
            with open_writer(
                output,
                clip,
                codec=cast(Any, order.codec),
                overwrite=True,
                start=plan.start,
                stop=stop,
            ) as writer:
                for event in self._frames(clip, plan, checkpoint):
                    mattes.keep(event)
                    if isinstance(event, FrameMade):
                        writer.write(event.frame)
                    yield event
        yield RunFinished(_report(plan))

    def _keyframes(
        self, clip: Clip, plan: ClipAnalysed, checkpoint: FolderCheckpoint
    ) -> Generator[Event, None, None]:
        total = len(plan.keyframes) * STEPS
        size = _size(clip, _settings(plan))
        for position, index in enumerate(plan.keyframes):
            stored = checkpoint.load("keyframes", index)
            for step in range(STEPS):
                if stored is None:
                    time.sleep(self.step_s)
                done = position * STEPS + step + 1
                yield Progress(stage=Stage.TRANSLATING, done=done, total=total, remaining_s=1.0)
            if stored is None:
                stored = self._keyframe(clip, plan, index)
                checkpoint.save("keyframes", index, stored)
            yield KeyframeMade(index, unfit(stored, size))

    def _keyframe(self, clip: Clip, plan: ClipAnalysed, index: int) -> Image:
        size = _size(clip, _settings(plan))
        painted = _settings(plan).keyframe_pictures.get(index)
        if painted is not None:
            return fit(read_key(Path(painted), clip, index), size)
        return self._made(fit(next(clip.frames_at([index], size=size.scaled)).image, size))

    def _frames(
        self, clip: Clip, plan: ClipAnalysed, checkpoint: FolderCheckpoint
    ) -> Generator[Event, None, None]:
        total = plan.stop - plan.start
        while self.frames_after is not None and not self.frames_after.exists():
            time.sleep(0.02)
            # Whoever is held can be asked for a look, or stopped, as the engine can.
            yield Progress(stage=Stage.INTERPOLATING, done=0, total=total, remaining_s=None)
        size = _size(clip, _settings(plan))
        for frame in clip.frames(plan.start, plan.stop, size=size.scaled):
            made = checkpoint.load("frames", frame.index)
            if made is None:
                if frame.index == self.crash_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(self.frame_s)
                made = self._made(fit(frame.image, size))
                checkpoint.save("frames", frame.index, made)
            result = Frame(frame.index, frame.time_s, unfit(made, size))
            yield FrameMade(result, frame.index in plan.keyframes)
            done = frame.index - plan.start + 1
            yield Progress(stage=Stage.INTERPOLATING, done=done, total=total, remaining_s=0.5)

    def look(self, order: LookOrder) -> Generator[tuple[int, int], None, LookedFrame]:
        clip = media.open_clip(order.clip, order.frame_rate)
        settings = settings_from_dict(order.settings)
        if settings.prompt == "unthinkable":
            raise InvalidSettings("prompt", "nobody can think of this; use other words")
        if order.shows_control:
            kinds = ControlChoice.parse(settings.control or "tile").kinds
            picture = next(clip.frames_at([order.index])).image
            shown = [picture // (n + 1) for n in range(len(kinds))]
            return LookedFrame(np.concatenate(shown, axis=1))
        for step in range(STEPS):
            time.sleep(self.step_s)
            yield step + 1, STEPS
        made = self._made(next(clip.frames_at([order.index])).image)
        if settings.region == "all":
            return LookedFrame(made, matte=matte_of(clip, order.index))
        region = np.zeros(made.shape[:2], np.bool_)
        region[:, : made.shape[1] // 2] = True
        return LookedFrame(made, region, matte_of(clip, order.index))

    def load(self, source: str | None) -> None:
        if source is not None:
            raise InvalidSettings("model", f"{source} is no model; use the bundled one")


def _plan(clip: Clip, settings: RestyleSettings) -> ClipAnalysed:
    start = settings.start
    stop = clip.info.frame_count if settings.stop is None else settings.stop
    return ClipAnalysed(
        info=clip.info,
        settings=settings,
        start=start,
        stop=stop,
        shots=((start, stop),),
        keyframes=with_chosen(
            settings.keyframes or range(start, stop, GAP), settings, ((start, stop),)
        ),
        working_size=_size(clip, settings).padded,
    )


def _settings(plan: ClipAnalysed) -> RestyleSettings:
    assert isinstance(plan.settings, RestyleSettings)
    return plan.settings


def _size(clip: Clip, settings: RestyleSettings) -> WorkingSize:
    return working_size(clip.info.width, clip.info.height, settings.size)


def _report(plan: ClipAnalysed) -> Report:
    return Report(
        settings=plan.settings.as_dict(),
        model="negative",
        device="cpu",
        clip={},
        keyframes=plan.keyframes,
        shots=plan.shots,
        working_size=plan.working_size,
        seconds={},
        peak_memory_bytes=0,
        metrics={},
    )


def _is_there(mark: Path) -> bool:
    """Whether a file exists; it does from now on."""
    was_there = mark.exists()
    mark.touch()
    return was_there


def _break(how: str) -> None:
    """End, or do not, as workers do that cannot start."""
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "import error":
        raise ImportError("libcudart.so.13: cannot open shared object file")
    elif how == "silent":
        time.sleep(600)
    elif how == "no devices":
        Channel().send(Ready())
    sys.exit(0 if how == "at once" else 7)


def _misread() -> None:
    """Looking at a clip named `slow...` takes for ever, as on a disk that does not answer.

    One named `deadly...` ends the process, as a damaged file may.
    """
    opened = media.open_clip

    def open_clip(path: str, frame_rate: str | None) -> Clip:
        while Path(path).name.startswith("slow"):
            time.sleep(0.1)
        if Path(path).name.startswith("deadly"):
            os.kill(os.getpid(), signal.SIGKILL)
        return opened(path, frame_rate)

    media.open_clip = open_clip


def main() -> None:
    """Serve the daemon until it is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--step-s", type=float, default=0.01)
    parser.add_argument("--frame-s", type=float, default=0.001)
    parser.add_argument("--crash-at", type=int)
    parser.add_argument("--frames-after", type=Path)
    parser.add_argument("--start-once", type=Path)
    parser.add_argument("--broken")
    parser.add_argument("--how", default="exit code")
    parser.add_argument("--mended", type=Path, default=Path(os.devnull, "never"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--media", action="store_true")
    parser.add_argument("--copies", action="store_true")
    confinement.add_arguments(parser)
    arguments = parser.parse_args()
    confinement.confine(arguments)
    is_meant = not arguments.media and arguments.broken in ("any", arguments.device)
    if is_meant and not arguments.mended.exists():
        _break(arguments.how)
    channel = Channel()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    if arguments.media:
        _misread()
        media.serve(channel)
    elif arguments.device not in ("cpu", "other"):
        message = f"device: {arguments.device!r} is not there"
        failure = Failure(reason="INVALID_SETTINGS", message=message)
        channel.send(Refused(failure=failure))
    elif arguments.start_once is not None and _is_there(arguments.start_once):
        sys.exit("nothing works today")
    else:
        device = DeviceInfo(id=arguments.device, name="Fake", memory_bytes=1 << 30)
        channel.send(Ready(devices=(device,)))
        engine = NegativeEngine(
            arguments.step_s,
            arguments.frame_s,
            arguments.crash_at,
            arguments.frames_after,
            arguments.copies,
        )
        DeviceWorker(channel, engine).serve()


if __name__ == "__main__":
    main()
