"""Words of markers."""

from __future__ import annotations

from fresco_blender.core.shots import marker_words, words_by_frame
from fresco_blender.core.timing import Span


def test_only_markers_with_the_prefix_are_meant() -> None:
    assert marker_words("fresco: at night ") == "at night"
    assert marker_words("FRESCO:snow") == "snow"
    assert marker_words("fresco:") == ""
    assert marker_words("F_10") is None


def test_words_reach_from_their_marker_to_the_next_whatever_their_order() -> None:
    markers = [(20, "fresco: snow"), (5, "fresco: night"), (12, "cut"), (30, "fresco:")]

    words = words_by_frame(markers, Span(start=10, stop=40))

    assert words == {
        **dict.fromkeys(range(10, 20), "night"),
        **dict.fromkeys(range(20, 30), "snow"),
    }


def test_without_markers_there_are_no_words() -> None:
    assert words_by_frame([], Span(start=0, stop=9)) == {}
