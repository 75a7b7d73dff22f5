"""What is told of words that a model can do nothing with."""

from __future__ import annotations

import pytest
from fresco_engine.diffusion.card import read_card
from fresco_engine.diffusion.sources import BUNDLED
from fresco_engine.doubts import called_styles, look_doubts
from fresco_engine.settings import RestyleSettings

CARD = read_card(BUNDLED)


@pytest.mark.parametrize(
    ("prompt", "called"),
    [
        ("a Watercolour of a town", ("watercolour",)),
        ("painted in oil, thick brush-strokes", ("oil",)),
        ("an astronaut made of lego bricks on mars", ()),
        ("a photographer in comics", ()),
        ("pop-art, neon", ("neon", "pop art")),
    ],
)
def test_styles_are_called_by_whole_words(prompt: str, called: tuple[str, ...]) -> None:
    assert called_styles(prompt, CARD.styles) == called


def test_words_that_call_for_no_look_are_told_unless_a_style_is_chosen() -> None:
    assert CARD.knows_only_styles
    lego = RestyleSettings(prompt="an astronaut made of lego bricks on mars")

    (told,) = look_doubts(lego, CARD.styles)

    assert "choose one of photo, watercolour" in told
    assert not [*look_doubts(RestyleSettings(prompt="lego", style="oil"), CARD.styles)]
    assert not [*look_doubts(RestyleSettings(prompt="as an oil painting"), CARD.styles)]
