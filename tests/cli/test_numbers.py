"""Numbers on the command line, as people of every language type them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from fresco_cli.parsing import parse_frame_rate, parse_size

from tests.cli.conftest import Fresco


@pytest.mark.parametrize("text", ["0.75", "0,75", ",75", "٠٫٧٥", "7.5e-1"])
@pytest.mark.parametrize(
    ("option", "name"), [("--strength", "strength"), ("--keep-colours", "keep_colours")]
)
def test_a_comma_is_a_decimal_mark(
    option: str, name: str, text: str, fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    ended = fresco("restyle", clip, "-o", tmp_path / "o.mp4", "-p", "ink", option, text, "--json")

    assert ended.code == 0
    assert ended.lines[-1]["report"]["settings"][name] == 0.75


@pytest.mark.parametrize("option", ["--strength", "--guidance", "--control-scale"])
@pytest.mark.parametrize("text", ["75%", "1.2.3", "much", ""])
def test_what_is_no_number_is_said_to_be_none(
    option: str, text: str, fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    ended = fresco("restyle", clip, "-o", tmp_path / "o.mp4", "-p", "ink", f"{option}={text}")

    said = " ".join(ended.stderr.replace("│", " ").split())
    assert ended.code == 2
    assert f"{text!r} is no number; give for example 0.75" in said
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_numbers_without_a_value_are_outside_every_range(
    text: str, fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    ended = fresco("restyle", clip, "-o", tmp_path / "o.mp4", "-p", "ink", f"--strength={text}")

    assert ended.code == 2
    assert "strength" in ended.stderr


def test_rates_and_sizes_take_a_comma_too() -> None:
    assert parse_frame_rate("23,976") == Fraction(24000, 1001)
    assert parse_size("quota", "1,5T") == 3 << 39
