"""`fresco look` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fresco_media.clip import Clip
from fresco_media.stills.images import read_image

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine


def test_one_frame_is_restyled_into_a_picture(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "look.png"

    ended = fresco("look", clip, "--frame", "4", "--prompt", "ink", "-o", output)

    source = next(Clip.open(clip).frames_at([4])).image
    assert ended.code == 0
    assert ended.stdout.startswith(f"{output}: frame 4")
    assert (read_image(output) == 255 - source).all()


def test_what_binds_is_shown_without_words_for_it(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    output = tmp_path / "edges.png"

    ended = fresco(
        "look", clip, "--frame", "4", "--show-control", "--control", "canny:0.5", "-o", output
    )

    source = next(Clip.open(clip).frames_at([4])).image
    assert ended.code == 0
    assert (read_image(output) == source.max(axis=2, keepdims=True)).all()
    assert engine.settings[-1].control == "canny:0.5"


def test_where_a_frame_is_changed_is_marked(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    chosen = ("look", clip, "--frame", "4", "-p", "ink", "--show-region")

    ended = fresco(*chosen, "--region", "subject", "-o", tmp_path / "marked.png")
    whole = fresco(*chosen, "-o", tmp_path / "whole.png")
    both = fresco(*chosen, "--show-control", "-o", tmp_path / "both.png")

    made = 255 - next(Clip.open(clip).frames_at([4])).image
    shown = read_image(tmp_path / "marked.png")
    half = made.shape[1] // 2
    assert ended.code == 0
    assert (shown[:, :half] == made[:, :half]).all()
    assert shown[:, half + 2 :].max() < 0.4 * 255
    assert (whole.code, both.code) == (2, 2)
    assert "nothing to mark; choose a part" in whole.stderr
    assert "show what binds or where it changes, not both" in both.stderr
    assert not (tmp_path / "whole.png").exists()


def test_a_picture_that_gets_the_name_meanwhile_is_kept_and_the_look_too(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    output = tmp_path / "look.png"
    engine.before_look = lambda: output.write_bytes(b"precious")

    ended = fresco("look", clip, "--frame", "4", "--prompt", "ink", "-o", output)

    assert ended.code != 0
    assert "taken during the work; the result is whole, as look (2).png" in ended.stderr
    assert output.read_bytes() == b"precious"
    assert read_image(tmp_path / "look (2).png").any()


def test_what_has_no_effect_with_the_sampler_is_told(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    chosen = ("--sampler", "lcm", "--spacing", "karras", "--eta", "0.5")

    ended = fresco("look", clip, "--frame", "4", "-p", "ink", "-o", tmp_path / "a.png", *chosen)

    assert ended.code == 0
    assert "the step spacing has no effect with the sampler lcm" in ended.stderr
    assert "eta has no effect with the sampler lcm; choose ddim or tcd" in ended.stderr


def test_json_names_the_picture(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "look.png"

    ended = fresco("look", clip, "--frame", "0", "-p", "ink", "-o", output, "--json")

    assert json.loads(ended.stdout)["output"] == str(output)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--frame", "12"), "the clip has frames 0 to 11"),
        (("--frame", "-1"), "the clip has frames 0 to 11"),
        (("--frame", "0", "--prompt", ""), "prompt: it is empty"),
        (("--frame", "0", "--output", "look.bmp"), "pictures are written as .png"),
        (("--frame", "0", "--output", "no/look.png"), "the folder no does not exist"),
        (("--frame", "0", "--output", "taken.png"), "it exists already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_found_before_the_model_loads(
    fresco: Fresco,
    engine: FakeEngine,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken.png").write_bytes(b"mine")

    ended = fresco("look", clip, "-o", "look.png", "-p", "ink", *options)

    assert ended.code == 2
    assert sentence in ended.stderr
    assert engine.loaded == []
    assert Path("taken.png").read_bytes() == b"mine"


def test_cancelling_ends_with_code_130(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    engine.failure = KeyboardInterrupt()

    ended = fresco("look", clip, "--frame", "0", "-p", "ink", "-o", tmp_path / "look.png")

    assert ended.code == 130
    assert not (tmp_path / "look.png").exists()
