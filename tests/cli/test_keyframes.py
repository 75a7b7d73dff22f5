"""`fresco keyframes` from the outside."""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fresco_cli import pictures
from fresco_media.stills.images import read_image, write_image

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine
from tests.media import makers


def test_shots_and_keyframes_are_listed_without_a_model(
    fresco: Fresco, engine: FakeEngine, clip: Path
) -> None:
    ended = fresco("keyframes", clip)

    assert ended.code == 0
    assert "0 to 11" in ended.stdout
    assert "keyframes of 12 frames" in ended.stdout
    assert engine.loaded == []


def test_the_numbers_of_pictures_are_told_apart_from_those_of_frames(
    fresco: Fresco, tmp_path: Path
) -> None:
    for number in range(7, 12):
        write_image(tmp_path / f"shot_{number:04d}.png", makers.picture_of(20 * number))

    ended = fresco("keyframes", tmp_path)

    assert "0 to 4" in ended.stdout
    assert "frame 0 is the picture numbered 7" in ended.stdout


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


def test_of_more_keyframes_than_a_sheet_can_show_some_are_drawn(
    fresco: Fresco, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_TALLEST_SHEET", 250)
    sheet = tmp_path / "sheet.png"

    ended = fresco("keyframes", clip, "--keyframes", "1:1", "-o", sheet)

    assert ended.code == 0, ended.stderr
    assert "Warning: the sheet shows 6 of 12 keyframes, evenly spread" in ended.stderr
    assert read_image(sheet).shape[0] < 300


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


def test_what_is_to_be_known_of_the_clip_is_said(fresco: Fresco, tmp_path: Path) -> None:
    (tmp_path / "shot_1.exr").write_bytes(makers.exr(np.full((64, 96, 3), 0.2, np.float32)))

    ended = fresco("keyframes", tmp_path / "shot_1.exr")

    assert ended.code == 0
    assert "Warning: the pictures hold linear light" in ended.stderr


def test_a_sheet_shows_pixels_that_are_not_square_as_they_are_meant(
    fresco: Fresco, tmp_path: Path
) -> None:
    for name, size in (("squeezed", (180, 144)), ("square", (360, 144))):
        folder = tmp_path / name
        folder.mkdir()
        path = folder / "f_1.png"
        path.write_bytes(makers.png(np.full((size[1], size[0], 3), 200, np.uint8)))
        if name == "squeezed":
            makers.with_png_chunk(path, b"pHYs", struct.pack(">2IB", 1, 2, 0))
        fresco("keyframes", path, "-o", tmp_path / f"{name}.png")

    squeezed, square = (read_image(tmp_path / f"{name}.png") for name in ("squeezed", "square"))
    assert squeezed.shape == square.shape
