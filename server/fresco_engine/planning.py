"""The plan of a run: made by looking at all of the clip once, or taken up where one is stored."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from fresco_media.clip import Clip
from fresco_media.images import limit_told, working_size
from fresco_media.painted import check_keys, misplaced

from fresco_engine.checkpoint import StoredPlan
from fresco_engine.errors import RangeOutsideClip
from fresco_engine.keyframes import Analyser, find_shots, select_keyframes, with_chosen
from fresco_engine.pace import Pace
from fresco_engine.run import Run
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import Analysed, Progress, Stage, Warned
from fresco_engine.wording import wording_doubts

_ANALYSIS_SHORT_SIDE = 96


def planned(run: Run) -> Generator[Progress | Warned, None, Analysed]:
    """The plan with resolved settings, stored before it is returned.

    Raises:
        RangeOutsideClip: the settings name frames the clip does not have.
        CheckpointMismatch: the stored plan is one for another clip or for other settings.
        KeyframesUnusable: a painted keyframe cannot be read.
    """
    stored = run.checkpoint.plan()
    settings = run.ladder.adjusted(run.settings)
    if stored is not None:
        return (yield from _taken_up(run, settings, stored))
    settings = run.model().resolved(settings)
    yield from _warned(run, settings)
    yield from _checked_pictures(run, settings)
    known = set(run.clip.warnings)
    analysed = yield from run.pace.timed(Stage.ANALYSING, analyse(run.clip, settings, run.pace))
    # What shows only when every frame has been seen is told before the work begins.
    yield from (Warned(text) for text in run.clip.warnings if text not in known)
    keep_plan(run, analysed)
    return analysed


def keep_plan(run: Run, analysed: Analysed) -> None:
    """Store a plan that was made."""
    plan = StoredPlan.of(
        analysed, model=run.model.name, device=run.model.device, warnings=run.clip.warnings
    )
    run.checkpoint.save_plan(plan)


def _taken_up(
    run: Run, settings: RestyleSettings, stored: StoredPlan
) -> Generator[Progress | Warned, None, Analysed]:
    settings = stored.agreed(run.clip.info, settings, run.checkpoint.folder or run.clip.info.path)
    run.model.expect(stored)
    yield from _warned(run, settings, stored.warnings)
    run.pace.expect(Stage.ANALYSING, stored.stop - stored.start)
    yield run.pace.skip(Stage.ANALYSING, stored.stop - stored.start)
    if settings != stored.settings:
        run.checkpoint.save_plan(replace(stored, settings=settings))
    return stored.analysed(run.clip.info, settings)


def _warned(
    run: Run, settings: RestyleSettings, of_the_clip: Iterable[str] = ()
) -> Iterator[Warned]:
    texts = (
        *run.clip.warnings,
        *of_the_clip,
        *run.ladder.notes(),
        *_doubts(settings),
        *_limits(run, settings),
    )
    yield from (Warned(text) for text in dict.fromkeys(texts))


def _limits(run: Run, settings: RestyleSettings) -> Iterator[str]:
    info = run.clip.info
    told = limit_told(working_size(info.width, info.height, settings.size))
    if told is not None:
        yield told


def _doubts(settings: RestyleSettings) -> Iterator[str]:
    """Settings that are valid but do not do what they seem to; `settings` must be resolved."""
    if settings.negative_prompt and (settings.guidance_scale or 0) <= 1:
        yield (
            f"the negative prompt has no effect at a guidance of {settings.guidance_scale}; "
            "raise --guidance above 1 to use it"
        )
    yield from wording_doubts(
        (settings.prompt, settings.negative_prompt or "", *settings.keyframe_prompts.values())
    )


def analyse(
    clip: Clip, settings: RestyleSettings, pace: Pace
) -> Generator[Progress, None, Analysed]:
    """Looks at every frame of the range once, in small."""
    start = settings.start
    stop = clip.info.frame_count if settings.stop is None else settings.stop
    check_range(clip, start, stop)
    pace.expect(Stage.ANALYSING, stop - start)
    small = working_size(clip.info.width, clip.info.height, _ANALYSIS_SHORT_SIDE).scaled
    analyser = Analyser()
    for frame in clip.frames(start, stop, size=small):
        analyser.add(frame)
        yield pace.advance(Stage.ANALYSING)
    analysis = analyser.finish()
    shots = find_shots(analysis)
    keyframes = with_chosen(
        settings.keyframes
        or select_keyframes(analysis, shots, settings.keyframe_min, settings.keyframe_max),
        settings,
        shots,
    )
    size = working_size(clip.info.width, clip.info.height, settings.size)
    return Analysed(
        info=clip.info,
        settings=settings,
        start=start,
        stop=stop,
        shots=shots,
        keyframes=keyframes,
        working_size=size.padded,
    )


def _checked_pictures(run: Run, settings: RestyleSettings) -> Iterator[Warned]:
    """Reads every painted keyframe once, so that a bad one is told before work begins."""
    files = {index: Path(file) for index, file in settings.keyframe_pictures.items()}
    yield from map(Warned, check_keys(files.values(), run.clip.info))
    yield from map(Warned, misplaced(files, run.clip))


def check_range(clip: Clip, start: int, stop: int) -> None:
    """Insist on frames that the clip has.

    Raises:
        RangeOutsideClip: it has not all of them.
    """
    count = clip.info.frame_count
    if not 0 <= start < stop <= count:
        raise RangeOutsideClip(clip.info.path, start, stop, count)
