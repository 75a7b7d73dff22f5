"""`fresco keyframes` from the outside."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from fresco_media.images import read_image

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine


def test_shots_and_keyframes_are_listed_without_a_model(
    fresco: Fresco, engine: FakeEngine, clip: Path
) -> None:
    ended = fresco("keyframes", clip)

    assert ended.code == 0
    assert "0 to 11" in ended.stdout
    assert "keyframes of 12 frames" in ended.stdout
    assert engine.loaded == []


def test_json_holds_the_plan(fresco: Fresco, clip: Path) -> None:
    ended = fresco("keyframes", clip, "--keyframes", "3:6", "--range", "2:10", "--json")

    plan = json.loads(ended.stdout)
    gaps = [after - before for before, after in pairwise(plan["keyframes"])]
    assert (plan["start"], plan["stop"]) == (2, 10)
    assert plan["keyframes"][0] == 2
    assert plan["keyframes"][-1] == 9
    assert all(3 <= gap <= 6 for gap in gaps)


def test_keyframes_are_drawn_on_a_sheet(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"

    ended = fresco("keyframes", clip, "--keyframes", "1:1", "-o", sheet)

    assert ended.code == 0
    height, width = read_image(sheet).shape[:2]
    assert width > 6 * 300
    assert height > 2 * 200


def test_a_sheet_that_exists_is_kept(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(b"mine")

    ended = fresco("keyframes", clip, "-o", sheet)

    assert ended.code == 2
    assert "it exists already" in ended.stderr
    assert sheet.read_bytes() == b"mine"


def test_a_missing_clip_ends_with_code_2(fresco: Fresco, tmp_path: Path) -> None:
    ended = fresco("keyframes", tmp_path / "no.mp4", "--json")

    assert ended.code == 2
    assert json.loads(ended.stdout)["kind"] == "ClipNotFound"
