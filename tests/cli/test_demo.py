"""`fresco demo` from the outside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fresco_media.clip import Clip
from fresco_media.stills.images import read_image

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine


def test_the_demo_writes_everything_there_is_to_look_at(fresco: Fresco, tmp_path: Path) -> None:
    folder = tmp_path / "some where" / "demo"

    ended = fresco("demo", "-o", folder)

    assert ended.code == 0
    assert Clip.open(folder / "restyled.mp4").info.frame_count == 12
    assert (folder / "keyframes" / "000000.png").exists()
    assert read_image(folder / "contact-sheet.png").ndim == 3
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["model"] == "negative"
    for name in ("restyled.mp4", "keyframes", "contact-sheet.png", "report.json"):
        assert str(folder / name) in ended.stdout


def test_a_second_demo_replaces_the_first(fresco: Fresco, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    fresco("demo", "-o", folder)
    saved = folder / "keyframes" / "000000.png"
    shutil.copy(saved, saved.with_name("000500.png"))

    ended = fresco("demo", "-o", folder, "--prompt", "ink")

    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert ended.code == 0
    assert report["settings"]["prompt"] == "ink"
    assert not saved.with_name("000500.png").exists()


def test_a_demo_keeps_pictures_of_others(fresco: Fresco, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    fresco("demo", "-o", folder)
    foreign = folder / "keyframes" / "000500.png"
    foreign.write_bytes(b"of another clip")

    ended = fresco("demo", "-o", folder)

    assert ended.code == 2
    assert "no job has saved this picture" in ended.stderr
    assert foreign.read_bytes() == b"of another clip"


def test_the_demo_takes_a_style_in_place_of_its_prompt(
    fresco: Fresco, engine: FakeEngine, tmp_path: Path
) -> None:
    ended = fresco("demo", "-o", tmp_path / "demo", "--style", "comic")

    assert ended.code == 0
    assert "Restyling the sample clip as: comic" in ended.stderr
    assert (engine.settings[-1].prompt, engine.settings[-1].style) == ("", "comic")


def test_the_demo_goes_into_the_working_folder_by_default(
    fresco: Fresco, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    fresco("demo", "--quiet", "--range", "2:9")

    assert Clip.open(tmp_path / "fresco-demo" / "restyled.mp4").info.frame_count == 7


def test_a_folder_that_cannot_be_made_is_named(fresco: Fresco, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    ended = fresco("demo", "-o", tmp_path / "file" / "demo")

    assert ended.code == 2
    assert "a folder above it is a file; name a folder" in ended.stderr
