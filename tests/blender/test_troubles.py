"""Whatever goes wrong is said in a sentence, and nothing that was waited for is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from fresco_client import JobState

from tests.blender.blenders import Blender, Playing, Plugin, blender_of
from tests.blender.numbers import write_numbered
from tests.fakes.daemon import TOKEN, Facts, FakeDaemon
from tests.integration.conftest import StartDaemon
from tests.integration.daemons import DaemonProcess, wait_for, with_fake_worker
from tests.integration.test_full_disk import _fill, small_disk

__all__ = ["small_disk"]


def _is_in_sync(found: dict[str, Any]) -> bool:
    source, result = found["source"], found["result"]
    return (source["left"], source["right"]) == (result["left"], result["right"])


def test_without_a_daemon_it_says_what_to_do_and_the_job_stays(
    blender: Blender, numbered_clip: Path, tmp_path: Path
) -> None:
    found = blender.play("troubles", "missing_daemon", tmp_path / "none", clip=numbered_clip)

    assert found["connect"] == {"message": "No Fresco daemon runs. Start one.", "remedy": "START"}
    assert "/nowhere/fresco" in found["send"]["message"]
    assert found["send"]["remedy"] == "START"
    assert found["is_open"]


def test_a_job_that_could_not_be_sent_goes_off_when_the_daemon_is_there(
    blender: Blender, start_daemon: StartDaemon, numbered_clip: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    data = tmp_path / "daemon" / "data"
    playing = blender.begin("troubles", "late_daemon", data, clip=numbered_clip, go=go)
    wait_for("the sentence", (tmp_path / "go.asked").exists)

    start_daemon(**with_fake_worker())
    go.touch()
    found = playing.result()

    assert found["said"]["remedy"] == "START"
    assert found["result"]["right"] - found["result"]["left"] == 40


def test_one_click_starts_the_daemon(blender: Blender, numbered_clip: Path, tmp_path: Path) -> None:
    data = tmp_path / "data é"
    program = f'"{sys.executable}" -m fresco_cli'

    try:
        found = blender.play(
            "troubles", "started_daemon", data, clip=numbered_clip, program=program
        )
    finally:
        announced = json.loads((data / "daemon.json").read_text("utf-8"))
        daemon = psutil.Process(announced["process_id"])
        daemon.terminate()
        psutil.wait_procs([daemon], timeout=20)

    assert found["before"]["remedy"] == "START"
    assert "starting" in found["states"]
    assert found["models"]


def test_a_killed_daemon_is_waited_for_and_nothing_is_made_twice(
    blender: Blender, slow_daemon: DaemonProcess, numbered_clip: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    playing = blender.begin(
        "troubles", "killed_daemon", slow_daemon.data, clip=numbered_clip, mark=mark
    )
    playing.wait_for("keyframes", mark)

    slow_daemon.kill()
    (slow_daemon.data / "daemon.json").unlink()  # else the plugin starts it itself
    slow_daemon.start()
    found = playing.result()

    assert found["lost"] == "reconnecting"
    assert found["ready"] >= 2
    assert found["planned"] >= 1
    assert found["strips"] == 2
    assert _is_in_sync(found)


@pytest.mark.parametrize(
    ("api", "remedy"),
    [((0, 9), "Update Fresco"), ((2, 0), "Update this program")],
    ids=["old", "new"],
)
def test_a_daemon_of_another_version_is_named(
    api: tuple[int, int], remedy: str, blender: Blender, numbered_clip: Path, tmp_path: Path
) -> None:
    daemon = FakeDaemon(Facts(api=api))
    try:
        found = blender.play(
            "troubles",
            "remote",
            tmp_path / "none",
            clip=numbered_clip,
            address=daemon.address,
            token=TOKEN,
        )
    finally:
        daemon.stop()

    assert f"version {api[0]}.{api[1]} of the contract" in found["connect"]["message"]
    assert remedy in found["connect"]["message"]
    assert found["connect"]["remedy"] == found["send"]["remedy"] == "RECONNECT"


def test_a_wrong_token_is_named_and_the_right_one_lets_in(
    blender: Blender, daemon: DaemonProcess, numbered_clip: Path, tmp_path: Path
) -> None:
    address, token = daemon.announced["address"], daemon.announced["token"]
    none = tmp_path / "none"

    refused = blender.play(
        "troubles", "remote", none, clip=numbered_clip, address=address, token="wrong"
    )
    let_in = blender.play(
        "troubles", "remote", none, clip=numbered_clip, address=address, token=token
    )

    assert "does not accept this token" in refused["connect"]["message"]
    assert refused["connect"]["remedy"] == refused["send"]["remedy"] == "PREFERENCES"
    assert let_in["result"]["right"] - let_in["result"]["left"] == 40


def test_a_full_disk_at_the_daemon_is_said_and_resume_goes_on(
    blender: Blender, small_disk: Path, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    clip = write_numbered(tmp_path / "long.mp4", 120)
    worker = with_fake_worker(["--frame-s", "0.05", "--step-s", "0.05"])
    daemon = start_daemon("small", **worker, limits={"keep_free_bytes": 0})
    mark, go = tmp_path / "mark", tmp_path / "go"
    playing = blender.begin("troubles", "failing_job", daemon.data, clip=clip, mark=mark, go=go)
    playing.wait_for("keyframes", mark)

    filler = _fill(small_disk)
    playing.wait_for("the sentence", tmp_path / "mark.said")
    filler.unlink()
    go.touch()
    found = playing.result()

    assert "free some room" in found["said"]["message"]
    assert found["said"]["remedy"] == "RESUME"
    assert found["keys"] > 0
    assert found["result"]["right"] - found["result"]["left"] == 120


def test_a_full_disk_here_is_said_and_the_result_is_fetched_when_there_is_room(
    blender: Blender, daemon: DaemonProcess, numbered_clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    if _mount(folder) != 0:
        pytest.skip("file systems cannot be mounted here")
    try:
        filler = _fill(folder)
        # Room for what is tried before the work, and for no result.
        os.truncate(filler, filler.stat().st_size - 8192)
        mark, go = tmp_path / "mark", tmp_path / "go"
        playing = blender.begin(
            "troubles",
            "full_own_disk",
            daemon.data,
            clip=numbered_clip,
            folder=folder,
            mark=mark,
            go=go,
        )
        playing.wait_for("the sentence", mark)
        filler.unlink()
        go.touch()
        found = playing.result()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)

    assert "free space" in found["said"]["message"]
    assert found["said"]["remedy"] == "FOLLOW"
    assert found["result"]["right"] - found["result"]["left"] == 40


def _mount(folder: Path) -> int:
    with suppress(OSError):
        command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode
    return 1


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """One slow daemon for all that do not harm it."""
    folder = tmp_path_factory.mktemp("slow") / "daemon" / "data"
    worker = with_fake_worker(["--step-s", "0.08", "--frame-s", "0.02"])
    daemon = DaemonProcess(folder, worker).start()
    yield daemon
    daemon.stop_whatever()


def test_a_strip_that_was_deleted_is_said_and_its_result_can_be_placed_elsewhere(
    blender: Blender, slow: DaemonProcess, numbered_clip: Path
) -> None:
    found = blender.play("troubles", "deleted_strip", slow.data, clip=numbered_clip)

    assert "no longer on the timeline" in found["said"]["message"]
    assert found["said"]["remedy"] == "PLACE"
    assert found["file"]
    assert found["before"] == []
    assert _is_in_sync(found)


def test_a_scene_that_was_deleted_is_said_and_its_result_is_kept(
    blender: Blender, slow: DaemonProcess, numbered_clip: Path
) -> None:
    found = blender.play("troubles", "deleted_scene", slow.data, clip=numbered_clip)

    assert found["said"]["remedy"] == "PLACE"
    assert found["file"]


def test_a_file_that_is_closed_finds_its_job_again_and_has_its_result_once(
    blender: Blender, slow: DaemonProcess, numbered_clip: Path, tmp_path: Path
) -> None:
    found = blender.play(
        "troubles", "closed_file", slow.data, clip=numbered_clip, blend=tmp_path / "file é.blend"
    )

    assert found["cards_elsewhere"] == sum(found["elsewhere"]) == 0
    assert found["same"]
    assert len(found["at_last"]) == 2
    assert found["cards_at_last"] == 0


def test_a_killed_blender_loses_nothing(
    blender: Blender, slow: DaemonProcess, numbered_clip: Path, tmp_path: Path
) -> None:
    blend = tmp_path / "killed.blend"
    killed = blender.begin("troubles", "left_alone", slow.data, clip=numbered_clip, blend=blend)
    killed.process.communicate(timeout=120)
    assert killed.process.returncode < 0

    found = blender.play("troubles", "taken_up", slow.data, blend=blend)

    assert found["result"]["right"] - found["result"]["left"] == 40
    assert found["keys"] == 0
    assert found["strips"] == 2


def test_two_blenders_share_a_daemon_without_getting_into_each_others_way(
    version: str, plugin: Plugin, slow: DaemonProcess, numbered_clip: Path, tmp_path: Path
) -> None:
    marks = (tmp_path / "one", tmp_path / "two")
    playing = [
        blender_of(version, plugin, tmp_path / f"home {mine.name}").begin(
            "troubles", "beside_another", slow.data, clip=numbered_clip, mark=mine, other=other
        )
        for mine, other in (marks, marks[::-1])
    ]

    found = [one.result() for one in playing]

    assert found[0]["job"] != found[1]["job"]
    assert [one["cards"] for one in found] == [1, 1]
    assert {(one["result"]["left"], one["result"]["right"]) for one in found} == {(1, 41)}


def test_disabling_the_add_on_leaves_nothing_behind_and_enabling_it_takes_the_job_up(
    blender: Blender, slow: DaemonProcess, numbered_clip: Path, tmp_path: Path
) -> None:
    found = blender.play(
        "troubles", "switched_off_and_on", slow.data, clip=numbered_clip, blend=tmp_path / "a.blend"
    )

    assert found["is_clean"]
    assert set(found["handlers"]) == {1}
    assert found["same"]
    assert found["result"]["right"] - found["result"]["left"] == 40


def _background_blenders(playing: Playing) -> int:
    """How many render a strip for the one that plays."""
    count = 0
    # Not theirs: what begins another program looks like them until it is one.
    for process in psutil.Process(playing.process.pid).children():
        with suppress(psutil.Error):  # it has ended
            is_alive = process.status() != psutil.STATUS_ZOMBIE
            count += is_alive and any("render_strip" in part for part in process.cmdline())
    return count


def test_no_more_blenders_render_than_there_are_cores_and_cancel_all_ends_them(
    blender: Blender, slow: DaemonProcess, numbered_clip: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    playing = blender.begin("troubles", "many_renders", slow.data, clip=numbered_clip, go=go)

    def two() -> int:
        count = _background_blenders(playing)
        return count if count >= 2 else 0

    seen = {wait_for("two Blenders", two)}
    for _ in range(20):
        seen.add(_background_blenders(playing))
        time.sleep(0.05)
    go.touch()
    found = playing.result()

    assert max(seen) == 2  # one core is left to looks
    assert found["phases"] == ["rendering"] * 5
    assert found["strips"] == ["MOVIE"] * 5
    assert found["marks"] == []
    with slow.session() as session:  # which has those that were rendered by then
        states = {job.state for job in session.jobs() if job.id in found["jobs"]}
    assert states <= {JobState.CANCELLED}


def test_pause_resume_and_cancel_leave_the_timeline_as_it_was(
    blender: Blender, slow: DaemonProcess, numbered_clip: Path
) -> None:
    found = blender.play("troubles", "cancelled", slow.data, clip=numbered_clip)

    assert found == {"strips": ["shot"], "marks": [], "open": 0}
