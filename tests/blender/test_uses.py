"""What an editor does with Fresco in the sequencer, from a look to a rerolled keyframe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.blender.blenders import Plugin, blender_of
from tests.blender.numbers import is_negative, numbered, read_number, transparent
from tests.engine.conftest import write_clip
from tests.integration.daemons import DaemonProcess, with_fake_worker

SCENARIOS = [
    "look",
    "look_then_restyle",
    "look_at_a_retimed_strip",
    "look_that_fails",
    "several_strips",
    "copied_scene",
    "folder_that_takes_nothing",
    "markers",
    "mask",
    "transparent",
    "split_behind_a_cover",
    "final_render",
    "unsaved_work",
    "undone_restyle",
    "redo",
    "reroll",
    "wipe",
    "split",
    "frames_beside_another_job",
    "presets",
    "history",
    "obstacles",
    "tooltips",
    "menu",
    "missing_files",
    "words",
    "styles",
    "what_is_selected",
    "keyframes_follow",
    "room_is_given_back",
]


@pytest.fixture(scope="module")
def played(
    version: str, plugin: Plugin, numbered_clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """What all scenarios gave, played in one Blender."""
    folder = tmp_path_factory.mktemp("uses é")
    write_clip(folder / "transparent.mov", [transparent(number) for number in range(20)])
    goes_on = folder / "go"
    goes_on.touch()
    speed = ["--step-s", "0.03", "--frame-s", "0.01"]
    worker = with_fake_worker([*speed, "--frames-after", str(goes_on)])
    daemon = DaemonProcess(folder / "daemon" / "data", worker).start()
    try:
        yield blender_of(version, plugin, folder / "home").play(
            "uses",
            "every",
            daemon.data,
            scenarios=SCENARIOS,
            clip=numbered_clip,
            out=folder / "out",
        )
    finally:
        daemon.stop_whatever()


@pytest.fixture
def found(request: pytest.FixtureRequest, played: dict[str, Any]) -> dict[str, Any]:
    """What the scenario that the test is named after gave."""
    name = request.node.originalname.removeprefix("test_").split("__")[0]
    assert "error" not in played[name], played[name]["error"]
    return played[name]


def test_look__shows_the_frame_under_the_playhead_and_the_next_takes_its_place(
    found: dict[str, Any],
) -> None:
    assert [read_number(path) for path in found["files"]] == [7, 22]
    assert all(is_negative(path) for path in found["files"])
    assert found["left"] == 1


def test_look_then_restyle__makes_what_was_looked_at(found: dict[str, Any]) -> None:
    assert found["seeds"][0] == found["looked"]
    assert found["seeds"][1] != found["looked"]
    assert found["strips"] == 3


def test_look_at_a_retimed_strip__shows_what_the_strip_shows(found: dict[str, Any]) -> None:
    shown, source = read_number(found["files"][0]), read_number(found["source"][0])
    assert shown == source == 36


def test_look_that_fails__says_why(found: dict[str, Any]) -> None:
    assert "use other words" in found["message"]
    assert found["share"] is None


def test_several_strips__become_several_jobs_that_do_not_collide(found: dict[str, Any]) -> None:
    spans = [(one["left"], one["right"]) for one in found["results"]]
    assert spans == [(one["left"], one["right"]) for one in found["sources"]]
    channels = [one["channel"] for one in found["results"]]
    assert len(set(channels)) == 2
    # Each directly above its own source; what lay over the first was lifted.
    assert channels == [one["channel"] + 1 for one in found["sources"]]
    assert found["seeds"][0] == found["seeds"][1]


def test_copied_scene__has_the_result_in_both(found: dict[str, Any]) -> None:
    assert found["is_other"]
    assert found["fault"] == ""
    assert found["strips"] == [["shot", "shot · Fresco"]] * 2
    assert found["left"] == []


def test_folder_that_takes_nothing__is_said_before_anything_is_made(found: dict[str, Any]) -> None:
    assert len(found["said"]) == 2
    assert all("choose another folder" in text for text in found["said"])
    assert found["jobs"] == 0


def test_markers__give_their_words_to_the_frames_after_them(found: dict[str, Any]) -> None:
    expected = {"4": "at night", "13": "at night", "14": "snow", "28": "snow", "29": "", "33": ""}
    assert found["words"] == expected
    assert found["sent"] == {"4": "at night", "14": "snow"}


def test_mask__leaves_the_source_untouched_where_it_is_black(found: dict[str, Any]) -> None:
    picture = np.asarray(Image.open(found["files"][0]).convert("RGB"), dtype=int)
    source = numbered(7).astype(int)
    assert np.abs(picture[:, 84:] - source[:, 84:]).max() <= 3
    assert np.abs(picture[:, :76] - (255 - source[:, :76])).mean() < 20
    assert found["modifiers"] == ["MASK"]
    assert "no mask strip gone" in found["said"]


def test_transparent__shows_what_is_below_while_it_is_worked_on_and_then(
    found: dict[str, Any],
) -> None:
    shown = {
        name: np.asarray(Image.open(path).convert("RGB"), dtype=int)
        for name, (path,) in found["shown"].items()
    }
    for name, index in (("look", 5), ("keyframe", found["key"])):
        picture = np.asarray(Image.open(found["files"][name]))
        assert np.array_equal(picture[..., 3], transparent(index)[..., 3]), name
        alpha = picture[..., 3:] / 255
        wanted = picture[..., :3] * alpha + np.array((0, 255, 0)) * (1 - alpha)
        # Also at its soft edges, where the source would be seen through it.
        assert np.abs(shown[name] - wanted).max() <= 1, name
    for name, picture in shown.items():
        assert np.abs(picture[50, 150] - (0, 255, 0)).max() <= 3, name
        assert np.abs(picture[30, 65] - (255 - numbered(5)[30, 65])).max() <= 3, name
    assert found["covers"] == 0  # one for each keyframe
    assert found["is_as_it_was"]
    assert found["left"] == ["above", "green", "shot"]
    # What lies over it makes room for keyframes and what hides the source, then for the result.
    assert found["channels"] == [2, 3, 5, 4]


def test_split_behind_a_cover__gives_each_half_its_part(found: dict[str, Any]) -> None:
    assert found["parts"] == [[1, 9], [9, 21]]
    assert found["strips"] == [["MOVIE", False]] * 2 + [["MOVIE", True]] * 2


def test_final_render__has_nothing_of_what_is_there_while_one_works(
    found: dict[str, Any],
) -> None:
    before, shown, final = (
        [np.asarray(Image.open(path).convert("RGB"), dtype=int) for path in found[name]]
        for name in ("before", "shown", "final")
    )
    assert found["aids"] == {"wipes": 1, "all": 2}
    assert found["look"] == 63
    for place, wanted in enumerate(before):
        assert np.abs(final[place] - wanted).max() == 0, place
        assert np.abs(shown[place] - wanted).max() > 100, place
    assert found["are_seen_again"]


def test_unsaved_work__is_saved_by_nobody_but_the_user(found: dict[str, Any]) -> None:
    # Saving, even as a copy, would clear Blender's mark of unsaved work.
    assert found == {"saved": [], "result": True}


def test_undone_restyle__lets_the_job_wait_until_it_is_done_again_or_cancelled(
    found: dict[str, Any],
) -> None:
    assert found["undone"] == found["left"] == ["shot"]
    assert "Restyle was undone" in found["note"]
    assert found["fault"] == ""


def test_redo__brings_the_settings_back_and_puts_the_new_result_above(
    found: dict[str, Any],
) -> None:
    assert found["shown"] == ["a negative", True, 0.4, "LOSSLESS", "MUTE"]
    assert found["restored"] == ["something else", "MOVIE"]
    assert found["prompt"] == "a negative, again"
    channels = [found[name]["channel"] for name in ("source", "old", "new")]
    assert channels == sorted(set(channels))
    assert found["new"]["left"] == found["source"]["left"]


def test_reroll__makes_one_keyframe_anew_and_keeps_the_strip(found: dict[str, Any]) -> None:
    assert found["index"] == 14
    assert found["colour"] == "COLOR_02"
    assert "being made anew" in found["obstacle"]
    assert found["name"]
    assert found["alpha"] == 0.5
    assert found["is_other_file"]
    assert found["parent"]
    assert found["words"] == {"14": "a cat"}
    assert found["strips"] == 2
    assert found["lies"]["colour"] == "COLOR_05"
    assert (found["lies"]["left"], found["lies"]["right"]) == (15, 45)


def test_wipe__shows_both_halves_also_of_a_muted_source_and_goes_away_again(
    found: dict[str, Any],
) -> None:
    half = np.asarray(Image.open(found["files"][0]).convert("L"), dtype=int)
    assert half[4, 4] > 128 > half[4, -4]
    assert found["muted"]
    assert (found["on"], found["off"]) == (1, 0)


def test_split__gives_each_half_its_part(found: dict[str, Any]) -> None:
    assert found["parts"] == [[1, 21], [21, 41]]
    assert [read_number(path) for path in found["files"]] == list(range(40))


def test_frames_beside_another_job__are_placed_and_the_other_job_is_followed_on(
    found: dict[str, Any],
) -> None:
    assert found["was_open"]
    assert [read_number(path) for path in found["files"]] == list(range(2, 12))
    assert found["sizes"] == [[160, 96]]
    assert (found["second"]["left"], found["second"]["right"]) == (51, 91)


def test_presets__keep_everything_but_the_seed(found: dict[str, Any]) -> None:
    assert found["values"] == ["oil", "waves", 6, True, 0.3]
    # Blender itself would say "Missing Paths" before there is one.
    assert found["labels"] == [["None is kept yet: name these settings"], []]
    kept = ["script.execute_preset", "fresco.add_preset"]
    assert found["buttons"] == [["fresco.add_preset"], [*kept, "fresco.add_preset"]]


def test_history__gives_settings_and_results_to_another_file(found: dict[str, Any]) -> None:
    assert found["prompt"] == "from before"
    assert found["result"]["left"] == found["source"]["left"] == 51
    assert found["still_there"]


def test_obstacles__say_why_a_button_is_grey(found: dict[str, Any]) -> None:
    assert found == {
        "no strips": "Add a strip to the sequencer first",
        "nothing selected": "Select a strip in the sequencer first",
        "no prompt": "Type a prompt or choose a style first",
        "style only": "",
        "locked": "The strip is locked; unlock it first",
        "locked channel": "The strip's channel, Channel 1, is locked; unlock it first",
        "muted channel": "The strip's channel, Channel 1, is muted; unmute it first",
        "playhead": "Put the playhead onto the selected strip first",
        "no result": "Select a result of Fresco first",
        "missing file": "The strip's file is missing; relink it first",
    }


def test_tooltips__are_on_everything(found: dict[str, Any]) -> None:
    assert found["silent"] == []


def test_menu__lets_the_search_find_all_that_is_not_a_button_of_one_job(
    found: dict[str, Any],
) -> None:
    assert found["entries"] == found["wanted"]
    assert all(found["labels"])
    assert found["added"] == [True] * 3


def test_missing_files__are_none_in_a_project_that_was_moved_and_results_are_found_again(
    found: dict[str, Any],
) -> None:
    assert found["kinds"] == ["keyframe", "look", "result", "source"]
    assert found["moved"] == []
    assert found["lost"] == [False, False]
    assert found["reported"] == 42  # a film, forty pictures and a look
    assert found["found"] == [True, True]
    assert found["left"] == []


def test_words__are_not_looked_up_in_blenders_own(found: dict[str, Any]) -> None:
    assert found["looked_up"] == []


def test_styles__are_known_with_their_pictures_before_any_daemon_is(found: dict[str, Any]) -> None:
    assert "watercolour" in found["known"]
    assert found["pictures"] == found["known"]
    assert found["chosen"] == found["known"][1]


def test_what_is_selected__is_only_what_the_sequencer_shows(found: dict[str, Any]) -> None:
    # Of a keyframe that is chosen, what it lies over is meant.
    assert found == {"closed": ["meta"], "opened": ["two"], "below": ["beside"]}


def test_keyframes_follow__a_source_that_is_moved_while_its_job_runs(
    found: dict[str, Any],
) -> None:
    assert found["moved"] == [[start + 100, stop + 100] for start, stop in found["before"]]
    assert found["before"][0][0] == 1
    assert found["before"][-1][1] == 41
    # It made room as long as something was to lie below it.
    assert found["channels"] == [3, 2]
    assert found["left"] == ["shot", "title"]
    assert found["notes"] == []


def test_room_is_given_back__when_a_job_is_cancelled_and_not_taken_from_what_is_locked(
    found: dict[str, Any],
) -> None:
    assert found["lifted"] == [3, 4]
    assert found["lowered"] == [2, 3]
    assert "no room above the strip" in found["said"]
    assert found["begun"] == 0
