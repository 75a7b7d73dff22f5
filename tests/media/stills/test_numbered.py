"""Names of numbered pictures, with every per cent sign people have in names."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresco_media.stills.numbered import (
    NumberedName,
    is_pattern,
    is_version,
    number_places,
    parse_pattern,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("shot_%04d.png", "shot_0007.png"),
        ("%d.png", "7.png"),
        ("shot_%06d", "shot_000007"),
        ("100% done_%04d.png", "100% done_0007.png"),
        ("100%_%04d.png", "100%_0007.png"),
        ("100%%_%04d.png", "100%%_0007.png"),
        ("50%d_%04d.png", "50%d_0007.png"),
        ("%s %x %(a)s {} %%04d.png", "%s %x %(a)s {} %0007.png"),
        ("take2%03d.png", "take2007.png"),
        ("a\nb [1]_%d.png", "a\nb [1]_7.png"),
        ("shot_%04d_v2.png", "shot_0007_v2.png"),
    ],
)
def test_the_last_place_for_a_number_counts_and_all_else_is_plain(pattern: str, name: str) -> None:
    names = parse_pattern(pattern)

    assert names is not None
    assert names.name(7) == name
    assert names.number_of(name) == 7


@pytest.mark.parametrize("name", ["a.png", "100%.png", "%4d.png", "%0d.png", "%.png", "%-d", ""])
def test_other_per_cent_signs_are_no_pattern(name: str) -> None:
    assert parse_pattern(name) is None


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("shot_7.png", 7),
        ("shot_00007.PNG", 7),
        ("shot_123456.png", 123456),
        ("shot_.png", None),
        ("shot_-7.png", -7),
        ("shot_\u0667.png", None),
        ("Shot_7.png", None),
        ("shot_7.jpg", None),
        ("png", None),
    ],
)
def test_numbers_may_have_any_number_of_digits(name: str, number: int | None) -> None:
    assert NumberedName("shot_", 4, ".png").number_of(name) == number


@given(before=st.text(max_size=20), number=st.integers(0, 10**12), digits=st.integers(1, 12))
def test_what_is_named_is_found_again(before: str, number: int, digits: int) -> None:
    names = NumberedName(before, digits, ".png")

    assert names.number_of(names.name(number)) == number
    assert parse_pattern(f"{before}%0{digits}d.png") == names


def test_the_numbers_of_a_picture_are_found_in_its_name() -> None:
    (found,) = number_places("100%_0012.PNG"[3:])
    assert (found.names, found.number) == (NumberedName("%_", 1, ".png"), 12)
    first, last = number_places("Shot_-0012_Final_v2.PNG")
    assert first.names == NumberedName("Shot_", 1, "_final_v2.png")
    assert last.names == NumberedName("Shot_-0012_Final_v", 1, ".png")
    assert [(one.number, one.is_last) for one in (first, last)] == [(-12, False), (2, True)]
    assert [one.is_last for one in number_places("a12_b.png")] == [False]
    assert [one.is_last for one in number_places("a.12.left.png")] == [False]
    assert number_places("a.png") == ()


def test_names_of_one_shape_differ_in_numbers_only() -> None:
    shapes = {number_places(name)[0].shape for name in ("a1_v2.png", "a20_v03.PNG", "a-1_v2.png")}

    assert shapes == {"a0_v0.png", "a-0_v0.png"}


@pytest.mark.parametrize(
    ("before", "expected"),
    [("shot_v", True), ("shot Take ", True), ("a (copy ", True), ("prev", False), ("shot_", False)],
)
def test_numbers_of_versions_are_known_by_the_word_before(before: str, expected: bool) -> None:
    assert is_version(before) is expected


def test_a_file_of_just_that_name_is_no_pattern(tmp_path: Path) -> None:
    file = tmp_path / "50%d.mp4"

    assert is_pattern(file)

    file.touch()

    assert not is_pattern(file)
