"""Results of a comparison are made once, and again where something about them has changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from baselines.comparison import Shown, kept_or_made, make_parser, run, table_of
from baselines.fresco import Adaptations
from baselines.strategy import Keyframes
from fresco_engine.diffusion.model import Model
from fresco_engine.evaluation.evaluate import Evaluation
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Image

from tests.engine.conftest import scene, write_clip, write_tiny_model


class _Counting:
    """A method that darkens its keyframes, and counts how often it is asked."""

    def __init__(self, *, fails: bool = False) -> None:
        self.times = 0
        self._fails = fails

    def __call__(
        self, model: Model, keyframes: Keyframes, settings: RestyleSettings
    ) -> tuple[Image, ...]:
        self.times += 1
        if self._fails:
            raise KeyboardInterrupt
        return tuple(one // 2 for one in keyframes.images)


@pytest.fixture
def shown(keyframes: Keyframes) -> Shown:
    """Keyframes whose last columns are padding."""
    return Shown("clip", keyframes, (60, 64))


def test_what_is_done_is_not_done_again(
    tmp_path: Path, model: Model, shown: Shown, settings: RestyleSettings
) -> None:
    method = _Counting()
    given = (model, shown, settings)

    made = kept_or_made(tmp_path, "a row", method, given)
    kept = kept_or_made(tmp_path, "a row", method, given)

    assert method.times == 1
    assert all(map(np.array_equal, made, kept))
    assert made[0].shape == (64, 60, 3)


def test_other_settings_keyframes_and_rows_are_made_anew(
    tmp_path: Path, model: Model, shown: Shown, settings: RestyleSettings
) -> None:
    method = _Counting()
    darker = tuple(one // 2 for one in shown.keyframes.images)
    other = replace(shown, keyframes=replace(shown.keyframes, images=darker))

    kept_or_made(tmp_path, "a row", method, (model, shown, settings))
    kept_or_made(tmp_path, "a row", method, (model, shown, replace(settings, seed=1)))
    kept_or_made(tmp_path, "a row", method, (model, other, replace(settings, seed=1)))
    kept_or_made(tmp_path, "another", method, (model, other, replace(settings, seed=1)))

    assert method.times == 4


def test_what_was_interrupted_is_made_again(
    tmp_path: Path, model: Model, shown: Shown, settings: RestyleSettings
) -> None:
    given = (model, shown, settings)
    kept_or_made(tmp_path, "a row", _Counting(), (model, shown, replace(settings, seed=1)))
    with pytest.raises(KeyboardInterrupt):
        kept_or_made(tmp_path, "a row", _Counting(fails=True), given)
    method = _Counting()

    kept_or_made(tmp_path, "a row", method, given)

    assert method.times == 1


def test_the_table_has_the_columns_that_there_are_figures_for() -> None:
    row = Evaluation(
        name="one",
        frame_count=4,
        pixel_mse=0.0123,
        warp_error=0.1,
        sticking=0.5,
        in_place=0.1,
        along_flow=0.1,
    )

    heading, _, line = table_of([row]).splitlines()

    assert heading == "| | Pixel-MSE | warp error | sticking |"
    assert line == "| one | 0.012300 | 0.10000 | 0.500 |"


def test_a_run_prints_a_table_for_each_clip_and_their_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_tiny_model(tmp_path / "model")
    clips = [
        write_clip(tmp_path / f"{name}.mp4", scene(8, size=(80, 64))) for name in ("one", "two")
    ]
    words = [*map(str, clips), "--model", str(model), "--size", "64", "--count", "3", "--gap", "2"]
    options = make_parser("", "table").parse_args([*words, "--out", str(tmp_path / "out")])

    run(options, {"shared noise": Adaptations(noise="shared")}, reference="shared noise")

    said = capsys.readouterr().out
    assert said.count("| shared noise |") == 3
    assert "one: 3 keyframes" in said
    assert "mean over 2 clips" in said
    assert len(list((tmp_path / "out" / "two" / "shared-noise").glob("*.png"))) == 3
