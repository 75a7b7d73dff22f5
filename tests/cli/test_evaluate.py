"""`fresco evaluate` from the outside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from fresco_media.stills.images import read_image, write_image

from tests.cli.conftest import Fresco
from tests.engine.conftest import scene, write_clip
from tests.engine.evaluation.conftest import texture
from tests.fakes.tiny_models import write_clip_model


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Ten frames of a pan with a square that moves on its own."""
    return write_clip(tmp_path / "source.mp4", scene(10))


@pytest.fixture
def nothing_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has never fetched a network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def glued(tmp_path: Path) -> Path:
    """A result that shows one and the same picture in every frame."""
    return write_clip(tmp_path / "glued.mp4", [texture(64, 80)] * 10)


def test_the_table_has_the_source_and_every_result(
    fresco: Fresco, source: Path, glued: Path
) -> None:
    ended = fresco("evaluate", source, glued, "--source", source)

    heading, *lines = ended.stdout.splitlines()
    rows = {cells[0]: cells[1:] for cells in (re.split(r"\s{2,}", line) for line in lines)}
    assert ended.code == 0
    assert re.split(r"\s{2,}", heading.strip()) == ["source", "source (2)", "glued"]
    assert rows["sticking"][2] == "1.000"
    assert float(rows["sticking"][0]) < 0.5


def test_json_has_every_figure_and_says_what_is_left_out(
    fresco: Fresco, source: Path, glued: Path
) -> None:
    ended = fresco("evaluate", glued, "--source", source, "--json", "--quiet")

    found = json.loads(ended.stdout)
    (result,) = found["results"]
    assert result["path"] == str(glued)
    assert result["sticking"] == 1
    assert result["in_place"] == 0
    assert result["flicker_at_keyframes"] is None
    assert found["source"]["pixel_mse"] < result["pixel_mse"]
    assert found["size"] == [80, 64]
    assert any("--keyframes" in note for note in found["notes"])


def test_a_result_of_a_range_is_held_against_that_range(
    fresco: Fresco, source: Path, tmp_path: Path
) -> None:
    part = write_clip(tmp_path / "part.mp4", scene(10)[4:9])

    ended = fresco("evaluate", part, "--source", source, "--range", "4:9", "--json")

    (result,) = json.loads(ended.stdout)["results"]
    assert result["frame_count"] == 5
    assert result["spatial_consistency"] == pytest.approx(0, abs=1e-6)


def test_a_result_with_another_number_of_frames_is_refused(
    fresco: Fresco, source: Path, tmp_path: Path
) -> None:
    part = write_clip(tmp_path / "part.mp4", scene(7))

    ended = fresco("evaluate", part, "--source", source)

    assert ended.code == 2
    assert "it has 7 frames, but the source has 10; name the range" in ended.stderr


def test_a_result_of_another_shape_is_refused(fresco: Fresco, source: Path, tmp_path: Path) -> None:
    wide = write_clip(tmp_path / "wide.mp4", scene(10, size=(128, 64)))

    ended = fresco("evaluate", wide, "--source", source)

    assert ended.code == 2
    assert "its pictures are 128x64 and those of the source 80x64" in ended.stderr


def test_a_smaller_result_is_measured_at_its_size(
    fresco: Fresco, source: Path, tmp_path: Path
) -> None:
    small = write_clip(tmp_path / "small.mp4", [one[::2, ::2] for one in scene(10)])

    ended = fresco("evaluate", small, "--source", source, "--json")

    assert json.loads(ended.stdout)["size"] == [40, 32]


def test_sharpness_has_an_inside_where_a_mask_is_given(
    fresco: Fresco, source: Path, tmp_path: Path
) -> None:
    mask = np.zeros((64, 80, 3), np.uint8)
    mask[:, :40] = 255
    write_image(tmp_path / "mask.png", mask)
    soft = [one.copy() for one in scene(10)]
    for one in soft:
        one[:, 40:] = one[:, 40:].mean(axis=(0, 1))
    result = write_clip(tmp_path / "soft.mp4", soft)

    ended = fresco(
        "evaluate", result, "--source", source, "--mask", tmp_path / "mask.png", "--json"
    )

    (found,) = json.loads(ended.stdout)["results"]
    assert found["sharpness_inside"] > 0.9
    assert found["sharpness_outside"] < 0.3


