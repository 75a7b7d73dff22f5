"""Running the pipeline with a checkpoint, and what the tests of that compare."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
from fresco_engine.diffusion.model import Model
from fresco_engine.interpolation.choice import make_interpolator
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment
from fresco_engine.settings import OptimisationSettings, RestyleSettings
from fresco_engine.types import ClipAnalysed, Event, FrameMade, KeyframeMade, Progress, Stage
from fresco_media.types import Image

SETTINGS = RestyleSettings(
    prompt="blue",
    size=64,
    batch_size=4,
    keyframe_min=2,
    keyframe_max=4,
    optimisation=OptimisationSettings(iterations=1),
)
EDIT = replace(SETTINGS, mode="edit", source_prompt="of", region="subject")
AHEAD = replace(SETTINGS, batch_size=5, keyframe_min=1, keyframe_max=2, anchors_first=1)
JOBS = {"restyle": SETTINGS, "edit": EDIT, "anchors first": AHEAD}
"""What has to bear whatever happens to it: all that is kept of a job is in one of them."""


def frames_of(events: Iterable[Event]) -> list[FrameMade]:
    """The frames among `events`."""
    return [event for event in events if isinstance(event, FrameMade)]


def keyframes_of(events: Iterable[Event]) -> list[KeyframeMade]:
    """The keyframes among `events`."""
    return [event for event in events if isinstance(event, KeyframeMade)]


def plan_of(events: Iterable[Event]) -> ClipAnalysed:
    """The last plan among `events`."""
    return [event for event in events if isinstance(event, ClipAnalysed)][-1]


def settings_of(events: Iterable[Event]) -> RestyleSettings:
    """Those of the last plan among `events`."""
    settings = plan_of(events).settings
    assert isinstance(settings, RestyleSettings)
    return settings


def steps_of(events: Iterable[Event]) -> int:
    """How often a denoising step was announced."""
    return sum(isinstance(e, Progress) and e.stage is Stage.TRANSLATING for e in events)


def images_of(events: Iterable[Event]) -> list[Image]:
    """All pictures in the order of their kind and place."""
    events = list(events)
    pictures = [event.frame.image for event in frames_of(events)]
    return pictures + [event.image for event in keyframes_of(events)]


def same_pictures(first: Iterable[Event], second: Iterable[Event]) -> bool:
    """Whether two runs announced the same pictures in the same order."""
    one, two = images_of(first), images_of(second)
    return len(one) == len(two) and all(map(np.array_equal, one, two))


def farthest(first: Iterable[Event], second: Iterable[Event]) -> int:
    """The levels by which the pictures of two runs differ at most."""
    pairs = zip(images_of(first), images_of(second), strict=True)
    return max(int(np.abs(one.astype(int) - two.astype(int)).max()) for one, two in pairs)


def taken(events: Iterator[Event], count: int) -> list[Event]:
    """The first `count` of `events`, which are closed then."""
    with closing(events) as open_events:  # pyright: ignore[reportArgumentType]
        return list(islice(open_events, count))


def contents(folder: Path) -> dict[str, str]:
    """A digest of every file in `folder`."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@dataclass
class CountingInterpolator:
    """The usual interpolation, which remembers how many frames each segment had."""

    segments: list[int] = field(default_factory=list[int])

    def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
        """The frames of `segment`."""
        self.segments.append(len(segment.offsets))
        return make_interpolator(SETTINGS.interpolation)(segment)


class CountingLoader:
    """Loads a model and remembers how often."""

    def __init__(self, model: Model) -> None:
        self.calls = 0
        self._model = model

    def __call__(self) -> Model:
        """The model."""
        self.calls += 1
        return self._model
