"""Sources of every kind in a timeline, and what is looked at to see where their results are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from fresco_davinci.core import Outcome, Restyler
from fresco_media.clip import Clip as Media
from fresco_media.stills.images import write_image
from fresco_media.types import Image

from tests.engine.conftest import scene
from tests.fakes.resolve import Item, World
from tests.fakes.resolve.pool import sequence
from tests.fakes.resolve.rendering import picture_at
from tests.integration.daemons import wait_for
from tests.plugins.davinci.conftest import RATES, MakeMedia, OpenWorld, clip_of, put

SIZE = (80, 64)
"""Pixels of clips and timelines."""
LEFT, COUNT = 5, 5
"""In-point and duration of every source."""


@dataclass(frozen=True)
class Source:
    """A clip in a timeline; `change` makes it look other than its file."""

    rate: str = "24"
    """Of the timeline."""
    media_rate: str = ""
    """Of the file, if it is another one."""
    is_drop_frame: bool = False
    start_timecode: str = ""
    """Of the timeline, if it is not one hour."""
    is_sequence: bool = False
    is_rendered: bool = False
    change: Callable[[Item], None] = lambda item: None

    def open(
        self, open_resolve: OpenWorld, media: MakeMedia, folder: Path, **changes: Any
    ) -> tuple[World, Item]:
        """A project with it, the playhead over its third frame."""
        world = open_resolve(RATES[self.rate], is_drop_frame=self.is_drop_frame, **changes)
        world.timeline.size = SIZE
        if self.start_timecode:
            world.timeline.start_timecode = self.start_timecode
        clip = (
            _pictures(folder, world.timeline.rate)
            if self.is_sequence
            else clip_of(media(RATES[self.media_rate or self.rate]))
        )
        item = put(world, clip, at=7, left=LEFT, count=COUNT)
        self.change(item)
        if item.clip is not None and item.clip is not clip:
            assert world.project is not None
            world.project.root.clips.append(item.clip)
        world.timeline.playhead = 9
        return world, item


def _pictures(folder: Path, rate: Fraction) -> Any:
    """A clip of pictures 94 to 105, in a folder that holds others before and after them."""
    place = folder / "bilder 100% ü"
    place.mkdir()
    for number, picture in enumerate(scene(20, size=SIZE), start=90):
        write_image(place / f"shot_{number:04}.png", picture)
    clip = sequence(str(place).replace("%", "%%") + "/shot_%04d.png", 94, 105, rate)
    assert clip is not None
    return clip


def graded(item: Item) -> None:
    item.nodes = [["Lift"]]


def two_nodes(item: Item) -> None:
    item.nodes = [[], []]


def with_lut(item: Item) -> None:
    item.lut = "film.cube"


def with_input_lut(item: Item) -> None:
    assert item.clip is not None
    item.clip.lut = "Sony SLog3 to Rec709.cube"


def slow(item: Item) -> None:
    item.speed = Fraction(1, 2)


def reversed_(item: Item) -> None:
    item.speed = Fraction(-1)
    item.left = 25


def frozen(item: Item) -> None:
    item.speed = Fraction(0)


def composed(item: Item) -> None:
    item.compositions = ["Composition 1"]


def compound(item: Item) -> None:
    assert item.clip is not None
    item.clip = replace(item.clip, inner=Path(item.clip.path), path="", kind="Compound")


_CHANGES = (
    graded, two_nodes, with_lut, with_input_lut, slow, reversed_, frozen, composed, compound,
)  # fmt: skip
IN_FILES = {
    "24": Source(),
    "23.976": Source("23.976"),
    "25": Source("25"),
    "29.97": Source("29.97"),
    "29.97 drop": Source("29.97", is_drop_frame=True),
    "59.94": Source("59.94"),
    "59.94 drop": Source("59.94", is_drop_frame=True),
    "from zero": Source(start_timecode="00:00:00:00"),
    "over a dropped minute": Source("29.97", is_drop_frame=True, start_timecode="01:08:59;20"),
    "pictures": Source("25", is_sequence=True),
}
RENDERED = {
    "23.976 in 25": Source("25", media_rate="23.976", is_rendered=True),
    "59.94 in 29.97 drop": Source(
        "29.97", media_rate="59.94", is_drop_frame=True, is_rendered=True
    ),
    **{change.__name__.strip("_"): Source(is_rendered=True, change=change) for change in _CHANGES},
}
SOURCES = {**IN_FILES, **RENDERED}


def viewed(world: World, item: Item) -> list[Image]:
    """What the viewer shows at the record frames of an item."""
    return [picture_at(world.timeline, at) for at in range(item.start, item.end)]


def results(world: World) -> list[tuple[int, Item]]:
    """Track and item of everything that Fresco placed."""
    return [
        (number, item)
        for number, track in enumerate(world.timeline.video, start=1)
        for item in track.items
        if item.clip is not None and "fresco.job" in item.clip.third_party
    ]


def shown(world: World, item: Item) -> list[Image]:
    """The pictures that an item shows, from its file."""
    assert item.clip is not None
    assert item.clip.rate == world.timeline.rate
    frames = Media.open(Path(item.clip.path)).frames(item.left, item.left + item.duration)
    return [frame.image for frame in frames]


def brought_in(restyler: Restyler) -> list[Outcome]:
    """Outcomes once no job is at work any more."""

    def done() -> bool:
        outcomes.extend(o for o in restyler.update() if o.placed or o.problem)
        return not restyler.waiting()

    outcomes: list[Outcome] = []
    wait_for("the jobs to be done", done)
    return outcomes


def without_results(world: World) -> Any:
    """The project but for what a placed result is: its clip, its bin and its track."""
    snapshot = world.snapshot()
    project = snapshot["project"]
    project["root"]["folders"] = [
        folder for folder in project["root"]["folders"] if folder["name"] != "Fresco"
    ]
    for line in project["timelines"]:
        line["video"] = [track for track in line["video"] if track["name"] != "Fresco"]
    return snapshot


def difference(one: Image, other: Image) -> float:
    """Mean difference of two pictures, 0 to 255."""
    return float(np.abs(np.subtract(one, other, dtype=int)).mean())
