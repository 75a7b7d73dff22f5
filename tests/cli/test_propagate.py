"""`fresco propagate` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine
from tests.media.makers import picture_of


@pytest.fixture
def keys(clip: Path, tmp_path: Path) -> Path:
    """Negatives of frames 2 and 9."""
    folder = tmp_path / "gemalte Bilder ü"
    folder.mkdir()
    for frame in Clip.open(clip).frames_at([2, 9]):
        write_image(folder / f"key {frame.index:02d}.png", 255 - frame.image)
    return folder


def test_a_clip_takes_on_the_painted_look_without_a_model(
    fresco: Fresco, engine: FakeEngine, clip: Path, keys: Path, tmp_path: Path
) -> None:
    output, report = tmp_path / "out file.mp4", tmp_path / "report.json"

    ended = fresco("propagate", clip, keys, "-o", output, "--report", report)

    assert ended.code == 0, ended.stderr
    assert "12 frames from 2 keys" in ended.stdout
    assert engine.loaded == []
    frames = zip(Clip.open(output).frames(), Clip.open(clip).frames(), strict=True)
    assert max(np.abs(a.image.astype(int) - (255 - b.image)).mean() for a, b in frames) < 12
    assert len(json.loads(report.read_text("utf-8"))["interpolation"]["frames"]) == 10


def test_fast_follows_motion_only(fresco: Fresco, clip: Path, keys: Path, tmp_path: Path) -> None:
    ended = fresco("propagate", clip, keys, "-o", tmp_path / "out.mp4", "--fast", "--json")

    assert ended.code == 0, ended.stderr
    assert ended.lines[-1]["event"] == "finished"
    assert ended.lines[-1]["report"]["settings"]["interpolation"] == "flow"
    assert sum(line["event"] == "frame" for line in ended.lines) == 12


def test_what_is_finished_is_kept_where_one_asked_for_it(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path
) -> None:
    kept, maps = tmp_path / "kept", tmp_path / "maps"

    ended = fresco(
        *("propagate", clip, keys, "-o", tmp_path / "out.mp4", "--fast"),
        *("--resume", kept, "--error-maps", maps),
    )

    assert ended.code == 0, ended.stderr
    assert len(list(kept.iterdir())) == 3
    assert len(list(maps.iterdir())) == 10


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("key 9.png", "are both frame 9"),
        ("key 300.png", "the clip has no frame 300"),
    ],
)
def test_bad_keys_are_one_sentence_and_nothing_is_written(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path, name: str, told: str
) -> None:
    write_image(keys / name, np.zeros((48, 64, 3), np.uint8))
    before = set(tmp_path.iterdir())

    ended = fresco("propagate", clip, keys, "-o", tmp_path / "out.mp4")

    assert ended.code == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert set(tmp_path.iterdir()) == before


def test_a_damaged_key_is_found_before_the_work(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path
) -> None:
    (keys / "key 11.png").write_bytes(b"no picture")

    ended = fresco("propagate", clip, keys, "-o", tmp_path / "out.mp4", "--json")

    assert ended.code == 2
    assert "damaged" in ended.stderr
    assert not any(line["event"] == "analysed" for line in ended.lines)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("option", ["-o", "--error-maps"])
def test_results_never_lie_among_the_painted_keys(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path, option: str
) -> None:
    place = keys / "%04d.png" if option == "-o" else keys
    more = () if option == "-o" else ("-o", tmp_path / "out.mp4")
    before = set(keys.iterdir())

    ended = fresco("propagate", clip, keys, option, place, *more)

    assert ended.code == 2
    assert "where the painted keys are" in ended.stderr
    assert set(keys.iterdir()) == before


def test_keys_numbered_from_1_are_told_and_the_number_can_be_given(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    for frame in Clip.open(clip).frames_at([2, 9]):
        write_image(folder / f"key_{frame.index + 1:02d}.png", 255 - frame.image)

    seen = fresco("propagate", clip, folder, "-o", tmp_path / "a.mp4", "--fast", "--json")
    given = fresco(
        *("propagate", clip, folder, "-o", tmp_path / "b.mp4", "--fast", "--json"),
        *("--first-number", "0"),
    )

    assert seen.lines[-1]["report"]["keyframes"] == [2, 9]
    assert any("numbered from 1" in text for text in seen.lines[-1]["report"]["warnings"])
    assert given.lines[-1]["report"]["keyframes"] == [3, 10]


def test_error_maps_never_replace_other_pictures(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path
) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    write_image(maps / "000002.png", picture_of(1))
    before = (maps / "000002.png").read_bytes()

    ended = fresco(
        "propagate", clip, keys, "-o", tmp_path / "out.mp4", "--fast", "--error-maps", maps
    )

    assert ended.code == 2
    assert "000002.png: no job has saved this picture" in ended.stderr
    assert [path.read_bytes() for path in maps.iterdir()] == [before]
