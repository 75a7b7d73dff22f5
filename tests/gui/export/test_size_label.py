"""Sizes in words."""

from __future__ import annotations

import pytest
from fresco_gui.export.size import in_bytes


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (940, "940 B"),
        (9_960, "10 kB"),
        (993_000, "990 kB"),
        (999_999, "1.0 MB"),
        (1_230_000, "1.2 MB"),
        (12_345_678, "12 MB"),
        (1_940_000_000, "1.9 GB"),
        (3e12, "3.0 TB"),
    ],
)
def test_a_size_is_told_in_two_digits(size: float, expected: str) -> None:
    assert in_bytes(size) == expected
