from __future__ import annotations

import numpy as np
import pytest
from fresco_media.stills.images import contact_sheet
from fresco_media.types import Image

DARK = 28


def flat(red: int, width: int = 64, height: int = 48) -> Image:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = red
    return image


def test_every_picture_is_shown_in_its_place_at_its_aspect() -> None:
    rows = [[flat(50), flat(100)], [flat(150), flat(200)]]

    sheet = contact_sheet(rows, width=400)

    height, width = sheet.shape[:2]
    assert width == 400
    shown = [int((sheet[..., 0] == red).sum()) for red in (50, 100, 150, 200)]
    cell = (400 - 2 * 16 - 8) // 2
    assert shown == [cell * round(cell * 0.75)] * 4
    middle = [sheet[y * height // 4, x * width // 4, 0] for y in (1, 3) for x in (1, 3)]
    assert middle == [50, 100, 150, 200]


def test_the_background_is_dark_grey() -> None:
    sheet = contact_sheet([[flat(200)]], width=200)

    assert sheet[0, 0].tolist() == [DARK] * 3
    assert sheet[-1, -1].tolist() == [DARK] * 3


def test_labels_stand_above_columns_and_left_of_rows() -> None:
    plain = contact_sheet([[flat(9), flat(9)]], width=600)

    sheet = contact_sheet(
        [[flat(9), flat(9)]], labels=["frame 0", "frame 7"], row_labels=["source"], width=600
    )

    # The pictures are pure red, so anything bright in green is text.
    rows, columns = np.nonzero(sheet[..., 1] > 120)
    above = rows < 16 + 24
    assert sheet.shape[0] > 0
    assert sheet.shape[1] == plain.shape[1]
    assert above.any()
    assert (~above).any()
    assert columns[~above].max() < 90
    assert columns[above].max() > 300


def test_labels_beyond_ascii_and_ragged_rows_do_not_fail() -> None:
    sheet = contact_sheet(
        [[flat(5), flat(6), flat(7)], [flat(8)]],
        labels=["Bildgröße", "映像", "c"],
        row_labels=["źródło", "wynik"],
    )

    assert sheet.shape[1] == 1920
    assert (sheet[..., 0] == 8).any()


@pytest.mark.parametrize("rows", [[], [[]]], ids=["no-rows", "empty-row"])
def test_a_sheet_needs_a_picture(rows: list[list[Image]]) -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        contact_sheet(rows)


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        contact_sheet([[flat(1)] * 30], width=300)


def test_a_very_tall_picture_does_not_fill_the_sheet() -> None:
    tall, wide = np.full((66_000, 16, 3), 200, np.uint8), np.full((16, 66_000, 3), 200, np.uint8)

    sheet = contact_sheet([[tall, wide]], width=300)

    assert sheet.shape[1] == 300
    assert sheet.shape[0] < 4 * 300 + 100
    assert (sheet == 200).any()
