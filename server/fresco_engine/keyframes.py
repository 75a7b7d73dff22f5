"""Shots and keyframes: which frames are translated."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import cv2
import numpy as np
from fresco_media.clip import Clip
from fresco_media.colour.scaling import working_size
from fresco_media.types import Frame, Image
from numpy.typing import NDArray

from fresco_engine.errors import InvalidSettings
from fresco_engine.search import found_flow
from fresco_engine.settings import RestyleSettings, check_gaps

FloatArray = NDArray[np.float32]

_DECODED_SHORT_SIDE = 96
_SHORT_SIDE = 72
_REACH = 3
"""Frames compared on either side of a possible cut; a flash must be shorter than this."""
_SUSPICIOUS = 0.06
"""Distance of neighbouring frames below which a cut is not even looked for."""
_CUT_SCORE = 0.32
"""Measured: unrelated pictures score 0.37 and more, one scene up to 0.29 (lights switched on)."""
_CUT_PROMINENCE = 2.0
_NEIGHBOURHOOD = 5
_STILL = 0.004
_RAPID = 0.06
"""Distances per frame taken for no motion at all and for as much as ever matters."""


@dataclass(frozen=True)
class ClipAnalysis:
    """What keyframes are chosen by: one number per frame of each kind, no pictures.

    `distances[i]` is the RMS difference (range 0-1) of frame i and the one before, 0 for the
    first; `cut_scores[i]` (0-1) is how little the frames from i on resemble those before i.
    `start` is the source index of the first frame analysed.
    """

    start: int
    distances: tuple[float, ...]
    cut_scores: tuple[float, ...]

    @property
    def frame_count(self) -> int:
        """How many frames were analysed."""
        return len(self.distances)


class Analyser:
    """Compares neighbouring frames at low resolution, with a few small pictures in memory."""

    def __init__(self) -> None:
        self._start = 0
        self._distances: list[float] = []
        self._scores: list[float] = []
        self._window: deque[FloatArray] = deque(maxlen=2 * _REACH)

    def add(self, frame: Frame) -> None:
        """Take in the next frame."""
        if not self._distances:
            self._start = frame.index
        small = _reduce(frame.image)
        self._distances.append(_rms(self._window[-1], small) if self._window else 0.0)
        self._window.append(small)
        if len(self._distances) >= _REACH:
            self._scores.append(_cut_score(list(self._window), min(len(self._scores), _REACH)))

    def finish(self) -> ClipAnalysis:
        """The analysis of all frames that were added."""
        while len(self._scores) < len(self._distances):
            missing = len(self._distances) - len(self._scores)
            position = len(self._window) - missing
            self._scores.append(_cut_score(list(self._window), position))
        return ClipAnalysis(self._start, tuple(self._distances), tuple(self._scores))


def small_frames(clip: Clip, start: int, stop: int) -> Iterator[Frame]:
    """The frames of a range as small as they are compared; raises as `Clip.frames`."""
    size = working_size(clip.info.width, clip.info.height, _DECODED_SHORT_SIDE).scaled
    return clip.frames(start, stop, size=size)


def analyse(frames: Iterable[Frame]) -> ClipAnalysis:
    """The analysis of `frames`, a span of a clip in order."""
    analyser = Analyser()
    for frame in frames:
        analyser.add(frame)
    return analyser.finish()


def _reduce(image: Image) -> FloatArray:
    """A small blurred copy, range 0-1."""
    height, width = image.shape[:2]
    scale = min(1.0, _SHORT_SIDE / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 1.0).astype(np.float32) / np.float32(255)


def _rms(first: FloatArray, second: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(first - second))))


def _cut_score(window: Sequence[FloatArray], position: int) -> float:
    """How little the pictures from `position` on resemble those before it.

    The closest pair across the possible cut decides, so that a flash or a passing object of
    fewer than `_REACH` frames is no cut: the scene after it is the scene before it.
    """
    before = window[max(0, position - _REACH) : position]
    after = window[position : position + _REACH]
    if not before or not after or _rms(before[-1], after[0]) < _SUSPICIOUS:
        return 0.0
    score = 1.0
    for first, second in product(reversed(before), after):
        score = min(score, _unlikeness(first, second))
        if score < _CUT_SCORE / 2:
            break  # No cut any more, however the other pairs look.
    return score


def _unlikeness(first: FloatArray, second: FloatArray) -> float:
    """0 for pictures of one scene, towards 1 for unrelated ones; motion is compensated first."""
    one, two = _luma(first), _luma(second)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = found_flow(search, two, one)
    y, x = np.indices(two.shape, np.float32)
    places = x + flow[..., 0], y + flow[..., 1]
    moved = cv2.remap(one, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    structure = 1 - max(0.0, _correlation(np.asarray(moved, np.uint8), two))
    # Both must differ: fast motion keeps its colours, a change of light keeps its structure.
    return float(np.sqrt(structure * _histogram_distance(first, second)))


def _luma(picture: FloatArray) -> Image:
    grey = cv2.cvtColor((picture * 255).round().astype(np.uint8), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8)


def _correlation(first: Image, second: Image) -> float:
    """Of two pictures' details; 1 where neither has any. Smooth shades would match too easily."""
    one, two = (x - cv2.GaussianBlur(x, (0, 0), 6.0) for x in (_float(first), _float(second)))
    scale = float(np.linalg.norm(one) * np.linalg.norm(two))
    return float(np.sum(one * two)) / scale if scale > 1e-3 else 1.0


def _float(picture: Image) -> FloatArray:
    return picture.astype(np.float32)


