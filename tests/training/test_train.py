import numpy as np
import pytest
from fresco_training.data import STYLE_NAMES
from fresco_training.train import FAVOURED_SHARE, PHOTO_SHARE, style_chances


def test_every_style_is_drawn_and_photographs_have_their_share() -> None:
    chances = style_chances()

    assert chances.sum() == pytest.approx(1)
    assert chances.min() > 0.03
    assert chances[STYLE_NAMES.index("photo")] == PHOTO_SHARE


def test_a_favoured_style_takes_from_all_others_alike() -> None:
    plain, favouring = style_chances(), style_chances("pixel art")

    index = STYLE_NAMES.index("pixel art")
    ratios = np.delete(favouring / plain, index)
    assert favouring.sum() == pytest.approx(1)
    assert favouring[index] == FAVOURED_SHARE
    np.testing.assert_allclose(ratios, ratios[0])
