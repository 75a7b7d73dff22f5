"""The stand-in for Resolve does what the documents say, and fails what they do not."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.resolve import Item, Misuse, Resolve, World, open_world
from tests.fakes.resolve.documents import DOCUMENTED, Failure
from tests.fakes.resolve.state import frame_of, timecode_of
from tests.plugins.davinci.conftest import MakeMedia, clip_of, put


def project_of(world: World) -> Any:
    return Resolve(world).GetProjectManager().GetCurrentProject()


def timeline_of(world: World) -> Any:
    return project_of(world).GetCurrentTimeline()


def test_a_name_that_is_not_documented_is_a_misuse_even_if_it_is_swallowed() -> None:
    world = open_world()

    with pytest.raises(Misuse):
        Resolve(world).GetCurrentProjekt()
    with pytest.raises(Misuse):
        Resolve(world).Quit("now")

    assert len(world.misuses) == 2


@pytest.mark.parametrize(
    "arguments",
    [(), ("video",), ("video", "1"), ("video", True), (1, 1), ("video", 1, 2)],
    ids=str,
)
def test_wrong_arguments_are_a_misuse(arguments: tuple[Any, ...]) -> None:
    world = open_world()

    with pytest.raises(Misuse):
        timeline_of(world).GetItemListInTrack(*arguments)


def test_methods_newer_than_the_version_are_none_though_hasattr_says_yes() -> None:
    world = open_world(version=(18, 6, 6))
    timeline = timeline_of(world)

    assert timeline.GetMarkInOut is None
    assert hasattr(timeline, "GetMarkInOut")
    assert "GetMarkInOut" not in dir(timeline)
    assert "GetMarkInOut" in dir(timeline_of(open_world(version=(19, 1, 0))))


def test_every_answer_is_a_new_object() -> None:
    world = open_world()

    assert timeline_of(world) != timeline_of(world)
    assert timeline_of(world).GetUniqueId() == timeline_of(world).GetUniqueId()


def test_behind_a_dialog_everything_gives_none() -> None:
    world = open_world()
    timeline = timeline_of(world)
    world.has_dialog = True

    assert timeline.GetStartFrame() is None
    assert Resolve(world).GetVersion() is None


def test_tracks_count_from_one_and_others_give_nothing(media: MakeMedia) -> None:
    world = open_world()
    put(world, clip_of(media(Fraction(24))), count=5)
    timeline = timeline_of(world)

    assert len(timeline.GetItemListInTrack("video", 1)) == 1
    assert timeline.GetItemListInTrack("video", 0) == []
    assert timeline.GetItemListInTrack("video", 2) == []
    assert timeline.GetIsTrackLocked("video", 2) is False


@pytest.mark.parametrize(("version", "end"), [((18, 6, 6), 9), ((19, 0, 0), 10)], ids=str)
def test_append_takes_absolute_frames_and_the_end_of_its_version(
    version: tuple[int, ...], end: int, media: MakeMedia
) -> None:
    world = open_world(version=version)
    pool = project_of(world).GetMediaPool()
    (clip,) = pool.ImportMedia([str(media(Fraction(24)))])

    (item,) = pool.AppendToTimeline(
        [
            {
                "mediaPoolItem": clip,
                "startFrame": 4,
                "endFrame": end,
                "recordFrame": 86410,
                "trackIndex": 1,
                "mediaType": 1,
            }
        ]
    )

    assert (item.GetStart(), item.GetEnd(), item.GetDuration()) == (86410, 86416, 6)
    assert item.GetLeftOffset() == 4


@pytest.mark.parametrize(
    "change",
    [{"recordFrame": 86400.5}, {"trackIndex": 2}, {"recordFrame": 86402}],
    ids=["fraction", "no such track", "overlap"],
)
def test_what_cannot_be_appended_is_dropped_in_silence(
    change: dict[str, Any], media: MakeMedia
) -> None:
    world = open_world()
    put(world, clip_of(media(Fraction(24))), count=5)
    before = world.snapshot()
    pool = project_of(world).GetMediaPool()
    clip = timeline_of(world).GetItemListInTrack("video", 1)[0].GetMediaPoolItem()
    wanted = {
        "mediaPoolItem": clip,
        "startFrame": 0,
        "endFrame": 5,
        "trackIndex": 1,
        "mediaType": 1,
    }

    assert not pool.AppendToTimeline([{**wanted, "recordFrame": 86500, **change}])
    assert world.snapshot() == before


def test_a_locked_track_takes_and_gives_nothing(media: MakeMedia) -> None:
    world = open_world()
    put(world, clip_of(media(Fraction(24))), count=5)
    world.timeline.video[0].is_locked = True
    timeline = timeline_of(world)
    items = timeline.GetItemListInTrack("video", 1)

    assert timeline.DeleteClips(items, False) is False
    assert items[0].AddTake(items[0].GetMediaPoolItem()) is False


def test_clips_leave_the_timeline_on_the_edit_page_only(media: MakeMedia) -> None:
    world = open_world(page="color")
    put(world, clip_of(media(Fraction(24))), count=5)
    timeline = timeline_of(world)
    items = timeline.GetItemListInTrack("video", 1)

    assert timeline.DeleteClips(items, False) is False
    Resolve(world).OpenPage("edit")
    assert timeline.DeleteClips(items, False) is True


@pytest.mark.parametrize(
    ("page", "has_timecode", "has_item"),
    [("edit", True, True), ("fairlight", True, False), ("media", False, False)],
)
def test_what_there_is_to_ask_depends_on_the_page(
    page: str, has_timecode: bool, has_item: bool, media: MakeMedia
) -> None:
    world = open_world(page=page)
    put(world, clip_of(media(Fraction(24))), count=5)

    assert (timeline_of(world).GetCurrentTimecode() is not None) == has_timecode
    assert (timeline_of(world).GetCurrentVideoItem() is not None) == has_item


def test_colours_are_those_of_clips_and_of_markers(media: MakeMedia) -> None:
    world = open_world()
    put(world, clip_of(media(Fraction(24))), count=5)
    (item,) = timeline_of(world).GetItemListInTrack("video", 1)

    assert item.SetClipColor("Orange") is True
    assert item.SetClipColor("Cyan") is False
    assert item.AddMarker(0, "Cyan", "", "", 1) is True
    assert item.AddMarker(0, "Sand", "", "", 1) is False
    assert item.AddMarker(1, "Orange", "", "", 1) is False


def test_the_words_of_a_render_are_in_the_users_language(tmp_path: Path, media: MakeMedia) -> None:
    words: set[str] = set()
    for language in ("en", "de", "ja"):
        world = open_world(language=language)
        put(world, clip_of(media(Fraction(24))), left=3, count=5)
        project = project_of(world)
        project.SetRenderSettings(
            {
                "SelectAllFrames": False,
                "MarkIn": 86401,
                "MarkOut": 86403,
                "TargetDir": str(tmp_path),
                "CustomName": language,
            }
        )
        job = project.AddRenderJob()
        assert project.StartRendering([job], False) is True
        while project.IsRenderingInProgress():
            pass
        words.add(project.GetRenderJobStatus(job)["JobStatus"])
        assert clip_of(tmp_path / f"{language}.mov").frames == 3

    assert len(words) == 3


@pytest.mark.parametrize(
    "settings",
    [
        {"MarkInn": 1},
        {"MarkIn": "1"},
        {"MarkIn": 1.0},
        {"ExportVideo": 1},
        {"UseFullExtents": True},
    ],
    ids=str,
)
def test_render_settings_that_are_not_documented_are_a_misuse(settings: dict[str, Any]) -> None:
    with pytest.raises(Misuse):
        project_of(open_world(version=(20, 3, 1))).SetRenderSettings(settings)


def test_a_render_has_what_is_set_and_what_was_set_before(tmp_path: Path, media: MakeMedia) -> None:
    world = open_world()
    put(world, clip_of(media(Fraction(24))), count=6)
    project = project_of(world)
    project.SetRenderSettings({"FormatWidth": 64, "FormatHeight": 36, "FrameRate": 12.0})
    span = {"SelectAllFrames": False, "MarkIn": 86400, "MarkOut": 86405, "TargetDir": str(tmp_path)}
    project.SetRenderSettings(span)

    job = project.AddRenderJob()
    project.StartRendering([job], False)

    rendered = clip_of(tmp_path / "Untitled.mov")
    assert (rendered.size, rendered.rate, rendered.frames) == ((64, 36), 12, 3)


MISUSES: dict[str, Callable[[Any], Any]] = {
    "kind of track": lambda project: project.GetCurrentTimeline().GetTrackCount("vido"),
    "no folder": lambda project: project.GetMediaPool().SetCurrentFolder("Master"),
    "no clips": lambda project: project.GetMediaPool().DeleteClips(["shot.mp4"]),
    "no items": lambda project: project.GetCurrentTimeline().DeleteClips(
        [project.GetMediaPool().GetRootFolder()], False
    ),
    "no place": lambda project: project.GetMediaPool().AppendToTimeline(
        [{"mediaPoolItem": "shot.mp4", "recordframe": 86400}]
    ),
    "no numbers": lambda project: project.GetMediaPool().ImportMedia([{"FilePath": "a_%04d.png"}]),
    "no path": lambda project: project.GetMediaPool().ImportMedia([7]),
    "nothing to render": lambda project: project.StartRendering(),
    "the user's queue": lambda project: project.StartRendering(False),
    "no timeline": lambda project: project.SetCurrentTimeline(project),
}


@pytest.mark.parametrize("misuse", MISUSES.values(), ids=MISUSES.keys())
def test_what_the_real_one_could_not_use_is_a_misuse(misuse: Callable[[Any], Any]) -> None:
    world = open_world()

    with pytest.raises(Misuse):
        misuse(project_of(world))

    assert len(world.misuses) == 1


def test_a_property_that_clips_do_not_have_is_a_misuse(media: MakeMedia) -> None:
    world = open_world()
    put(world, clip_of(media(Fraction(24))), count=5)
    clip = timeline_of(world).GetItemListInTrack("video", 1)[0].GetMediaPoolItem()

    assert clip.GetClipProperty("Reel Name") == ""
    with pytest.raises(Misuse):
        clip.GetClipProperty("Frame rate")


def test_what_is_deprecated_is_a_misuse_from_then_on() -> None:
    assert timeline_of(open_world(version=(21, 0, 4))).GetSetting("timelineFrameRate") == 24
    with pytest.raises(Misuse):
        timeline_of(open_world(version=(21, 1, 0))).GetSetting("timelineFrameRate")


@pytest.mark.parametrize(
    ("failure", "given"),
    [("none", [None] * 5), ("false", [False] * 5), ("empty", [0, [], "", {}, None])],
)
def test_a_failure_is_none_or_false_or_empty(failure: Failure, given: list[Any]) -> None:
    world = open_world(failure=failure)
    timeline = timeline_of(world)
    world.has_dialog = True

    assert [
        timeline.GetTrackCount("video"),
        timeline.GetItemListInTrack("video", 1),
        timeline.GetName(),
        timeline.GetMarkInOut(),
        timeline.GetCurrentVideoItem(),
    ] == given


def test_the_photo_page_is_there_since_21() -> None:
    assert Resolve(open_world(version=(21, 0, 2))).OpenPage("photo") is True
    assert Resolve(open_world(version=(20, 3, 1))).OpenPage("photo") is False


def test_the_first_take_makes_the_clip_itself_a_take(media: MakeMedia) -> None:
    world = open_world()
    put(world, clip_of(media(Fraction(24))), left=3, count=5)
    before = world.snapshot()
    (item,) = timeline_of(world).GetItemListInTrack("video", 1)

    assert item.GetTakesCount() == 0
    item.AddTake(item.GetMediaPoolItem(), 0, 5)
    assert (item.GetTakesCount(), item.GetSelectedTakeIndex()) == (2, 2)
    item.DeleteTakeByIndex(2)
    item.SelectTakeByIndex(1)
    item.FinalizeTake()

    assert world.snapshot() == before


def test_a_snapshot_sees_every_change(media: MakeMedia) -> None:
    world = open_world()
    item = put(world, clip_of(media(Fraction(24))), count=5)
    assert world.project is not None
    before = world.snapshot()

    item.properties["ZoomX"] = 2.0
    assert world.snapshot() != before
    item.properties["ZoomX"] = 1.0
    assert world.snapshot() == before
    world.project.root.clips[0].third_party["a"] = "b"
    assert world.snapshot() != before


def test_a_title_has_no_media() -> None:
    world = open_world()
    world.timeline.video[0].items.append(Item("Text+", 86400, 24, None))
    (item,) = timeline_of(world).GetItemListInTrack("video", 1)

    assert item.GetMediaPoolItem() is None
    assert item.SetClipColor("Orange") is True
    assert item.GetClipColor() == ""


@pytest.mark.parametrize("nominal", [30, 60])
def test_drop_frame_timecodes_lead_back_to_their_frames(nominal: int) -> None:
    for frame in [0, 1799, 1800, 17981, 17982, 107892, *range(3590, 3610)]:
        timecode = timecode_of(frame, nominal, is_drop_frame=True)
        assert frame_of(timecode, nominal, is_drop_frame=True) == frame


def test_the_documents_are_there_for_every_class() -> None:
    assert len(DOCUMENTED) == 13
    assert sum(len(methods) for methods in DOCUMENTED.values()) > 430
    assert DOCUMENTED["Timeline"]["GetSelectedClips"].since == (21, 0, 4)