def _histogram_distance(first: FloatArray, second: FloatArray) -> float:
    """Half the absolute difference of coarse colour histograms, exposure taken out (0-1)."""
    one, two = _histogram(_exposed(first)), _histogram(_exposed(second))
    return 0.5 * float(np.abs(one - two).sum())


def _exposed(picture: FloatArray) -> FloatArray:
    """`picture` with a fixed mean and deviation, as if exposed and graded like any other."""
    deviation = max(float(picture.std()), 0.02)
    return np.clip((picture - picture.mean()) * np.float32(0.2 / deviation) + 0.5, 0, 1)


def _histogram(picture: FloatArray) -> FloatArray:
    counts = cv2.calcHist([picture], [0, 1, 2], None, [8, 8, 8], [0, 1.001] * 3)
    for axis in range(3):
        moved = np.moveaxis(counts, axis, 0)
        padded = np.concatenate([moved[:1], moved, moved[-1:]])
        counts = np.moveaxis((padded[:-2] + 2 * moved + padded[2:]) / 4, 0, axis)
    return np.asarray(counts / max(float(counts.sum()), 1.0), np.float32)


def find_shots(analysis: ClipAnalysis) -> tuple[tuple[int, int], ...]:
    """Half-open ranges of source frames without a cut inside; together they are the clip."""
    if not analysis.frame_count:
        return ()
    cuts = [i for i in range(1, analysis.frame_count) if _is_cut(analysis, i)]
    edges = [0, *cuts, analysis.frame_count]
    return tuple((analysis.start + first, analysis.start + stop) for first, stop in pairwise(edges))


def _is_cut(analysis: ClipAnalysis, position: int) -> bool:
    """Whether the change stands out both absolutely and against the changes around it."""
    if analysis.cut_scores[position] < _CUT_SCORE:
        return False
    low = max(1, position - _NEIGHBOURHOOD)
    around = [
        analysis.distances[i]
        for i in range(low, min(analysis.frame_count, position + _NEIGHBOURHOOD + 1))
        if i != position
    ]
    usual = float(np.median(around)) if around else 0.0
    return analysis.distances[position] > _CUT_PROMINENCE * usual


def select_keyframes(
    analysis: ClipAnalysis,
    shots: Sequence[tuple[int, int]],
    minimum: int,
    maximum: int,
) -> tuple[int, ...]:
    """Keyframes of all shots in ascending order, the first and last frame of each among them.

    Gaps never exceed `maximum`. They never fall below `minimum` either, unless the length of a
    shot cannot be made of such gaps; then only its last gap does. Gaps are short where motion is
    large: they share out a motion budget that gives a gap half way between the two at the clip's
    mean motion. Source: what section 3.5 of FRESCO (arXiv:2403.12962) promises; its
    Algorithm 1 may insert into gaps that are short already and run out before all are filled.
    """
    distances = np.asarray(analysis.distances, np.float64)
    usual = float(distances[1:].mean()) if len(distances) > 1 else 0.0
    budget = float(np.clip(usual, _STILL, _RAPID)) * (minimum + maximum) / 2
    keyframes: list[int] = []
    for first, stop in shots:
        motion = distances[first - analysis.start + 1 : stop - analysis.start] / budget
        keyframes += [first + offset for offset in _select_in_shot(motion, minimum, maximum)]
    return tuple(keyframes)


def with_chosen(
    keyframes: Iterable[int], settings: RestyleSettings, shots: Sequence[tuple[int, int]]
) -> tuple[int, ...]:
    """`keyframes` with those that have a picture, and the ends of all shots.

    Raises:
        InvalidSettings: a frame was chosen that is not restyled, or too few were.
    """
    start, stop = shots[0][0], shots[-1][1]
    chosen = {*settings.keyframes, *settings.keyframe_pictures}
    for index in chosen:
        if not start <= index < stop:
            raise InvalidSettings(
                "keyframes",
                f"frame {index} is not among those that are restyled, {start} to {stop - 1}; "
                "choose another, or another range",
            )
    ends = {end for first, last in shots for end in (first, last - 1)}
    together = tuple(sorted(chosen.union(keyframes, ends)))
    check_gaps(together)
    return together


def _select_in_shot(motion: NDArray[np.float64], minimum: int, maximum: int) -> list[int]:
    """Offsets of the keyframes of a shot with `motion[i]` between its frames i and i+1.

    Dynamic programming over the last keyframe. A gap costs 1 plus the square of its motion: with
    even motion m per frame the cheapest gap is 1/m frames long.
    """
    length = len(motion)
    travelled = np.concatenate([[0.0], np.cumsum(motion)])
    costs = np.full(length + 1, np.inf)
    costs[0] = 0.0
    previous = np.zeros(length + 1, np.int64)
    for end in range(minimum, length + 1):
        begins = np.arange(max(0, end - maximum), end - minimum + 1)
        totals = costs[begins] + np.square(travelled[end] - travelled[begins]) + 1
        best = int(np.argmin(totals))
        costs[end], previous[end] = totals[best], begins[best]
    return _trace(costs, previous, maximum)


def _trace(costs: NDArray[np.float64], previous: NDArray[np.int64], maximum: int) -> list[int]:
    """The cheapest keyframes; a length no allowed gaps add up to ends in one short gap."""
    end = length = len(costs) - 1
    if not np.isfinite(costs[length]):
        earliest = max(0, length - maximum)
        end = earliest + int(np.argmax(np.isfinite(costs[earliest:])))
    offsets = [length] if end != length else []
    while end > 0:
        offsets.append(end)
        end = int(previous[end])
    return [0, *reversed(offsets)]
