"""`fresco edit` from the outside: what is asked for is an edit, and everything else is as ever."""

from __future__ import annotations

from pathlib import Path

from fresco_media.clip import Clip

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine


def test_words_from_and_to_are_the_two_prompts_of_an_edit(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"

    ended = fresco(
        *("edit", clip, "--from", "a dog", "--to", "a red fox", "--keep", "0.7"),
        *("-o", output, "--local"),
    )

    assert ended.code == 0, ended.stderr
    assert Clip.open(output).info.frame_count == 12
    settings = engine.settings[-1]
    assert (settings.mode, settings.keep) == ("edit", 0.7)
    assert (settings.source_prompt, settings.prompt) == ("a dog", "a red fox")


def test_a_style_may_take_the_place_of_words(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    ended = fresco("edit", clip, "--style", "winter", "-o", tmp_path / "out.mp4", "--local")

    assert ended.code == 0, ended.stderr
    settings = engine.settings[-1]
    assert (settings.mode, settings.style, settings.source_prompt) == ("edit", "winter", "")


def test_an_edit_without_words_is_refused(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    ended = fresco("edit", clip, "--from", "a dog", "-o", tmp_path / "out.mp4", "--local")

    assert ended.code == 2
    assert "Error: to: it is empty; say what the clip is to show instead" in ended.stderr


def test_the_same_can_be_had_by_restyle(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    output = ("-o", tmp_path / "out.mp4", "--local")

    ended = fresco("restyle", clip, "--mode", "edit", "--from", "a dog", "-p", "a fox", *output)

    assert ended.code == 0, ended.stderr
    assert engine.settings[-1].is_edit
