"""Whatever call of Resolve's fails: nothing in the project is changed, or all is well."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest
from fresco_client import JobState, Session
from fresco_davinci.choices import StoredChoices
from fresco_davinci.errors import ResolveError
from fresco_davinci.pending_jobs import PendingJobStore
from fresco_davinci.plugin_folders import PluginFolders

from tests.fakes.resolve import Folder, Item, Resolve, Timeline, Track, World
from tests.fakes.resolve.documents import Failure
from tests.fakes.resolve.objects import do_nothing
from tests.integration.daemons import wait_for
from tests.plugins.davinci.conftest import (
    CHOICES,
    RATES,
    MakeMedia,
    OpenWorld,
    clip_of,
    put,
    restyler_of,
)

CHOSEN = {
    "above": CHOICES,
    "track": StoredChoices(prompt="ink", place="track", track=1),
    "replace": StoredChoices(prompt="ink", place="track", track=4, conflict="replace"),
    "pictures": CHOICES,
    "pictures, the other way": CHOICES,
    "another timeline": CHOICES,
    "take": StoredChoices(prompt="ink", place="take"),
    "render": StoredChoices(prompt="ink", pixels="render"),
}

SINGLE: tuple[Failure, ...] = ("none", "false")
FAILURES: tuple[Failure, ...] = get_args(Failure)
ANSWERS_NO = frozenset({"Timeline.GetIsTrackEnabled", "Timeline.GetIsTrackLocked"})
"""Where False is an answer, which no caller can tell from a failure."""


def one_fails(number: int, failure: Failure) -> Callable[[str, int], bool]:
    """The call of this number fails, and no other."""
    return lambda call, count: count == number and not (failure == "false" and call in ANSWERS_NO)


def dressed(world: World, media: MakeMedia) -> Item:
    """A project with all that could be disturbed."""
    clip = clip_of(media(RATES["24"]))
    source = put(world, clip, at=5, left=4, count=8)
    source.color = "Teal"
    world.timeline.video += [Track("Titles", is_enabled=False), Track("Locked", is_locked=True)]
    world.timeline.video[1].items.append(Item("Text+", 86405, 8, None))
    assert world.project is not None
    world.project.render.settings = {
        "CustomName": "the film",
        "SelectAllFrames": True,
        "FormatWidth": 64,
        "FormatHeight": 36,
        "FrameRate": 12.0,
        "ExportVideo": False,
    }
    world.project.render_jobs = [{"JobId": "mine", "TimelineName": "Timeline 1"}]
    world.project.render.mode = 0
    world.page = "color"
    world.timeline.playhead = 6
    return source


def changes_of(name: str) -> dict[str, Any]:
    """What is special about the Resolve of a case."""
    if not name.startswith("pictures"):
        return {}
    is_broken = name != "pictures"
    return {
        "is_studio": False,
        "version": (20, 0, 0),
        "is_import_by_dict_broken": is_broken,
    }


def arrange(name: str, world: World, media: MakeMedia) -> None:
    """What is special about the project of a case, when the result is to be placed."""
    assert world.project is not None
    if name == "replace":
        clip = clip_of(media(RATES["24"]))
        clip.third_party["fresco.job"] = "earlier"
        world.project.root.folders.append(Folder("Fresco", [clip]))
        world.timeline.video.append(Track("Fresco", [Item(clip.name, 86405, 8, clip)]))
    if name == "another timeline":
        other = Timeline("Another", Fraction(25))
        world.project.timelines.append(other)
        world.project.current_timeline = other.id


def without_decoration(snapshot: Any) -> Any:
    """The state without colours and markers, which may be missing where they could not be set."""
    for line in snapshot["project"]["timelines"]:
        for track in line["video"]:
            for item in track["items"]:
                item["color"] = ""
                item["markers"] = {}
    return snapshot


@pytest.mark.parametrize("failure", SINGLE)
@pytest.mark.parametrize("choices", [CHOSEN["above"], CHOSEN["render"]], ids=["file", "render"])
def test_a_failure_while_ordering_changes_nothing(
    choices: StoredChoices,
    failure: Failure,
    open_resolve: OpenWorld,
    session: Session,
    plugin_folders: PluginFolders,
    media: MakeMedia,
) -> None:
    failures = 0
    for number in range(1, 500):
        world = open_resolve(failure=failure)
        dressed(world, media)
        before = world.snapshot()
        world.fails = one_fails(number, failure)
        fresco = restyler_of(Resolve(world), session, plugin_folders)

        try:
            (pending,) = fresco.restyle([fresco.current()], choices)
        except ResolveError:
            failures += 1
            assert world.snapshot() == before, world.calls[number - 1]
            assert list(plugin_folders.pending_jobs.glob("*")) == []
            assert list(plugin_folders.renders.glob("*")) == []
        else:
            after = without_decoration(world.snapshot())
            assert after == without_decoration(before), world.calls[number - 1]
            last = len(world.calls)
            world.fails = do_nothing
            fresco.cancel(pending)
            world.calls = world.calls[:last]
        if number > len(world.calls):
            assert failures > 20
            return
    pytest.fail("it never ended")


@pytest.mark.parametrize("failure", SINGLE)
@pytest.mark.parametrize("name", CHOSEN)
def test_a_failure_while_placing_changes_nothing(
    name: str,
    failure: Failure,
    open_resolve: OpenWorld,
    session: Session,
    plugin_folders: PluginFolders,
    media: MakeMedia,
) -> None:
    choices = CHOSEN[name]
    failures = 0
    world = open_resolve(**changes_of(name))
    dressed(world, media)
    fresco = restyler_of(Resolve(world), session, plugin_folders)
    (pending,) = fresco.restyle([fresco.current()], choices)
    wait_for("the job", lambda: session.job(pending.job_id).state is JobState.DONE)
    saved = Path(pending.rendered).read_bytes() if pending.rendered else b""
    kept = _kept(world)

    for number in range(1, 800):
        world = open_resolve(failure=failure, **changes_of(name))
        source = dressed(world, media)
        _restore(world, kept)
        arrange(name, world, media)
        if saved:
            Path(pending.rendered).write_bytes(saved)
        PendingJobStore(plugin_folders.pending_jobs).save(replace(pending, is_submitted=True))
        before = world.snapshot()
        fresco = restyler_of(Resolve(world), session, plugin_folders)
        world.fails = one_fails(number, failure)

        outcomes = []
        try:
            outcomes = fresco.update()
        except ResolveError:
            failures += 1
            assert_same_but_for_the_result(world, before, source)
        if outcomes and outcomes[0].placed is None:
            failures += 1
            assert world.snapshot() == before, world.calls[number - 1]
        elif outcomes:
            assert_same_but_for_the_result(world, before, source)
        last = len(world.calls)
        world.fails = do_nothing
        fresco.update()
        assert placed(world) == [(source.start, source.duration)], world.calls[number - 1]
        if number > last:
            assert failures > 20
            return
    pytest.fail("it never ended")


def _kept(world: World) -> tuple[Any, ...]:
    assert world.project is not None
    item = world.timeline.video[0].items[0]
    ids = world.project.id, world.timeline.id, item.id
    return (*ids, item.color, dict(item.markers))


def _restore(world: World, kept: tuple[Any, ...]) -> None:
    """The same project as it was when the pending job was made."""
    assert world.project is not None
    item = world.timeline.video[0].items[0]
    world.project.id, line_id, item.id, item.color, markers = kept
    world.project.timelines[0].id = world.project.current_timeline = line_id
    item.markers = dict(markers)


def placed(world: World) -> list[tuple[int, int]]:
    assert world.project is not None
    return [
        (item.start, item.duration)
        for track in world.project.timelines[0].video
        for item in track.items
        if item.clip is not None and item.clip.third_party.get("fresco.job", "earlier") != "earlier"
    ]


def assert_same_but_for_the_result(world: World, before: Any, source: Item) -> None:
    """The result lies where it should, or not at all; all else is as before."""
    assert placed(world) in ([(source.start, source.duration)], [])
    after = world.snapshot()
    assert after["page"] == before["page"]
    for key in ("render", "presets", "render_jobs", "current_folder", "current_timeline"):
        assert after["project"][key] == before["project"][key], key
    if not placed(world):
        assert without_decoration(after) == without_decoration(before)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_dialog_that_stays_open_while_ordering_is_tidied_up_after_by_the_next_update(
    failure: Failure,
    open_resolve: OpenWorld,
    session: Session,
    plugin_folders: PluginFolders,
    media: MakeMedia,
) -> None:
    number = 0
    for number in range(1, 500):
        world = open_resolve(failure=failure)
        dressed(world, media)
        before = world.snapshot()
        world.fails = lambda call, count, number=number: count >= number
        fresco = restyler_of(Resolve(world), session, plugin_folders)

        try:
            pending_jobs = fresco.restyle([fresco.current()], CHOICES)
        except ResolveError:
            world.fails = do_nothing
            fresco.update()
            assert world.snapshot() == before, number
        else:
            world.fails = do_nothing
            fresco.cancel(pending_jobs[0])
            break
    assert number > 20
    assert list(plugin_folders.pending_jobs.glob("*")) == []


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", ["above", "replace", "take", "render", "another timeline"])
def test_a_dialog_that_stays_open_while_placing_loses_nothing_and_doubles_nothing(
    name: str,
    failure: Failure,
    open_resolve: OpenWorld,
    session: Session,
    plugin_folders: PluginFolders,
    media: MakeMedia,
) -> None:
    world = open_resolve()
    dressed(world, media)
    fresco = restyler_of(Resolve(world), session, plugin_folders)
    (pending,) = fresco.restyle([fresco.current()], CHOSEN[name])
    wait_for("the job", lambda: session.job(pending.job_id).state is JobState.DONE)
    saved = Path(pending.rendered).read_bytes() if pending.rendered else b""
    kept = _kept(world)

    number = 0
    for number in range(1, 500):
        world = open_resolve(failure=failure)
        source = dressed(world, media)
        _restore(world, kept)
        arrange(name, world, media)
        if saved:
            Path(pending.rendered).write_bytes(saved)
        PendingJobStore(plugin_folders.pending_jobs).save(replace(pending, is_submitted=True))
        fresco = restyler_of(Resolve(world), session, plugin_folders)
        world.fails = lambda call, count, number=number: count >= number
        with suppress(ResolveError):
            fresco.update()
        last = len(world.calls)

        world.fails = do_nothing
        fresco.update()

        assert placed(world) == [(source.start, source.duration)], number
        assert world.project is not None
        assert [len(folder.clips) for folder in world.project.root.folders] == [1]
        assert (source.color, source.markers) == ("Teal", {})
        if number > last:
            break
    assert number > 50


def test_what_the_daemon_refuses_leaves_no_trace(
    open_resolve: OpenWorld, session: Session, plugin_folders: PluginFolders, media: MakeMedia
) -> None:
    world = open_resolve()
    dressed(world, media)
    before = world.snapshot()
    fresco = restyler_of(Resolve(world), session, plugin_folders)

    with pytest.raises(Exception, match="Strength"):
        fresco.restyle([fresco.current()], replace(CHOICES, strength=7.0))

    assert world.snapshot() == before
    assert list(plugin_folders.pending_jobs.glob("*")) == []


def test_a_failed_job_gives_the_clip_back_as_it_was(
    open_resolve: OpenWorld, session: Session, plugin_folders: PluginFolders, media: MakeMedia
) -> None:
    world = open_resolve()
    dressed(world, media)
    before = world.snapshot()
    fresco = restyler_of(Resolve(world), session, plugin_folders)
    (pending,) = fresco.restyle([fresco.current()], replace(CHOICES, prompt="unthinkable"))
    wait_for("the job to fail", lambda: session.job(pending.job_id).state is JobState.FAILED)

    (outcome,) = fresco.update()

    assert "nobody can think of this" in outcome.problem
    assert world.snapshot() == before
    assert fresco.waiting() == []


def test_a_failed_render_leaves_no_trace(
    open_resolve: OpenWorld, session: Session, plugin_folders: PluginFolders, media: MakeMedia
) -> None:
    world = open_resolve(does_render_fail=True, language="de")
    dressed(world, media)
    before = world.snapshot()
    fresco = restyler_of(Resolve(world), session, plugin_folders)

    with pytest.raises(ResolveError, match="Disk full"):
        fresco.restyle([fresco.current()], CHOSEN["render"])

    assert world.snapshot() == before
    assert list(plugin_folders.renders.iterdir()) == []


@pytest.mark.parametrize("failure", FAILURES)
def test_a_dialog_gives_a_sentence(
    failure: Failure, open_resolve: OpenWorld, session: Session, plugin_folders: PluginFolders
) -> None:
    world = open_resolve(has_dialog=True, failure=failure)

    with pytest.raises(ResolveError, match="Close its open dialogs"):
        restyler_of(Resolve(world), session, plugin_folders).current()


@pytest.mark.parametrize("page", ["media", "fusion", "fairlight"])
def test_a_page_without_a_playhead_gives_a_sentence(
    page: str,
    open_resolve: OpenWorld,
    session: Session,
    plugin_folders: PluginFolders,
    media: MakeMedia,
) -> None:
    world = open_resolve()
    dressed(world, media)
    world.page = page

    with pytest.raises(ResolveError, match="Put it over a clip"):
        restyler_of(Resolve(world), session, plugin_folders).current()
