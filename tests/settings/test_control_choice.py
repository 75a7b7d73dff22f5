"""Which structure binds, read from the words for it."""

from __future__ import annotations

import pytest
from fresco_settings import CONTROL_KINDS, ControlChoice, InvalidSettings, RestyleSettings


@pytest.mark.parametrize("kind", CONTROL_KINDS)
def test_a_kind_alone_has_no_strength_of_its_own(kind: str) -> None:
    assert ControlChoice.parse(kind) == ControlChoice((kind,), {})  # pyright: ignore[reportArgumentType]


def test_several_kinds_keep_their_order_and_strengths() -> None:
    choice = ControlChoice.parse("depth:0.6, canny:0.4,tile")

    assert choice.kinds == ("depth", "canny", "tile")
    assert choice.strengths == {"depth": 0.6, "canny": 0.4}


def test_strengths_may_have_a_decimal_comma() -> None:
    choice = ControlChoice.parse("depth:0,6,canny:0,4, tile:1")

    assert choice.strengths == {"depth": 0.6, "canny": 0.4, "tile": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "unknown"),
        ("pose", "use one of tile, canny"),
        ("depth,", "unknown"),
        ("depth,depth:0.2", "named twice"),
        ("depth:", "no strength of depth"),
        ("depth:strong", "0 to 5"),
        ("depth:nan", "0 to 5"),
        ("depth:5.1", "0 to 5"),
        ("depth:0,6,4", "0 to 5"),
        ("depth:-1", "0 to 5"),
        ("none,depth", "leave none out"),
        ("none:1", "leave none out"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_does(text: str, told: str) -> None:
    with pytest.raises(InvalidSettings, match=told) as caught:
        RestyleSettings(prompt="ink", control=text)

    assert caught.value.field == "control"


def test_faint_edges_are_no_clearer_than_clear_ones() -> None:
    with pytest.raises(InvalidSettings, match="use at most 80"):
        RestyleSettings(prompt="ink", canny_low=90, canny_high=80)
