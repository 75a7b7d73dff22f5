"""Numbers are read in one way, whatever the language."""

from __future__ import annotations

import pytest
from fresco_media.files.numbers import decimal_of, may_become_number, whole_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.75", 0.75),
        ("0,75", 0.75),
        (",5", 0.5),
        (".5", 0.5),
        ("7.", 7.0),
        ("1.000", 1.0),
        ("1,000", 1.0),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1.000.000", 1_000_000.0),
        ("1'000", 1000.0),
        ("1’000.5", 1000.5),
        ("1 000,5", 1000.5),
        ("1\u202f000,5", 1000.5),
        ("1\u00a0234\u00a0567", 1_234_567.0),
        ("٠٫٧٥", 0.75),
        ("١٬٠٠٠٫٥", 1000.5),
        ("०.७५", 0.75),
        ("０．７５", 0.75),
        ("\u200f0.75\u200e", 0.75),
        ("−0,5", -0.5),
        ("+2", 2.0),
        (" 0.75\n", 0.75),
        ("7,5e-2", 0.075),
    ],
)
def test_a_number_is_read_the_same_everywhere(text: str, number: float) -> None:
    assert decimal_of(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-", ".", ",", "abc", "1e", "1e999", "0x10", "nan", "inf", "1,2,3", "1.2.3"),
        *("0.75.", "0,,75", "1 00", "10 00", "1'0", "1.000,000,5", "0.75 0.5", "75 %", "½", "²"),
        *("1.000.00", "12.34,5"),
    ],
)
def test_what_is_no_number_is_refused_instead_of_read_as_another(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        decimal_of(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("1.000", 1), ("1 000", 1000), ("12,0", 12), ("٤٢", 42), (str(2**62), 2**62)],
)
def test_whole_numbers_follow_the_same_rule(text: str, number: int) -> None:
    assert whole_of(text) == number


def test_a_fraction_is_no_whole_number() -> None:
    with pytest.raises(ValueError, match="is no whole number"):
        whole_of("12,5")


@pytest.mark.parametrize("text", ["", "-", "0", "0,", "1.2", "1 ", "1.000,", "٠٫"])
def test_beginnings_of_numbers_may_be_typed(text: str) -> None:
    assert may_become_number(text)


@pytest.mark.parametrize("text", ["a", "0x", "1ee", "0;5", "--"])
def test_other_signs_may_not(text: str) -> None:
    assert not may_become_number(text)
