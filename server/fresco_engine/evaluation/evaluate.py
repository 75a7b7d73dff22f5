"""Results held against their source in one pass over all of them, a few frames in memory."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fresco_media.types import Image

from fresco_engine.correspondence.flow import FlowEstimator
from fresco_engine.evaluation.clip_scores import ClipScores, Likeness
from fresco_engine.evaluation.flicker import Flicker, KeyframePlan
from fresco_engine.evaluation.means import mean_of, ratio_of
from fresco_engine.evaluation.motion import FlowTrack, Mask, Motion
from fresco_engine.evaluation.sharpness import Sharpness
from fresco_engine.evaluation.steadiness import (
    Sticking,
    aligned_difference,
    aligned_error,
    check_sizes,
)
from fresco_engine.evaluation.structure import FIXED_FEATURES, Structure, StructureFeatures

SOURCE = "source"
"""The name under which the source itself is measured beside its results."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A frame of the source (h, w, 3) with what each result makes of it, and its subject."""

    index: int
    source: Image
    results: Mapping[str, Image]
    subject: Mask | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """A moment, and how the source moved to it; nothing leads to the first one of a shot."""

    moment: Moment
    motion: Motion | None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The figures of one result, or of the source itself; `nan` where one could not be had.

    Errors are in the range 0-1 per channel, squared ones in its square; the lower, the better.
    Sharpness is mean gradient energy as a multiple of the source's, or, where its name says so,
    of the result made frame by frame. Flicker is the error at a border over that elsewhere.
    """

    name: str
    frame_count: int
    pixel_mse: float
    warp_error: float
    sticking: float
    in_place: float
    along_flow: float
    spatial_consistency: float = math.nan
    sharpness: float = math.nan
    sharpness_inside: float = math.nan
    sharpness_outside: float = math.nan
    sharpness_to_reference: float = math.nan
    sharpness_inside_to_reference: float = math.nan
    sharpness_outside_to_reference: float = math.nan
    flicker_at_keyframes: float = math.nan
    flicker_at_batches: float = math.nan
    frame_accuracy: float = math.nan
    temporal_consistency: float = math.nan

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON: what could not be had is `None`."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, kw_only=True)
class Measuring:
    """How is measured.

    `shot_starts` are source frames that no motion leads to. `reference` names the result that
    sharpness is held against as well.
    """

    estimator: FlowEstimator
    shot_starts: frozenset[int] = frozenset()
    keyframes: KeyframePlan | None = None
    reference: str | None = None
    features: StructureFeatures = FIXED_FEATURES
    scores: ClipScores | None = None


def evaluate(
    moments: Iterable[Moment], measuring: Measuring
) -> Generator[Step, None, list[Evaluation]]:
    """Measures what each of `moments`, consecutive frames with one set of results, shows.

    Yields every step when it has been taken in; returns the source's own figures, then those of
    the results in their order.

    Raises:
        ValueError: a result has another size than its source.
    """
    pass_ = _Pass(measuring)
    for moment in moments:
        yield pass_.take(moment)
    return pass_.evaluations()


class _Pass:
    """One pass: motion is worked out once for all results."""

    def __init__(self, measuring: Measuring) -> None:
        self._measuring = measuring
        self._pictures: dict[str, _Figures] = {}
        self._before: Moment | None = None
        self._shot: _Tracked | None = None
        self._keyframe: _Tracked | None = None

    def take(self, moment: Moment) -> Step:
        """Take in the next frame."""
        structure = Structure.of(moment.source, self._measuring.features)
        for name, picture in _pictures(moment):
            check_sizes(moment.source, picture)
            figures = self._pictures.setdefault(name, _Figures(self._measuring))
            figures.add_frame(picture, moment.subject)
            if name != SOURCE:
                figures.add_structure(structure.distance(picture))
        starts_shot = moment.index in self._measuring.shot_starts
        if self._before is None or starts_shot:
            self._shot = _Tracked.starting(moment)
            self._keyframe = None
            motion = None
        else:
            motion = self._take_step(self._before, moment)
        plan = self._measuring.keyframes
        if plan is not None and moment.index in plan.keyframes:
            self._keyframe = _Tracked.starting(moment)
        self._before = moment
        return Step(moment, motion)

    def evaluations(self) -> list[Evaluation]:
        """The figures of everything that was taken in."""
        made = {name: figures.evaluation(name) for name, figures in self._pictures.items()}
        energies = {name: figures.sharpness for name, figures in self._pictures.items()}
        return [
            replace(
                one,
                **_sharpness(energies[name], energies[SOURCE], ""),
                **_sharpness(energies[name], self._reference(energies), "_to_reference"),
            )
            for name, one in made.items()
        ]

    def _reference(self, energies: Mapping[str, Sharpness]) -> Sharpness:
        reference = self._measuring.reference
        return Sharpness() if reference is None else energies[reference]

    def _take_step(self, before: Moment, moment: Moment) -> Motion:
        step = Motion.between(before.source, moment.source, self._measuring.estimator)
        assert self._shot is not None
        since_shot = self._shot.track.follow(step, moment.source)
        since_key = self._keyframe and self._keyframe.track.follow(step, moment.source)
        plan = self._measuring.keyframes
        reaches_keyframe = plan is not None and moment.index in plan.keyframes
        first = dict(_pictures(self._shot.moment))
        earlier = dict(_pictures(before))
        for name, picture in _pictures(moment):
            figures = self._pictures[name]
            figures.add_step(moment.index, earlier[name], picture, step)
            figures.add_far(first[name], picture, since_shot)
            if since_key is not None and self._keyframe is not None and reaches_keyframe:
                key = dict(_pictures(self._keyframe.moment))[name]
                figures.add_jump(moment.index, key, picture, since_key)
        return step


@dataclass(frozen=True, eq=False)
class _Tracked:
    """A moment, and the motion since then."""

    moment: Moment
    track: FlowTrack

    @staticmethod
    def starting(moment: Moment) -> _Tracked:
        return _Tracked(moment, FlowTrack(moment.source))


class _Figures:
    """What is summed up of one result."""

    def __init__(self, measuring: Measuring) -> None:
        self.sharpness = Sharpness()
        self._likeness = None if measuring.scores is None else Likeness(measuring.scores)
        self._sticking = Sticking()
        self._flicker = None if measuring.keyframes is None else Flicker(measuring.keyframes)
        self._errors: list[float] = []
        self._near: list[float] = []
        self._far: list[float] = []
        self._distances: list[float] = []
        self._frame_count = 0

    def add_frame(self, picture: Image, subject: Mask | None) -> None:
        self._frame_count += 1
        self.sharpness.add(picture, subject)
        if self._likeness is not None:
            self._likeness.add(picture)

    def add_structure(self, distance: float) -> None:
        self._distances.append(distance)

    def add_step(self, index: int, before: Image, after: Image, step: Motion) -> None:
        error = aligned_error(before, after, step)
        self._errors.append(error)
        self._near.append(aligned_difference(before, after, step))
        self._sticking.add(before, after, step)
        if self._flicker is not None:
            self._flicker.add_step(index, error)

    def add_far(self, first: Image, after: Image, motion: Motion) -> None:
        self._far.append(aligned_difference(first, after, motion))

    def add_jump(self, index: int, before: Image, after: Image, motion: Motion) -> None:
        assert self._flicker is not None
        self._flicker.add_jump(index, aligned_error(before, after, motion))

    def evaluation(self, name: str) -> Evaluation:
        """All but the sharpness, which needs others to compare with."""
        flicker, likeness = self._flicker, self._likeness
        return Evaluation(
            name=name,
            frame_count=self._frame_count,
            pixel_mse=mean_of(self._errors),
            warp_error=mean_of(self._near) + mean_of(self._far),
            sticking=self._sticking.share,
            in_place=self._sticking.in_place,
            along_flow=self._sticking.along_flow,
            spatial_consistency=mean_of(self._distances),
            flicker_at_keyframes=math.nan if flicker is None else flicker.at_keyframes,
            flicker_at_batches=math.nan if flicker is None else flicker.at_batches,
            frame_accuracy=math.nan if likeness is None else likeness.frame_accuracy,
            temporal_consistency=math.nan if likeness is None else likeness.temporal_consistency,
        )


def _pictures(moment: Moment) -> Iterator[tuple[str, Image]]:
    yield SOURCE, moment.source
    yield from moment.results.items()


def _sharpness(own: Sharpness, other: Sharpness, ending: str) -> dict[str, float]:
    return {
        f"sharpness{ending}": ratio_of(own.whole, other.whole),
        f"sharpness_inside{ending}": ratio_of(own.inside, other.inside),
        f"sharpness_outside{ending}": ratio_of(own.outside, other.outside),
    }
