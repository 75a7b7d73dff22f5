"""Figures of quality and the suggestion of one more keyframe."""

from __future__ import annotations

import numpy as np
from fresco_engine.interpolation.quality import error_picture, suggest_keyframe


def test_the_suggested_key_is_where_the_error_is() -> None:
    errors = dict.fromkeys(range(1, 20), 0.01) | {14: 0.2, 15: 0.2, 16: 0.2}

    suggestion = suggest_keyframe(errors, [0, 20], [(0, 21)])

    assert suggestion is not None
    assert suggestion.index == 15
    assert 0.5 < suggestion.gain < 1


def test_in_even_error_the_middle_of_the_widest_gap_is_suggested() -> None:
    keys = [0, 6, 26]
    errors = {index: 0.1 for index in range(27) if index not in keys}

    suggestion = suggest_keyframe(errors, keys, [(0, 27)])

    assert suggestion is not None
    assert 14 <= suggestion.index <= 18


def test_a_key_beyond_a_cut_does_not_count() -> None:
    errors = {index: 0.1 for index in range(20) if index not in (0, 10)}

    suggestion = suggest_keyframe(errors, [0, 10], [(0, 9), (9, 20)])

    assert suggestion is not None
    assert suggestion.index > 10


def test_without_error_nothing_is_suggested() -> None:
    assert suggest_keyframe({1: 0.0, 2: 0.0}, [0, 3], [(0, 4)]) is None
    assert suggest_keyframe({}, [0, 1], [(0, 2)]) is None


def test_an_error_map_is_brighter_where_the_error_is_larger() -> None:
    picture = error_picture(np.array([[0.0, 0.05, 0.2, 1.0]], np.float32))

    brightness = picture.astype(int).sum(axis=-1)[0]
    assert (np.diff(brightness) > 0).all()
