"""Results lie frame for frame on their sources: every frame of both carries its number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.blender.blenders import Blender, Plugin, blender_of
from tests.blender.numbers import is_negative, numbered, read_number
from tests.integration.daemons import DaemonProcess, with_fake_worker

# The scenario, whether the strip had to be rendered, and how many frames are seen.
CASES = {
    "plain": (False, {40}),
    "trimmed_and_offset": (False, {14}),
    "trimmed_for_good": (False, {29}),
    "moved_while_it_was_made": (False, {16}),
    "retimed": (True, {20, 21}),  # versions differ in the last frame
    "under_speed_effect": (True, {40}),
    "reversed_frames": (True, {40}),
    "at_24_in_30": (True, {50}),
    "meta": (True, {19}),
    "graded": (True, {40}),
    "as_frames": (False, {15}),
    "with_handles": (False, {11}),
}


@pytest.fixture(scope="module")
def played(
    version: str, plugin: Plugin, numbered_clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """What all scenarios gave, played in one Blender."""
    folder = tmp_path_factory.mktemp("sync é")
    daemon = DaemonProcess(folder / "daemon" / "data", with_fake_worker()).start()
    try:
        blender = blender_of(version, plugin, folder / "home")
        out = folder / "out"
        yield blender.play(
            "sync", "every", daemon.data, scenarios=list(CASES), clip=numbered_clip, out=out
        )
    finally:
        daemon.stop_whatever()


@pytest.mark.parametrize("scenario", CASES)
def test_every_frame_of_the_result_is_that_of_the_source_below(
    scenario: str, played: dict[str, Any]
) -> None:
    found = played[scenario]
    was_rendered, counts = CASES[scenario]

    assert "error" not in found, found["error"]
    source = [read_number(path) for path in found["source_files"]]
    result = [read_number(path) for path in found["result_files"]]
    assert result == source
    assert len(source) in counts
    assert len(set(source)) > 10
    assert all(is_negative(path) for path in found["result_files"])
    assert not any(is_negative(path) for path in found["source_files"])
    assert found["was_rendered"] is was_rendered
    assert found["result"]["channel"] > found["source"]["channel"]
    assert {found["result"][side] - found["source"][side] for side in ("left", "right")} == {0}
    assert found.get("keys_left", 0) == 0
    if "longer_source" in found:
        longer = [read_number(path) for path in found["longer_source"]]
        assert [read_number(path) for path in found["longer_result"]] == longer
        assert len(longer) == 19


def test_a_sequence_that_begins_at_any_number_is_restyled_in_sync(
    blender: Blender, daemon: DaemonProcess, tmp_path: Path
) -> None:
    first = _write_pictures(tmp_path / "pictures é")

    found = blender.play("sync", "sequence", daemon.data, first=first, out=tmp_path / "out")

    source = [read_number(path) for path in found["source_files"]]
    assert source == list(range(4, 19))
    assert [read_number(path) for path in found["result_files"]] == source
    assert not found["was_rendered"]


def _write_pictures(folder: Path) -> Path:
    """Thirty numbered pictures; the first, whose number is 87."""
    folder.mkdir()
    for number in range(30):
        Image.fromarray(numbered(number)).save(folder / f"shot_{number + 87:04d}.png")
    return folder / "shot_0087.png"


def test_strips_that_are_rendered_go_to_a_daemon_on_another_machine_too(
    blender: Blender, daemon: DaemonProcess, numbered_clip: Path, tmp_path: Path
) -> None:
    found = blender.play(
        "sync",
        "at_another_machine",
        tmp_path / "none",
        first=_write_pictures(tmp_path / "pictures é"),
        clip=numbered_clip,
        address=daemon.announced["address"],
        token=daemon.announced["token"],
        out=tmp_path / "out",
    )

    assert found["pictures"]["was_rendered"]
    assert found["movie"]["was_rendered"]
    for kind, numbers in (("pictures", range(4, 19)), ("movie", range(35, 20, -1))):
        source = [read_number(path) for path in found[kind]["source_files"]]
        assert source == list(numbers)
        assert [read_number(path) for path in found[kind]["result_files"]] == source
    assert [read_number(path) for path in found["look"]] == [30]
