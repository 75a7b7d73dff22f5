"""One clip is opened once for a sheet of looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from fresco_media.stills.images import write_image
from fresco_server.jobs.looks import LookOrder
from fresco_server.worker.looked_clip import LookedClip

from tests.engine.conftest import scene, write_clip


def order(path: Path, index: int = 2) -> LookOrder:
    return LookOrder(clip=str(path), index=index, settings={})


def test_a_clip_is_kept_until_it_or_what_is_wanted_of_it_is_another(tmp_path: Path) -> None:
    one, other = write_clip(tmp_path / "a.mp4", scene(6)), write_clip(tmp_path / "b.mp4", scene(6))
    looked_at = LookedClip()
    first = looked_at.open(order(one))

    assert looked_at.open(order(one, 4)) is first
    assert looked_at.open(order(other)).info.path == other
    assert looked_at.open(order(one)) is not first

    write_clip(one, scene(9))
    assert looked_at.open(order(one)).info.frame_count == 9


def test_a_folder_that_has_got_another_first_picture_is_counted_anew(tmp_path: Path) -> None:
    for number in (5, 6):
        write_image(tmp_path / f"{number:03d}.png", np.full((64, 80, 3), 10 * number, np.uint8))
    looked_at = LookedClip()
    assert looked_at.open(order(tmp_path, 0)).first_number == 5

    write_image(tmp_path / "004.png", np.full((64, 80, 3), 40, np.uint8))

    clip = looked_at.open(order(tmp_path, 0))
    assert clip.first_number == 4
    assert next(clip.frames_at([0])).image.max() == 40
