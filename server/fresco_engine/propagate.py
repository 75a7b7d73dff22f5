"""Keyframes painted by hand → the whole clip in their style; no model is needed.

The frames between two keys are made from both, those before the first and after the last from
one. Nothing is carried over a cut that has keys on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from fresco_media.clip import Clip
from fresco_media.images import (
    WorkingSize,
    displayed,
    fit,
    limit_told,
    own_size,
    unfit,
    working_size,
    write_image,
)
from fresco_media.originals import NO_ORIGINALS, Originals
from fresco_media.painted import PaintedKeys, check_keys, find_painted_keys, read_key
from fresco_media.types import Frame, Image
from fresco_media.writer import Codec, open_writer

from fresco_engine import __version__
from fresco_engine.errors import InvalidSettings, RangeOutsideClip
from fresco_engine.interpolation.choice import make_interpolator, shared_cores
from fresco_engine.interpolation.ordered import in_order
from fresco_engine.interpolation.quality import details, error_picture, summary
from fresco_engine.interpolation.segment import Interpolator
from fresco_engine.interpolation.stored import StoredInterpolator
from fresco_engine.interpolation.stretch import (
    CarriedFrame,
    Stretch,
    carry,
    longest_segment,
    plan_stretches,
)
from fresco_engine.keyframes import Analyser, find_shots
from fresco_engine.memory import peak_memory_bytes
from fresco_engine.pace import Pace
from fresco_engine.settings import INTERPOLATION_KINDS, InterpolationKind, RestyleSettings
from fresco_engine.types import (
    Analysed,
    Event,
    Finished,
    FrameQuality,
    FrameReady,
    KeyframeReady,
    Report,
    Stage,
    Warned,
)

_ANALYSIS_SHORT_SIDE = 96
_FORMAT = "1"
"""Part of the names of stored segments; changes when the same input gives other pixels."""


@dataclass(frozen=True, kw_only=True)
class PropagateSettings:
    """How painted keyframes are carried over a clip.

    `size` is the short side in pixels that is worked at, the clip's own unless given. `start` and
    `stop` select source frames (half open). `first_number` is the number of the clip's first frame
    in the names of the keys, seen from the names and pictures unless given.
    """

    interpolation: InterpolationKind = "patch"
    size: int | None = None
    start: int = 0
    stop: int | None = None
    first_number: int | None = None

    def __post_init__(self) -> None:
        if self.interpolation not in INTERPOLATION_KINDS:
            known = ", ".join(INTERPOLATION_KINDS)
            raise InvalidSettings(
                "interpolation", f"{self.interpolation!r} is unknown; use one of {known}"
            )
        if self.size is not None and not 64 <= self.size <= 8192:
            raise InvalidSettings("size", f"{self.size} is outside 64 to 8192")
        if self.start < 0 or (self.stop is not None and self.stop <= self.start):
            raise InvalidSettings(
                "range", f"{self.start}:{self.stop} holds no frame; give first:last, counted from 0"
            )


@dataclass(frozen=True, kw_only=True)
class PropagationFiles:
    """Where the results go besides the clip: a folder of error maps as PNG, and a folder where
    finished segments are kept, so that interrupted work goes on with what it has.
    """

    error_maps: Path | None = None
    resume: Path | None = None


@dataclass(frozen=True)
class Carried:
    """An interpolated frame on its way: its quality, and its error map at the working size."""

    index: int
    frame: CarriedFrame


def propagate(
    clip: Clip,
    key_folder: Path,
    settings: PropagateSettings,
    *,
    interpolator: Interpolator | None = None,
    device: str = "cpu",
    pace: Pace | None = None,
) -> Generator[Event | Carried, None, None]:
    """Carry the keys in `key_folder` over `clip`; closing the iterator cancels.

    Yields `Analysed` first, a `FrameReady` for every frame of the range in order, and before that
    of an interpolated frame what is known of its quality.

    Raises:
        KeyframesUnusable: see `find_painted_keys` and `read_key`.
        RangeOutsideClip: the settings name frames the clip does not have.
    """
    pace = pace or Pace()
    stop = clip.info.frame_count if settings.stop is None else settings.stop
    if not settings.start < stop <= clip.info.frame_count:
        raise RangeOutsideClip(clip.info.path, settings.start, stop, clip.info.frame_count)
    keys = find_painted_keys(
        key_folder, clip, settings.start, stop, first_number=settings.first_number
    )
    at_once, workers = shared_cores(device)
    kind = settings.interpolation
    interpolator = interpolator or make_interpolator(kind, device=device, workers=workers)
    told = limit_told(_size(clip, settings))
    yield from (Warned(text) for text in (*clip.warnings, *keys.warnings, *filter(None, (told,))))
    yield from _checked_keys(keys, clip)
    known = set(clip.warnings)
    analysed = yield from pace.timed(Stage.ANALYSING, _analyse(clip, keys, settings, stop, pace))
    # What shows only when every frame has been seen is told before the work begins.
    yield from (Warned(text) for text in clip.warnings if text not in known)
    yield analysed
    pace.expect(Stage.INTERPOLATING, stop - settings.start)
    run = _Run(clip, keys, analysed, _size(clip, settings), interpolator, at_once)
    yield from pace.timed(Stage.INTERPOLATING, _emit(run, pace))


@dataclass(frozen=True)
class _Run:
    """What stays the same for a whole job."""

    clip: Clip
    keys: PaintedKeys
    plan: Analysed
    size: WorkingSize
    interpolator: Interpolator
    at_once: int

    def key(self, index: int) -> Image:
        """The painted key of a frame, at the working size."""
        return fit(read_key(self.keys.files[index], self.clip, index), self.size)

    def read(self, start: int, stop: int) -> Iterator[Frame]:
        """Source frames at the working size."""
        for frame in self.clip.frames(start, stop, size=self.size.scaled):
            yield Frame(frame.index, frame.time_s, fit(frame.image, self.size))


def _size(clip: Clip, settings: PropagateSettings) -> WorkingSize:
    info = clip.info
    if settings.size is None:
        return own_size(info.width, info.height)
    return working_size(info.width, info.height, settings.size)


def _checked_keys(keys: PaintedKeys, clip: Clip) -> Iterator[Event]:
    """Reads every key once, so that a bad one is told before work begins."""
    yield from map(Warned, check_keys(keys.files.values(), clip.info))


def _analyse(
    clip: Clip, keys: PaintedKeys, settings: PropagateSettings, stop: int, pace: Pace
) -> Generator[Event, None, Analysed]:
    pace.expect(Stage.ANALYSING, stop - settings.start)
    small = working_size(clip.info.width, clip.info.height, _ANALYSIS_SHORT_SIDE).scaled
    analyser = Analyser()
    for frame in clip.frames(settings.start, stop, size=small):
        analyser.add(frame)
        yield pace.advance(Stage.ANALYSING)
    found = find_shots(analyser.finish())
    shots = shots_with_keys(found, list(keys.files))
    if len(shots) < len(found):
        yield Warned(
            f"{len(found) - len(shots)} of the clip's {len(found)} shots hold no key, so that the "
            "look is carried over a cut; paint a key in every shot"
        )
    return Analysed(
        info=clip.info,
        # There is no prompt, but whoever watches a job expects the settings of one.
        settings=RestyleSettings(prompt="painted keyframes", start=settings.start, stop=stop),
        start=settings.start,
        stop=stop,
        shots=shots,
        keyframes=tuple(keys.files),
        working_size=_size(clip, settings).padded,
    )


def shots_with_keys(
    shots: tuple[tuple[int, int], ...], keys: list[int]
) -> tuple[tuple[int, int], ...]:
    """`shots` with each that holds no key joined to the one before, or to the one after."""
    joined: list[tuple[int, int]] = []
    for start, stop in shots:
        is_empty = not any(start <= key < stop for key in keys)
        had_none = joined and not any(joined[-1][0] <= key < joined[-1][1] for key in keys)
        if joined and (is_empty or had_none):
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return tuple(joined)


def _emit(run: _Run, pace: Pace) -> Generator[Event | Carried, None, None]:
    """Every frame in order: keys as they are painted, the others as the stretches give them."""
    plan = run.plan
    stretches = plan_stretches(list(plan.keyframes), list(plan.shots))
    width, height = run.size.padded
    longest = longest_segment(height, width)
    jobs = (partial(_work, run, stretch, longest) for stretch in stretches)
    frames = run.clip.frames_at(plan.keyframes, size=run.size.scaled)
    with closing(in_order(jobs, run.at_once, longest)) as carried:
        for index in range(plan.start, plan.stop):
            is_key = index in run.keys.files
            if is_key:
                source = next(frames)
                image = read_key(run.keys.files[index], run.clip, index)
                yield KeyframeReady(index, image)
            else:
                made = next(carried)
                source, image = made.source, unfit(made.image, run.size)
                yield Carried(index, made)
            yield FrameReady(Frame(index, source.time_s, image), is_keyframe=is_key)
            yield (pace.skip if is_key else pace.advance)(Stage.INTERPOLATING)


def _work(
    run: _Run, stretch: Stretch, longest: int, is_cancelled: Callable[[], bool]
) -> Iterator[CarriedFrame]:
    first = run.key(stretch.start) if stretch.has_first else None
    last = run.key(stretch.stop - 1) if stretch.has_last else None
    return carry(stretch, (first, last), run.read, run.interpolator, longest, is_cancelled)


@dataclass
class _Collected:
    """What the report needs, gathered from the events as they pass."""

    plan: Analysed | None = None
    warnings: list[str] = field(default_factory=list[str])
    frames: dict[int, FrameQuality] = field(default_factory=dict[int, FrameQuality])

    def add(self, event: Event | Carried) -> None:
        """Remember what the report will say."""
        if isinstance(event, Carried):
            self.frames[event.index] = event.frame.quality
        elif isinstance(event, Analysed):
            self.plan = event
        elif isinstance(event, Warned):
            self.warnings.append(event.message)

    def new_warnings(self, texts: Iterable[str]) -> Iterator[Warned]:
        """What decoding and encoding have to tell and have not told yet."""
        for text in texts:
            if text not in self.warnings:
                self.warnings.append(text)
                yield Warned(text)


def render_propagation(
    clip: Clip,
    key_folder: Path,
    output: Path,
    settings: PropagateSettings,
    *,
    codec: Codec | None = None,
    overwrite: bool = False,
    device: str = "cpu",
    files: PropagationFiles | None = None,
    interpolator: Interpolator | None = None,
    originals: Originals = NO_ORIGINALS,
) -> Iterator[Event]:
    """Carry painted keys over `clip` into `output`; yields events, `Finished` last.

    Closing the iterator cancels and leaves nothing half-written. Neither the clip nor one of
    `originals` is ever replaced.

    Raises:
        OutputError: the output exists, cannot be written, or the disk is full.
        FrescoError: whatever `propagate` raises.
    """
    files = files or PropagationFiles()
    pace, collected = Pace(), _Collected()
    made_by = interpolator or _interpolator(settings, device, files.resume)
    stop = clip.info.frame_count if settings.stop is None else settings.stop
    with open_writer(
        output,
        clip,
        codec=codec,
        overwrite=overwrite,
        start=settings.start,
        stop=stop,
        originals=originals,
    ) as writer:
        events = propagate(
            clip, key_folder, settings, interpolator=made_by, device=device, pace=pace
        )
        with closing(events):
            yield from collected.new_warnings(writer.warnings)
            for event in events:
                collected.add(event)
                if isinstance(event, FrameReady):
                    with pace.measured(Stage.ENCODING):
                        writer.write(event.frame)
                elif isinstance(event, Carried):
                    _save_map(files.error_maps, event, clip, originals)
                    continue
                yield event
    yield from collected.new_warnings((*clip.warnings, *writer.warnings))
    outputs = {"clip": str(output)}
    if files.error_maps is not None:
        outputs["error_maps"] = str(files.error_maps)
    yield Finished(_report(collected, clip, settings, pace, outputs, device))


def _interpolator(settings: PropagateSettings, device: str, resume: Path | None) -> Interpolator:
    _, workers = shared_cores(device)
    made_by = make_interpolator(settings.interpolation, device=device, workers=workers)
    if resume is None:
        return made_by
    return StoredInterpolator(made_by, resume, f"{settings.interpolation} {_FORMAT}")


def _save_map(folder: Path | None, event: Carried, clip: Clip, originals: Originals) -> None:
    if folder is not None:
        path = folder / f"{event.index:06d}.png"
        originals.check(path)
        write_image(path, displayed(error_picture(event.frame.error), clip.info.sample_aspect))


def _report(
    collected: _Collected,
    clip: Clip,
    settings: PropagateSettings,
    pace: Pace,
    outputs: dict[str, str],
    device: str,
) -> Report:
    plan, info = collected.plan, clip.info
    assert plan is not None
    return Report(
        version=__version__,
        settings=asdict(settings),
        model="none",
        device=device,
        clip={
            "path": str(info.path),
            "width": info.width,
            "height": info.height,
            "frame_rate": str(info.frame_rate),
            "frames": info.frame_count,
            "has_audio": info.has_audio,
        },
        keyframes=plan.keyframes,
        shots=plan.shots,
        working_size=plan.working_size,
        seconds=pace.report(),
        peak_memory_bytes=peak_memory_bytes(device),
        metrics=summary(collected.frames),
        warnings=tuple(collected.warnings),
        outputs=outputs,
        interpolation=details(collected.frames, plan.keyframes, plan.shots),
    )
