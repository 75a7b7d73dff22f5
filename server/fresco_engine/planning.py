"""The plan of a run: made by looking at all of the clip once, or taken up where one is stored."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fresco_media.clip import Clip
from fresco_media.painted.keys import check_keys, misplaced
from fresco_media.stills.images import limit_told, working_size

from fresco_engine.batches import keyframes_ahead
from fresco_engine.checkpoint import StoredPlan
from fresco_engine.doubts import settings_doubts
from fresco_engine.errors import RangeOutsideClip
from fresco_engine.interpolation.keyframe_span import keys_within
from fresco_engine.keyframes import (
    Analyser,
    ClipAnalysis,
    find_shots,
    select_keyframes,
    small_frames,
    with_chosen,
)
from fresco_engine.progress_tracker import ProgressTracker, drained
from fresco_engine.propagation_settings import PropagateSettings
from fresco_engine.remote_parts import RemoteParts
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import ClipAnalysed, Progress, RunWarned, Stage

if TYPE_CHECKING:
    from fresco_engine.translation_run import TranslationRun


def planned(run: TranslationRun) -> Generator[Progress | RunWarned, None, ClipAnalysed]:
    """The plan with resolved settings, stored before it is returned.

    Raises:
        RangeOutsideClip: the settings name frames the clip does not have.
        CheckpointMismatch: the stored plan is one for another clip or for other settings.
        KeyframesUnusable: a painted keyframe cannot be read.
        MaskUnusable: the subject's mask is too short, or not white anywhere.
        ClipError: the reference picture cannot be read.
        ModelError: what finds the subject by its name, or reads the reference, is missing or unfit.
    """
    _check_mask(run)
    stored = run.checkpoint.plan()
    if stored is None and run.remote is not None:
        yield from run.tracker.timed(Stage.ANALYSING, _planned_elsewhere(run.remote, run.tracker))
        run.fallback.reload()
        stored = run.checkpoint.plan()
    settings = run.fallback.adjusted(run.settings)
    if stored is not None:
        return (yield from _taken_up(run, settings, stored))
    settings = run.model().resolved(settings)
    yield from _warned(run, settings, run.model().doubts(settings))
    yield from _checked_pictures(run, settings)
    if run.named is not None:
        run.named.load()
    if run.reference is not None:
        _ = run.reference.prompt
    analysed = yield from analyse(run.clip, settings, run.tracker)
    keep_plan(run, analysed)
    return analysed


def _planned_elsewhere(
    remote: RemoteParts, tracker: ProgressTracker
) -> Generator[Progress, None, None]:
    seen = 0.0
    for done, total in remote.plan():
        if not seen:
            tracker.expect(Stage.ANALYSING, total)
        yield tracker.advance(Stage.ANALYSING, done - seen)
        seen = done


def keep_plan(run: TranslationRun, analysed: ClipAnalysed, known: StoredPlan | None = None) -> None:
    """Store a plan that was made; `known` has the same for other settings, if it was stored."""
    assert isinstance(analysed.settings, RestyleSettings)
    if known is not None:
        run.checkpoint.save_plan(replace(known, settings=analysed.settings))
        return
    plan = StoredPlan.of(
        analysed,
        model=run.model.name,
        device=run.model.device,
        warnings=(*run.clip.warnings, *run.model().doubts(analysed.settings)),
        mask=_mask_digest(run),
        reference="" if run.reference is None else run.reference.digest(),
    )
    run.checkpoint.save_plan(plan)


def _taken_up(
    run: TranslationRun, settings: RestyleSettings, stored: StoredPlan
) -> Generator[Progress | RunWarned, None, ClipAnalysed]:
    folder = run.checkpoint.folder or run.clip.info.path
    settings = stored.agreed(run.clip.info, settings, folder)
    stored.check_mask(_mask_digest(run), folder)
    stored.check_reference("" if run.reference is None else run.reference.digest(), folder)
    run.model.expect(stored)
    yield from _warned(run, settings, stored.warnings)
    run.tracker.expect(Stage.ANALYSING, stored.stop - stored.start)
    yield run.tracker.skip(Stage.ANALYSING, stored.stop - stored.start)
    if settings != stored.settings:
        run.checkpoint.save_plan(replace(stored, settings=settings))
    return stored.analysed(run.clip.info, settings)


def _warned(
    run: TranslationRun, settings: RestyleSettings, more: Iterable[str] = ()
) -> Iterator[RunWarned]:
    info = run.clip.info
    limit = limit_told(working_size(info.width, info.height, settings.size))
    texts = (
        *run.clip.warnings,
        *_mask_warnings(run),
        *more,
        *run.fallback.notes(),
        *settings_doubts(settings),
        *filter(None, (limit,)),
    )
    yield from (RunWarned(text) for text in dict.fromkeys(texts))


def _mask_digest(run: TranslationRun) -> str:
    return "" if run.mask is None else run.mask.digest()


def _mask_warnings(run: TranslationRun) -> Iterator[str]:
    if run.mask is not None:
        yield from (f"{run.mask.info.path.name}: {text}" for text in run.mask.warnings)


def plan(clip: Clip, settings: RestyleSettings) -> ClipAnalysed:
    """What `restyle` would do: shots, keyframes and working size; no model is needed."""
    return drained(analyse(clip, settings, ProgressTracker()))


def analyse(
    clip: Clip, settings: RestyleSettings, tracker: ProgressTracker
) -> Generator[Progress | RunWarned, None, ClipAnalysed]:
    """The plan of a translation."""
    start, stop = range_of(clip, settings)
    analysis = yield from analyse_range(clip, start, stop, tracker)
    shots = find_shots(analysis)
    keyframes = with_chosen(
        settings.keyframes
        or select_keyframes(analysis, shots, settings.keyframe_min, settings.keyframe_max),
        settings,
        shots,
    )
    size = working_size(clip.info.width, clip.info.height, settings.size)
    return ClipAnalysed(
        info=clip.info,
        settings=settings,
        start=start,
        stop=stop,
        shots=shots,
        keyframes=keyframes,
        working_size=size.padded,
        ahead=_ahead(keyframes, shots, settings),
    )


def _ahead(
    keyframes: tuple[int, ...], shots: Sequence[tuple[int, int]], settings: RestyleSettings
) -> tuple[int, ...]:
    every = settings.anchors_first
    if not every:
        return ()
    of_shots = (keys_within(keyframes, first, stop) for first, stop in shots)
    return tuple(
        key for keys in of_shots for key in keyframes_ahead(keys, settings.batch_size, every)
    )


def analyse_range(
    clip: Clip, start: int, stop: int, tracker: ProgressTracker
) -> Generator[Progress | RunWarned, None, ClipAnalysis]:
    """Looks at every frame of a range once, in small.

    What shows only when every frame has been seen is told here, before the work begins.
    """
    known = set(clip.warnings)
    analysis = yield from tracker.timed(Stage.ANALYSING, _compared(clip, start, stop, tracker))
    yield from (RunWarned(text) for text in clip.warnings if text not in known)
    return analysis


def _compared(
    clip: Clip, start: int, stop: int, tracker: ProgressTracker
) -> Generator[Progress, None, ClipAnalysis]:
    tracker.expect(Stage.ANALYSING, stop - start)
    analyser = Analyser()
    for frame in small_frames(clip, start, stop):
        analyser.add(frame)
        yield tracker.advance(Stage.ANALYSING)
    return analyser.finish()


def _check_mask(run: TranslationRun) -> None:
    if run.mask is not None:
        start, stop = range_of(run.clip, run.settings)
        run.mask.check(start, stop, run.size.scaled)


def _checked_pictures(run: TranslationRun, settings: RestyleSettings) -> Iterator[RunWarned]:
    """Reads every painted keyframe once, so that a bad one is told before work begins."""
    files = {index: Path(file) for index, file in settings.keyframe_pictures.items()}
    yield from map(RunWarned, check_keys(files.values(), run.clip.info))
    yield from map(RunWarned, misplaced(files, run.clip))


def range_of(clip: Clip, settings: RestyleSettings | PropagateSettings) -> tuple[int, int]:
    """The first frame of a job and the one after its last.

    Raises:
        RangeOutsideClip: the clip has not all of them.
    """
    stop = clip.info.frame_count if settings.stop is None else settings.stop
    check_range(clip, settings.start, stop)
    return settings.start, stop


def check_range(clip: Clip, start: int, stop: int) -> None:
    """Insist on frames that the clip has.

    Raises:
        RangeOutsideClip: it has not all of them.
    """
    count = clip.info.frame_count
    if not 0 <= start < stop <= count:
        raise RangeOutsideClip(clip.info.path, start, stop, count)
