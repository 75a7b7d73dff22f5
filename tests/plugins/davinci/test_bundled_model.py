"""Everything end to end with the bundled model, in tiny clips; one daemon loads it for all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fresco_client import JobState, Session
from fresco_davinci.choices import StoredChoices, save_choices
from fresco_davinci.errors import CannotRestyle
from fresco_davinci.install import Scripts
from fresco_davinci.plugin_folders import PluginFolders
from fresco_media.types import Image

from tests.fakes.resolve import Item, Resolve
from tests.integration.daemons import DaemonProcess, wait_for
from tests.plugins.davinci.cases import (
    SOURCES,
    brought_in,
    difference,
    results,
    shown,
    viewed,
    without_results,
)
from tests.plugins.davinci.conftest import PROGRAM, MakeMedia, OpenWorld, restyler_of

# Weak enough for a frame to be told from the next one when it is restyled.
WATERCOLOUR = StoredChoices(style="watercolour", preset="draft", strength=0.3)
KINDS = (
    "24", "23.976", "29.97 drop", "59.94 drop", "pictures", "23.976 in 25", "graded", "slow",
    "compound",
)  # fmt: skip
"""Of the others test_placing.py shows that the model would be given the same frames."""
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon as users have it."""
    daemon = DaemonProcess(tmp_path_factory.mktemp("a daemon") / "data")
    yield daemon.start()
    daemon.stop_whatever()


@pytest.fixture
def session(bundled: DaemonProcess) -> Iterator[Session]:
    """A session with it."""
    with bundled.session() as session:
        yield session


def assert_restyled(found: list[Image], wanted: list[Image]) -> None:
    """They have another look, and each is like its own frame more than like any other's."""
    assert len(found) == len(wanted)
    for number, picture in enumerate(found):
        differences = [difference(picture, other) for other in wanted]
        assert min(differences) > 3
        assert differences[number] == min(differences), (number, np.round(differences, 1))


@pytest.mark.parametrize("name", KINDS)
def test_a_result_of_the_model_lies_on_the_record_frames_of_its_source(
    name: str,
    open_resolve: OpenWorld,
    session: Session,
    plugin_folders: PluginFolders,
    media: MakeMedia,
    tmp_path: Path,
) -> None:
    world, item = SOURCES[name].open(open_resolve, media, tmp_path)
    before, wanted = world.snapshot(), viewed(world, item)
    fresco = restyler_of(Resolve(world), session, plugin_folders)

    fresco.restyle([fresco.current()], WATERCOLOUR)
    (outcome,) = brought_in(fresco)

    assert outcome.problem == ""
    ((track, placed),) = results(world)
    assert (track, placed.start, placed.duration) == (2, item.start, item.duration)
    assert_restyled(shown(world, placed), wanted)
    assert without_results(world) == before


def test_results_of_the_model_go_where_they_are_wanted(
    open_resolve: OpenWorld,
    session: Session,
    plugin_folders: PluginFolders,
    media: MakeMedia,
    tmp_path: Path,
) -> None:
    world, item = SOURCES["23.976"].open(open_resolve, media, tmp_path)
    wanted = viewed(world, item)
    fresco = restyler_of(Resolve(world), session, plugin_folders)
    on_track = replace(WATERCOLOUR, place="track", track=2)

    def restyled(choices: StoredChoices) -> str:
        """The id of the job; what it made is brought in."""
        (pending,) = fresco.restyle([fresco.current()], choices)
        (outcome,) = brought_in(fresco)
        assert outcome.placed is not None
        return pending.job_id

    def spans() -> list[tuple[int, int, int]]:
        return [(track, placed.start, placed.duration) for track, placed in results(world)]

    restyled(WATERCOLOUR)
    assert spans() == [(2, item.start, item.duration)]
    restyled(replace(on_track, conflict="skip"))
    assert spans() == [(2, item.start, item.duration)]
    job_id = restyled(replace(on_track, conflict="replace", style="charcoal"))
    ((_, placed),) = results(world)
    assert placed.clip is not None
    assert placed.clip.third_party["fresco.job"] == job_id
    assert (placed.start, placed.duration) == (item.start, item.duration)
    assert_restyled(shown(world, placed), wanted)
    restyled(replace(on_track, conflict="new"))
    assert spans() == [(track, item.start, item.duration) for track in (2, 3)]
    restyled(replace(WATERCOLOUR, place="take"))
    assert (len(item.takes), item.selected_take, item.left) == (2, 2, 0)
    assert spans()[0] == (1, item.start, item.duration)
    assert_restyled(shown(world, item), wanted)


def test_a_clip_without_a_media_file_is_a_sentence_and_no_job(
    open_resolve: OpenWorld, session: Session, plugin_folders: PluginFolders
) -> None:
    world = open_resolve()
    world.timeline.video[0].items.append(Item("Text+", 86400, 24, None))
    before, jobs = world.snapshot(), list(session.jobs())
    fresco = restyler_of(Resolve(world), session, plugin_folders)

    with pytest.raises(CannotRestyle, match=r"“Text\+” has no media.*compound clip"):
        fresco.restyle([fresco.current()], WATERCOLOUR)

    assert world.snapshot() == before
    assert list(session.jobs()) == jobs


def test_a_click_restyles_a_clip(
    bundled: DaemonProcess,
    open_resolve: OpenWorld,
    session: Session,
    media: MakeMedia,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FRESCO_DATA", str(bundled.data))
    monkeypatch.setenv("XDG_VIDEOS_DIR", str(tmp_path / "Vidéos"))
    plugin_folders = PluginFolders.usual(bundled.data)
    save_choices(plugin_folders.choices, StoredChoices(style="watercolour", preset="draft"))
    world, source = SOURCES["23.976"].open(open_resolve, media, tmp_path)
    wanted = viewed(world, source)
    scripts = Scripts(program=PROGRAM, mailbox=plugin_folders.mailbox).contents()

    def click(entry: str) -> None:
        exec(compile(scripts[f"{entry}.py"], "<menu>", "exec"), {"resolve": Resolve(world)})

    click("Restyle with last settings")
    (pending,) = plugin_folders.pending_jobs.glob("*.json")
    job = wait_for(
        "the job", lambda: (found := session.job(pending.stem)).state.is_ended and found, 360
    )
    assert job.state is JobState.DONE, job.failure
    click("Update results")

    ((track, placed),) = results(world)
    assert (track, placed.start, placed.duration) == (2, source.start, source.duration)
    found = shown(world, placed)
    assert min(map(difference, found, wanted)) > 10
