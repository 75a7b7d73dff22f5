"""A stand-in for Resolve that checks how it was used, and a daemon that makes negatives."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import fresco_davinci
import pytest
from fresco_client import Session
from fresco_davinci.bridge.remote import Message
from fresco_davinci.choices import StoredChoices
from fresco_davinci.core import Restyler
from fresco_davinci.host import Host
from fresco_davinci.plugin_folders import PluginFolders

from tests.engine.conftest import scene, write_clip
from tests.fakes.resolve import Clip, Item, Resolve, World, open_world
from tests.fakes.resolve.pool import probed
from tests.integration.daemons import DaemonProcess, with_fake_worker

CHOICES = StoredChoices(prompt="ink")
PROGRAM = (sys.executable, "-m", "fresco_cli")
RATES = {
    "24": Fraction(24),
    "23.976": Fraction(24000, 1001),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "59.94": Fraction(60000, 1001),
}

OpenWorld = Callable[..., World]
MakeMedia = Callable[[Fraction], Path]
MakeRestyler = Callable[[World], Restyler]


@pytest.fixture
def open_resolve() -> Iterator[OpenWorld]:
    """Opens stand-ins; fails at the end if one was used as Resolve is not documented."""
    worlds: list[World] = []

    def make(rate: Fraction = Fraction(24), **changes: Any) -> World:
        worlds.append(open_world(rate, **changes))
        return worlds[-1]

    yield make
    for world in worlds:
        assert world.misuses == []


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A real daemon whose worker makes negatives."""
    folder = tmp_path_factory.mktemp("daemon")
    process = DaemonProcess(folder / "data", with_fake_worker())
    yield process.start()
    process.stop_whatever()


@pytest.fixture
def session(daemon: DaemonProcess) -> Iterator[Session]:
    """A session with it."""
    with daemon.session() as session:
        yield session


@pytest.fixture
def plugin_folders(tmp_path: Path) -> PluginFolders:
    """Folders with spaces and letters that are not ASCII."""
    return PluginFolders(data=tmp_path / "däta folder", videos=tmp_path / "Vidéos")


@pytest.fixture
def restyler(session: Session, plugin_folders: PluginFolders) -> MakeRestyler:
    """What the commands do, for a stand-in."""
    return lambda world: restyler_of(Resolve(world), session, plugin_folders)


def restyler_of(resolve: Any, session: Session, plugin_folders: PluginFolders) -> Restyler:
    """What the commands do, for Resolve itself or one over a bridge."""
    return Restyler(
        Host(resolve), session, plugin_folders, wait=lambda seconds: None, tell=lambda text: None
    )


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Fraction], Path]:
    """Makes clips of thirty frames of 80 x 64 at any rate; each once."""
    folder = tmp_path_factory.mktemp("media é")
    made: dict[Fraction, Path] = {}

    def make(rate: Fraction) -> Path:
        if rate not in made:
            path = folder / f"shot {rate.numerator}_{rate.denominator}.mp4"
            made[rate] = write_clip(path, scene(30), rate)
        return made[rate]

    return make


class DirectLink:
    """What Resolve's own Python runs, in this process."""

    def __init__(self, world: World) -> None:
        folder = Path(fresco_davinci.__file__).parent / "scripts"
        names = runpy.run_path(str(folder / "fresco_bridge.py"))
        self._executor = names["Executor"](Resolve(world))

    def send(self, message: Message) -> Message:
        return json.loads(json.dumps(self._executor.answer(json.loads(json.dumps(message)))))

    def close(self) -> None: ...


def put(
    world: World, clip: Clip, *, at: int = 0, left: int = 0, count: int = 20, track: int = 1
) -> Item:
    """Puts `count` frames of a clip on a track, `at` frames from the timeline's start."""
    assert world.project is not None
    if clip not in world.project.root.clips:
        world.project.root.clips.append(clip)
    item = Item(clip.name, world.timeline.start + at, count, clip, left)
    world.timeline.video[track - 1].items.append(item)
    return item


def clip_of(path: Path) -> Clip:
    """A file as a clip of the media pool."""
    clip = probed(path)
    assert clip is not None
    return clip
