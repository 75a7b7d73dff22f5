import numpy as np
import pytest
from fresco_training.data import STYLE_NAMES
from fresco_training.train import FAVOURED_FACTOR, PHOTO_SHARE, style_chances


def test_every_style_is_drawn_and_photographs_have_their_share() -> None:
    chances = style_chances()

    assert chances.sum() == pytest.approx(1)
    assert chances.min() > 0.03
    assert chances[STYLE_NAMES.index("photo")] == PHOTO_SHARE


def test_favoured_styles_take_from_all_others_alike() -> None:
    favoured = ("pixel art", "oil")
    plain, favouring = style_chances(), style_chances(favoured)

    ratios = favouring / plain
    places = [STYLE_NAMES.index(name) for name in favoured]
    photo = STYLE_NAMES.index("photo")
    others = np.delete(ratios, [*places, photo])
    assert favouring.sum() == pytest.approx(1)
    assert favouring[photo] == PHOTO_SHARE
    np.testing.assert_allclose(others, others[0])
    np.testing.assert_allclose(ratios[places], FAVOURED_FACTOR * others[0])


def test_a_favoured_style_that_there_is_not_is_told() -> None:
    with pytest.raises(ValueError, match="no style 'oils'; there are photo"):
        style_chances(("oils",))