def test_sharpness_is_held_against_a_result_made_frame_by_frame(
    fresco: Fresco, source: Path, tmp_path: Path
) -> None:
    soft = write_clip(tmp_path / "soft.mp4", [one // 2 for one in scene(10)])

    ended = fresco("evaluate", soft, "--source", source, "--frame-by-frame", source, "--json")

    result, reference = json.loads(ended.stdout)["results"]
    assert result["sharpness_to_reference"] == pytest.approx(0.25, abs=0.03)
    assert reference["sharpness_to_reference"] == 1


@pytest.mark.parametrize("given", ["0,4,9", "report", "folder"])
def test_flicker_is_measured_at_keyframes_however_they_are_told(
    fresco: Fresco, source: Path, tmp_path: Path, given: str
) -> None:
    if given == "report":
        report = {
            "keyframes": [0, 4, 9],
            "shots": [[0, 10]],
            "settings": {"batch_size": 8},
        }
        (tmp_path / "report.json").write_text(json.dumps(report))
        given = str(tmp_path / "report.json")
    elif given == "folder":
        (tmp_path / "keys").mkdir()
        for index in (0, 4, 9):
            write_image(tmp_path / "keys" / f"{index:06d}.png", texture())
        given = str(tmp_path / "keys")
    pictures = scene(10)
    pictures[4] = np.clip(pictures[4].astype(int) + 40, 0, 255).astype(np.uint8)
    result = write_clip(tmp_path / "flickers.mp4", pictures)

    ended = fresco("evaluate", result, "--source", source, "--keyframes", given, "--json")

    (found,) = json.loads(ended.stdout)["results"]
    assert found["flicker_at_keyframes"] > 1.5


def test_saved_keyframes_of_a_sequence_are_known_by_the_numbers_of_its_pictures(
    fresco: Fresco, tmp_path: Path
) -> None:
    shot, keys = tmp_path / "shot", tmp_path / "keys"
    shot.mkdir()
    keys.mkdir()
    for index, picture in enumerate(scene(10)):
        write_image(shot / f"s_{index + 3:04d}.png", picture)
    for index in (0, 4, 9):
        write_image(keys / f"{index + 3:06d}.png", texture())
    pictures = scene(10)
    pictures[4] = np.clip(pictures[4].astype(int) + 40, 0, 255).astype(np.uint8)
    result = write_clip(tmp_path / "flickers.mp4", pictures)

    ended = fresco("evaluate", result, "--source", shot, "--keyframes", keys, "--json")

    (found,) = json.loads(ended.stdout)["results"]
    assert found["flicker_at_keyframes"] > 1.5


def test_keyframes_that_the_clips_do_not_have_are_refused(fresco: Fresco, source: Path) -> None:
    ended = fresco("evaluate", source, "--source", source, "--keyframes", "0,10")

    assert ended.code == 2
    assert "keyframes: 10 is not among the frames compared, 0 to 9" in ended.stderr


def test_what_is_no_report_is_refused(fresco: Fresco, source: Path, tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)

    for report in (source, tmp_path / "deep.json"):
        ended = fresco("evaluate", source, "--source", source, "--keyframes", report)

        assert ended.code == 2
        assert "is not the report of a run" in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no such device")
def test_a_report_without_an_end_is_refused_instead_of_read(fresco: Fresco, source: Path) -> None:
    ended = fresco("evaluate", source, "--source", source, "--keyframes", "/dev/full")

    assert ended.code == 2
    assert "/dev/full cannot be read (it is a device" in ended.stderr


def test_what_needs_a_network_that_is_not_at_hand_is_left_out_with_a_sentence(
    fresco: Fresco, source: Path, nothing_cached: None
) -> None:
    ended = fresco("evaluate", source, "--source", source, "-p", "ink", "--json")

    found = json.loads(ended.stdout)
    (result,) = found["results"]
    assert result["temporal_consistency"] is None
    assert result["frame_accuracy"] is None
    assert any("no CLIP model is at hand; --clip names one" in note for note in found["notes"])
    assert "Spat-Con is measured by fixed features." in found["notes"]


def test_a_clip_model_scores_every_frame(fresco: Fresco, source: Path, tmp_path: Path) -> None:
    model = write_clip_model(tmp_path / "model")
    words = ("--prompt", "a blue o", "--source-prompt", "o")

    ended = fresco("evaluate", source, "--source", source, "--clip", model, *words, "--json")

    (result,) = json.loads(ended.stdout)["results"]
    assert 0.5 < result["temporal_consistency"] <= 1
    assert 0 <= result["frame_accuracy"] <= 1


def test_without_the_words_for_it_frame_accuracy_is_left_out(
    fresco: Fresco, source: Path, tmp_path: Path
) -> None:
    model = write_clip_model(tmp_path / "model")

    ended = fresco("evaluate", source, "--source", source, "--clip", model, "-p", "ink")

    assert "Tem-Con" in ended.stdout
    assert "it needs both --prompt and --source-prompt" in ended.stdout


def test_a_folder_without_a_clip_model_is_refused(
    fresco: Fresco, source: Path, tmp_path: Path
) -> None:
    ended = fresco("evaluate", source, "--source", source, "--clip", tmp_path)

    assert ended.code == 2
    assert "the folder holds no CLIP model" in ended.stderr


def test_crops_of_what_moves_are_drawn_side_by_side(
    fresco: Fresco, source: Path, glued: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"

    ended = fresco("evaluate", glued, "--source", source, "--sheet", sheet)

    assert ended.code == 0
    height, width = read_image(sheet).shape[:2]
    assert width == 1920
    assert height > 2 * 300


def test_a_sheet_never_replaces_what_is_measured(
    fresco: Fresco, source: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "mask.png"
    write_image(picture, np.full((64, 80, 3), 255, np.uint8))
    before = picture.read_bytes()
    options = ("--mask", picture, "--sheet", picture, "--overwrite")

    ended = fresco("evaluate", source, "--source", source, *options)

    assert ended.code == 2
    assert picture.read_bytes() == before
