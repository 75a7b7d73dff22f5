"""The classic add-on in the installed Blender's real window on a virtual screen.

Skipped where Blender, Xvfb, xdotool or ImageMagick are not installed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.blender.blenders import Plugin
from tests.blender.numbers import is_negative, read_number, write_numbered
from tests.blender.windows import what_is_missing, window
from tests.integration.conftest import StartDaemon
from tests.integration.daemons import with_fake_worker

pytestmark = pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing())


def test_undo_redo_and_quitting_in_a_window_while_jobs_run(
    plugin: Plugin, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    clip = write_numbered(tmp_path / "clip.mp4", 60)
    frames_mark = tmp_path / "frames"
    slowly = ["--step-s", "0.1", "--frame-s", "0.05", "--frames-after", str(frames_mark)]
    daemon = start_daemon(**with_fake_worker(slowly))

    with window(plugin, tmp_path / "home") as blender:
        found = blender.play(
            "shows",
            "use",
            daemon.data,
            clip=clip,
            quit_mark=tmp_path / "quit",
            frames_mark=frames_mark,
            is_noisy=True,
        )

    assert found["tab_was_drawn"]
    assert len(found["keys"]) == 13
    assert "shot" in found["after_undo"]
    assert sorted(strip["name"] for strip in found["done"]) == ["shot", "shot · Fresco"]
    assert found["undone"] == ["shot"]
    assert found["said"] == "PLACE"
    assert sorted(found["redone"]) == ["shot", "shot · Fresco"]
    with daemon.session() as session:
        states = {job.state.value for job in session.jobs()}
    assert "failed" not in states
    assert "cancelled" not in states


def test_unsaved_work_stays_unsaved_and_undo_of_restyle_lets_the_job_wait(
    plugin: Plugin, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    clip = write_numbered(tmp_path / "clip.mp4", 20)
    frames_mark = tmp_path / "frames"
    slowly = ["--step-s", "0.05", "--frames-after", str(frames_mark)]
    daemon = start_daemon(**with_fake_worker(slowly))

    with window(plugin, tmp_path / "home") as blender:
        found = blender.play(
            "kept",
            "work",
            daemon.data,
            clip=clip,
            blend=tmp_path / "own.blend",
            out=tmp_path / "out",
            frames_mark=frames_mark,
        )

    assert found["searched"] == "FRESCO_OT_look"  # by F3
    assert found["marks"] == [True, True, True]
    assert found["path"] == "//clip.mp4"
    assert sorted(found["undone"]) == ["graded", "shot"]
    assert "Redo goes on" in found["note"]
    assert found["buttons"] == [False, False]
    assert found["withdrawn_fault"] == found["fault"] == ""
    assert sorted(found["strips"]) == ["graded", "shot", "shot · Fresco"]
    # Keyframes lay above the strip in the second.
    assert not found["hidden"]
    before, during = (
        [read_number(path) for path in sorted((tmp_path / "out" / name).glob("*.png"))]
        for name in ("before", "during")
    )
    assert before == during == [2, 3]
    assert not any(is_negative(path) for path in (tmp_path / "out" / "during").glob("*.png"))


def test_from_the_two_steps_of_the_readme_to_the_first_restyled_strip_nothing_fails(
    plugin: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "fresh home"
    home.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "FRESCO_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FRESCO_PATIENCE_S", "400")  # the model is loaded, and the machine busy
    command = [sys.executable, "-m", "fresco_cli", "install-plugin", "blender"]
    installed = subprocess.run(command, capture_output=True, text=True, check=True)
    clip = write_numbered(tmp_path / "clip.mp4", 6)

    try:
        with window(None, home) as blender:
            found = blender.begin(
                "fresh", "first_strip", None, clip=clip, out=tmp_path / "out", size=64
            ).result(500)
    finally:
        subprocess.run([sys.executable, "-m", "fresco_cli", "stop"], check=False)

    assert "installed in" in installed.stdout
    assert found["said"] == ["", "", ""]
    assert found["pictures"] == found["styles"] > 10
    assert [name for name in found["strips"] if "Fresco" in name] == ["shot · Fresco"]
