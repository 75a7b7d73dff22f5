"""Results at the exact record frames of their source, from the stand-in through a real daemon."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from fresco_client import JobState, Session
from fresco_davinci.choices import StoredChoices
from fresco_davinci.core import Outcome
from fresco_davinci.errors import CannotRestyle, RenderFailed
from fresco_davinci.plugin_folders import PluginFolders
from fresco_media.clip import Clip as Media
from fresco_media.types import Image

from tests.fakes.resolve import Clip, Item, Resolve, Track
from tests.integration.daemons import wait_for
from tests.plugins.davinci.cases import (
    RENDERED,
    SOURCES,
    Source,
    brought_in,
    difference,
    results,
    shown,
    viewed,
    without_results,
)
from tests.plugins.davinci.conftest import (
    CHOICES,
    RATES,
    MakeMedia,
    MakeRestyler,
    OpenWorld,
    clip_of,
    put,
    restyler_of,
)


def negatives(path: Path, first: int, count: int) -> list[Image]:
    """What the fake worker makes of frames of a file."""
    return [255 - frame.image for frame in Media.open(path).frames(first, first + count)]


def assert_alike(found: list[Image], wanted: list[Image]) -> None:
    """The same frames: one frame off would differ by far more than encoding does."""
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert difference(one, other) < 8


@pytest.mark.parametrize("version", [(19, 1, 0), (21, 1, 0)], ids=str)
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_a_result_lies_on_the_record_frames_of_its_source(
    source: Source,
    version: tuple[int, ...],
    open_resolve: OpenWorld,
    restyler: MakeRestyler,
    media: MakeMedia,
    tmp_path: Path,
) -> None:
    world, item = source.open(open_resolve, media, tmp_path, version=version, language="ja")
    before, wanted = world.snapshot(), viewed(world, item)
    fresco = restyler(world)

    (pending,) = fresco.restyle([fresco.current()], CHOICES)
    (outcome,) = brought_in(fresco)

    ((track, placed),) = results(world)
    assert (track, placed.start, placed.duration) == (2, item.start, item.duration)
    assert_alike(shown(world, placed), [255 - picture for picture in wanted])
    assert outcome.placed is not None
    assert outcome.problem == ""
    assert bool(pending.rendered) == source.is_rendered
    assert without_results(world) == before


def test_the_start_is_frame_86400_at_24_and_107892_with_drop_frame(open_resolve: OpenWorld) -> None:
    assert open_resolve(RATES["24"]).timeline.start == 86400
    assert open_resolve(RATES["23.976"]).timeline.start == 86400
    assert open_resolve(RATES["25"]).timeline.start == 90000
    assert open_resolve(RATES["29.97"], is_drop_frame=True).timeline.start == 107892


@pytest.mark.parametrize("source", RENDERED.values(), ids=RENDERED.keys())
def test_only_colour_and_marker_of_the_clip_tell_of_an_order_that_was_rendered(
    source: Source,
    open_resolve: OpenWorld,
    restyler: MakeRestyler,
    media: MakeMedia,
    plugin_folders: PluginFolders,
    tmp_path: Path,
) -> None:
    world, item = source.open(open_resolve, media, tmp_path)
    world.timeline.video.append(Track("Titles"))
    world.timeline.video[1].items.append(Item("Text+", item.start + 3, 2, None))
    before = world.snapshot()
    told: list[str] = []
    fresco = restyler(world)
    fresco._tell = told.append  # pyright: ignore[reportPrivateUsage]

    (pending,) = fresco.restyle([fresco.current()], CHOICES)

    after = world.snapshot()
    _forget_marks(after, before)
    assert after == before
    assert "Project.StartRendering" in world.calls
    assert len(told) == 1
    fresco.cancel(pending)
    assert world.snapshot() == before
    assert list(plugin_folders.renders.iterdir()) == []


def test_a_project_with_colour_management_is_rendered(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    for version in ((20, 3, 1), (21, 1, 0)):
        world = open_resolve(version=version)
        put(world, clip_of(media(RATES["24"])), count=4)
        assert world.project is not None
        world.project.settings["colorScienceMode"] = "davinciYRGBColorManagedv2"
        fresco = restyler(world)

        (pending,) = fresco.restyle([fresco.current()], CHOICES)

        assert pending.rendered
        fresco.cancel(pending)


def test_a_version_that_cannot_put_its_render_settings_back_renders_nothing(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve(version=(18, 6, 6))
    put(world, clip_of(media(RATES["24"])), count=6).nodes = [["Lift"]]
    before = world.snapshot()
    fresco = restyler(world)

    with pytest.raises(RenderFailed, match=r"19\.1 or newer"):
        fresco.restyle([fresco.current()], CHOICES)

    assert world.snapshot() == before


def _forget_marks(after: dict, before: dict) -> None:
    """Colour and marker of the clip are all that a pending job may change."""
    for new, old in zip(_items(after), _items(before), strict=True):
        if new["clip"] is None:
            continue
        assert new["color"] == "Orange"
        assert [marker["color"] for marker in new["markers"].values()] == ["Sand"]
        new["color"], new["markers"] = old["color"], old["markers"]


def _items(snapshot: dict) -> list[dict]:
    return [
        item
        for line in snapshot["project"]["timelines"]
        for track in line["video"]
        for item in track["items"]
    ]


def test_a_title_is_refused_with_a_sentence_that_says_what_to_do(
    open_resolve: OpenWorld, restyler: MakeRestyler
) -> None:
    world = open_resolve()
    world.timeline.video[0].items.append(Item("Text+", 86400, 24, None))
    before = world.snapshot()
    fresco = restyler(world)

    with pytest.raises(CannotRestyle, match="compound clip"):
        fresco.restyle([fresco.current()], CHOICES)

    assert world.snapshot() == before


def test_an_offline_clip_is_refused(open_resolve: OpenWorld, restyler: MakeRestyler) -> None:
    world = open_resolve()
    put(world, Clip("gone.mov", "/nowhere/gone.mov", Fraction(24), 100))
    fresco = restyler(world)

    with pytest.raises(CannotRestyle, match="Relink"):
        fresco.restyle([fresco.current()], CHOICES)


@pytest.mark.parametrize("version", [(18, 6, 6), (19, 0, 1), (19, 0, 2), (21, 1, 0)], ids=str)
def test_every_version_places_the_same(
    version: tuple[int, ...], open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve(version=version)
    source = put(world, clip_of(media(RATES["24"])), at=4, left=3, count=8)
    world.timeline.playhead = 5
    fresco = restyler(world)

    can_tell_the_speed = version >= (19, 0, 2)
    pixels = "auto" if can_tell_the_speed else "file"
    fresco.restyle([fresco.current()], replace(CHOICES, pixels=pixels))
    brought_in(fresco)

    found = [
        item
        for item in world.timeline.video[-1].items
        if (item.start, item.duration) == (source.start, source.duration)
    ]
    assert len(world.timeline.video) == 2
    assert len(found) == 1


def test_frames_between_the_marks_are_restyled_and_no_others(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    clip = clip_of(media(RATES["24"]))
    put(world, clip, at=0, left=0, count=10)
    put(world, clip, at=10, left=12, count=10)
    put(world, clip, at=20, left=0, count=10)
    world.timeline.marks = {"in": 4, "out": 14}
    fresco = restyler(world)

    fresco.restyle(fresco.marked(CHOICES), CHOICES)
    brought_in(fresco)

    spans = sorted((item.start - 86400, item.duration) for _, item in results(world))
    assert spans == [(4, 6), (10, 5)]
    first = next(item for _, item in results(world) if item.start == 86404)
    assert_alike(shown(world, first), negatives(media(RATES["24"]), 4, 6))


def test_the_free_edition_on_linux_gets_pictures(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve(RATES["23.976"], is_studio=False, version=(20, 0, 0))
    source = put(world, clip_of(media(RATES["23.976"])), at=4, left=3, count=6)
    world.timeline.playhead = 4
    fresco = restyler(world)

    fresco.restyle([fresco.current()], CHOICES)
    brought_in(fresco)

    ((_, item),) = results(world)
    assert (item.start, item.duration) == (source.start, source.duration)
    assert item.clip is not None
    assert item.clip.kind == "Image Sequence"
    assert item.clip.rate == RATES["23.976"]
    path = Path(item.clip.path.replace("[000000-000005]", "000000"))
    frames = [frame.image for frame in Media.open(path).frames(0, 6)]
    assert_alike(frames, negatives(media(RATES["24"]), 3, 6))


def test_a_moved_and_trimmed_clip_takes_its_result_along(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    source = put(world, clip_of(media(RATES["24"])), at=0, left=2, count=12)
    fresco = restyler(world)
    fresco.restyle([fresco.current()], CHOICES)
    source.start, source.left, source.duration = 86450, 5, 6

    brought_in(fresco)

    ((_, item),) = results(world)
    assert (item.start, item.duration) == (86450, 6)
    assert_alike(shown(world, item), negatives(media(RATES["24"]), 5, 6))


def test_the_result_of_a_deleted_clip_is_kept_in_the_bin(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6)
    fresco = restyler(world)
    fresco.restyle([fresco.current()], CHOICES)
    world.timeline.video[0].items.clear()

    (outcome,) = brought_in(fresco)

    assert "no longer in the timeline" in outcome.problem
    assert results(world) == []
    assert world.project is not None
    (folder,) = world.project.root.folders
    assert len(folder.clips) == 1


def test_a_restart_finishes_imports_and_nothing_comes_in_twice(
    open_resolve: OpenWorld, session: Session, plugin_folders: PluginFolders, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6)
    before = restyler_of(Resolve(world), session, plugin_folders)
    (pending,) = before.restyle([before.current()], CHOICES)
    saved = (plugin_folders.pending_jobs / f"{pending.job_id}.json").read_text("utf-8")
    wait_for("the job", lambda: session.job(pending.job_id).state is JobState.DONE)

    after = restyler_of(Resolve(world), session, plugin_folders)
    after.update()
    once = world.snapshot()
    # As if it had been killed right after placing, before it could forget the pending job.
    (plugin_folders.pending_jobs / f"{pending.job_id}.json").write_text(saved, "utf-8")
    restyler_of(Resolve(world), session, plugin_folders).update()

    assert world.snapshot() == once
    assert len(results(world)) == 1
    assert list(plugin_folders.pending_jobs.iterdir()) == []


def test_orders_of_other_projects_are_left_alone(
    open_resolve: OpenWorld, session: Session, plugin_folders: PluginFolders, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6)
    fresco = restyler_of(Resolve(world), session, plugin_folders)
    (pending,) = fresco.restyle([fresco.current()], CHOICES)
    other = open_resolve()

    assert restyler_of(Resolve(other), session, plugin_folders).update() == []
    assert [path.stem for path in plugin_folders.pending_jobs.iterdir()] == [pending.job_id]
    brought_in(fresco)


def test_a_result_is_placed_in_the_timeline_it_was_ordered_for(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6)
    fresco = restyler(world)
    fresco.restyle([fresco.current()], CHOICES)
    ordered = world.timeline
    other = open_resolve().timeline
    assert world.project is not None
    world.project.timelines.append(other)
    world.project.current_timeline = other.id
    world.page = "color"

    brought_in(fresco)

    assert len(ordered.video) == 2
    assert len(other.video) == 1
    assert world.project.current_timeline == other.id
    assert world.page == "color"


def test_the_result_has_the_position_and_zoom_of_its_source(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    for version in ((20, 3, 1), (21, 1, 0)):
        world = open_resolve(version=version)
        source = put(world, clip_of(media(RATES["24"])), count=6)
        source.properties.update(ZoomX=1.5, Pan=30.0, CropLeft=4.0)
        fresco = restyler(world)

        fresco.restyle([fresco.current()], CHOICES)
        brought_in(fresco)

        ((_, item),) = results(world)
        assert item.properties == source.properties


PLACES = [
    StoredChoices(prompt="ink", place="track", track=2, conflict=conflict)
    for conflict in ("new", "skip", "replace")
]


@pytest.mark.parametrize("choices", PLACES, ids=lambda choices: choices.conflict)
def test_a_taken_track_is_treated_as_chosen(
    choices: StoredChoices, open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6)
    fresco = restyler(world)
    fresco.restyle([fresco.current()], CHOICES)
    brought_in(fresco)
    ((_, first),) = results(world)
    world.timeline.playhead = 0
    world.timeline.video[1].is_enabled = False
    assert first.clip is not None
    first_path = first.clip.path

    fresco.restyle([fresco.current()], choices)
    (outcome,) = brought_in(fresco)

    found = results(world)
    assert first.clip is not None
    if choices.conflict == "new":
        assert [track for track, _ in found] == [2, 3]
    elif choices.conflict == "skip":
        assert found == [(2, first)]
        assert "taken" in outcome.problem
    else:
        assert found == [(2, first)]
        assert first.clip.path != first_path
        assert outcome.placed is not None
        assert first.clip.third_party["fresco.job"] == outcome.pending.job_id


def test_what_fresco_did_not_make_is_never_replaced(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    clip = clip_of(media(RATES["24"]))
    put(world, clip, count=6)
    world.timeline.video.append(Track("Video 2", is_enabled=False))
    put(world, clip, count=6, track=2)
    fresco = restyler(world)
    before = world.snapshot()

    (pending,) = fresco.restyle([fresco.current()], PLACES[2])
    outcomes: list[Outcome] = []
    wait_for(
        "the outcome",
        lambda: outcomes.extend(o for o in fresco.update() if o.problem) or outcomes,
    )

    assert "did not make" in outcomes[0].problem
    fresco.cancel(pending)
    assert world.snapshot() == before


def test_a_locked_track_is_neither_used_nor_unlocked(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6)
    world.timeline.video.append(Track("Fresco", is_locked=True))
    fresco = restyler(world)

    fresco.restyle([fresco.current()], CHOICES)
    brought_in(fresco)

    assert [track for track, _ in results(world)] == [3]
    assert world.timeline.video[1].is_locked


def test_a_take_shows_the_result_in_the_clip_itself(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    source = put(world, clip_of(media(RATES["24"])), left=3, count=6)
    fresco = restyler(world)

    fresco.restyle([fresco.current()], replace(CHOICES, place="take"))
    brought_in(fresco)

    assert len(world.timeline.video) == 1
    assert (len(source.takes), source.selected_take) == (2, 2)
    assert (source.start, source.duration, source.left) == (86400, 6, 0)
    assert_alike(shown(world, source), negatives(media(RATES["24"]), 3, 6))


def test_another_look_is_made_of_the_source_below_a_result(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    source = put(world, clip_of(media(RATES["24"])), left=2, count=6)
    fresco = restyler(world)
    fresco.restyle([fresco.current()], CHOICES)
    brought_in(fresco)

    part = fresco.current()
    fresco.restyle([part], replace(CHOICES, prompt="charcoal"))
    brought_in(fresco)

    assert part.clip.item_id == source.id
    assert [track for track, _ in results(world)] == [2, 3]


def test_of_clips_between_the_marks_those_that_can_be_are_restyled(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6)
    world.timeline.video[0].items.append(Item("Text+", 86406, 6, None))
    world.timeline.marks = {"in": 0, "out": 11}
    told: list[str] = []
    fresco = restyler(world)
    fresco._tell = told.append  # pyright: ignore[reportPrivateUsage]

    pending_jobs = fresco.restyle(fresco.marked(CHOICES), CHOICES)

    assert len(pending_jobs) == 1
    assert "“Text+” has no media" in told[0]
    brought_in(fresco)


def test_the_result_for_a_deleted_timeline_is_kept_in_the_bin(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6)
    fresco = restyler(world)
    fresco.restyle([fresco.current()], CHOICES)
    other = open_resolve().timeline
    assert world.project is not None
    world.project.timelines = [other]
    world.project.current_timeline = other.id

    (outcome,) = brought_in(fresco)

    assert "no longer in the project" in outcome.problem
    assert [len(folder.clips) for folder in world.project.root.folders] == [1]
    assert fresco.waiting() == []


def test_pictures_come_in_where_the_usual_way_of_importing_them_does_nothing(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve(
        RATES["25"], is_studio=False, version=(20, 0, 0), is_import_by_dict_broken=True
    )
    put(world, clip_of(media(RATES["25"])), count=6)
    fresco = restyler(world)

    fresco.restyle([fresco.current()], CHOICES)
    brought_in(fresco)

    ((_, item),) = results(world)
    assert (item.start, item.duration) == (world.timeline.start, 6)


def test_the_page_that_the_user_is_on_is_left_alone(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve(page="color")
    put(world, clip_of(media(RATES["24"])), count=6)
    fresco = restyler(world)

    fresco.restyle([fresco.current()], CHOICES)
    brought_in(fresco)

    assert len(results(world)) == 1
    assert "Resolve.OpenPage" not in world.calls


def test_two_windows_bring_a_result_in_once(
    open_resolve: OpenWorld, session: Session, plugin_folders: PluginFolders, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6)
    first, second = (restyler_of(Resolve(world), session, plugin_folders) for _ in range(2))
    (pending,) = first.restyle([first.current()], CHOICES)
    wait_for("the job", lambda: session.job(pending.job_id).state is JobState.DONE)

    with ThreadPoolExecutor(2) as threads:
        outcomes = [*threads.map(lambda fresco: fresco.update(), (first, second))]

    assert sorted(len(found) for found in outcomes) == [0, 1]
    assert len(results(world)) == 1


def test_a_take_that_no_longer_fits_is_kept_in_the_bin(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    source = put(world, clip_of(media(RATES["24"])), left=3, count=6)
    fresco = restyler(world)
    fresco.restyle([fresco.current()], replace(CHOICES, place="take"))
    source.start, source.left, source.duration = 86402, 5, 4

    (outcome,) = brought_in(fresco)

    assert "does not fit as a take" in outcome.problem
    assert source.takes == []
    assert world.project is not None
    assert [len(folder.clips) for folder in world.project.root.folders] == [1]


def test_a_clip_that_shows_a_take_of_ours_is_not_restyled_twice_over(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    source = put(world, clip_of(media(RATES["24"])), left=3, count=6)
    original = source.clip
    fresco = restyler(world)
    fresco.restyle([fresco.current()], replace(CHOICES, place="take"))
    brought_in(fresco)

    with pytest.raises(CannotRestyle, match="Choose its first take"):
        fresco.current()
    source.clip, source.left, source.selected_take = original, 3, 1
    fresco.restyle([fresco.current()], replace(CHOICES, place="take", prompt="charcoal"))
    brought_in(fresco)

    assert (len(source.takes), source.selected_take) == (3, 3)


def test_a_replaced_result_keeps_what_was_done_to_it_and_is_in_the_bin_once(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve()
    put(world, clip_of(media(RATES["24"])), count=6).properties["ZoomX"] = 1.5
    fresco = restyler(world)
    fresco.restyle([fresco.current()], CHOICES)
    brought_in(fresco)
    ((_, placed),) = results(world)
    placed.properties["Opacity"] = 40.0

    fresco.restyle([fresco.current()], PLACES[2])
    brought_in(fresco)

    assert (placed.properties["ZoomX"], placed.properties["Opacity"]) == (1.5, 40.0)
    assert world.project is not None
    assert [len(folder.clips) for folder in world.project.root.folders] == [1]


def test_a_resolve_that_appends_only_while_a_clip_is_selected_is_shown_one(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve(version=(20, 3, 1), does_append_selected_only=True)
    put(world, clip_of(media(RATES["24"])), count=6)
    fresco = restyler(world)

    fresco.restyle([fresco.current()], CHOICES)
    brought_in(fresco)

    assert len(results(world)) == 1


def test_a_render_has_the_size_and_rate_of_the_timeline_whatever_was_rendered_last(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    for version in ((19, 1, 0), (21, 1, 0)):
        world = open_resolve(RATES["23.976"], version=version)
        put(world, clip_of(media(RATES["23.976"])), count=4).nodes = [["Lift"]]
        assert world.project is not None
        last = {"FormatWidth": 64, "FormatHeight": 36, "FrameRate": 12.0, "ExportVideo": False}
        world.project.render.settings = dict(last)
        fresco = restyler(world)

        (pending,) = fresco.restyle([fresco.current()], CHOICES)

        info = Media.open(Path(pending.rendered)).info
        assert (info.width, info.height) == world.timeline.size
        assert (info.frame_count, info.frame_rate) == (4, RATES["23.976"])
        assert world.project.render.settings == last
        fresco.cancel(pending)


def test_a_free_edition_on_linux_renders_without_h264(
    open_resolve: OpenWorld, restyler: MakeRestyler, media: MakeMedia
) -> None:
    world = open_resolve(is_studio=False, platform="linux")
    put(world, clip_of(media(RATES["24"])), count=4).nodes = [["Lift"]]
    taken: list[str] = []

    def note(call: str, number: int) -> None:
        if call == "Project.AddRenderJob":
            assert world.project is not None
            taken.append(world.project.render.codec)

    world.fails = note
    for codecs, wanted in ((set[str](), "ProRes422HQ"), ({"Apple ProRes 422 HQ"}, "DNxHR_HQ")):
        world.missing_codecs = codecs
        fresco = restyler(world)
        (pending,) = fresco.restyle([fresco.current()], CHOICES)
        fresco.cancel(pending)
        assert taken[-1] == wanted
    world.missing_codecs = {"Apple ProRes 422 HQ", "DNxHR HQ"}
    with pytest.raises(RenderFailed, match="offers no codec"):
        restyler(world).restyle([restyler(world).current()], CHOICES)
