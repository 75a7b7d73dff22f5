from pathlib import Path

import cv2
import numpy as np
import pytest
from fresco_server.rpc.messages.style_pictures import style_picture


@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_a_picture_is_sent_as_it_is(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"ink{ending}"
    cv2.imwrite(str(file), np.full((192, 256, 3), 90, np.uint8))

    assert style_picture(str(file)) == file.read_bytes()


def test_nothing_is_sent_of_what_is_no_small_picture(tmp_path: Path) -> None:
    words, large = tmp_path / "secret.jpg", tmp_path / "large.jpg"
    words.write_text("no picture")
    noise = np.random.default_rng(0).integers(0, 255, (600, 600, 3), np.uint8)
    cv2.imwrite(str(large), noise)

    for path in ("", str(words), str(large), str(tmp_path), str(tmp_path / "none.jpg"), "\0"):
        assert style_picture(path) == b""
