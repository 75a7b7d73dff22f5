"""Whoever tells the subject, by motion or by hand: masks of the frames' own size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.correspondence.subject.estimator import (
    DrawnSubject,
    MovingSubject,
    SubjectEstimator,
    SubjectFrames,
)
from fresco_media.colour.scaling import fit, working_size
from fresco_media.mask import MaskClip
from fresco_media.stills.images import write_image

from tests.engine.conftest import MakeClip, scene


class Counting:
    """Says that everything is subject, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[SubjectFrames] = []

    def masks(self, frames: SubjectFrames) -> np.ndarray:
        """All of every frame."""
        self.asked.append(frames)
        return np.ones((len(frames.images), *frames.images[0].shape[:2]), np.bool_)


def test_a_batch_asks_whoever_it_is_given() -> None:
    images, subject = scene(3), Counting()

    found = correspond(images, DisFlow(), subject=subject, indices=[4, 9, 12])

    (asked,) = subject.asked
    assert found.foreground.all()
    assert list(asked.indices) == [4, 9, 12]
    assert [len(flows) for flows in (asked.forward, asked.backward)] == [2, 2]


def test_a_batch_is_divided_by_motion_unless_told_otherwise() -> None:
    images = scene(4, size=(160, 128))
    subject: SubjectEstimator = MovingSubject()

    by_default = correspond(images, DisFlow())
    by_motion = correspond(images, DisFlow(), subject=subject)

    assert 0 < by_default.foreground.float().mean() < 0.5
    assert bool((by_default.foreground == by_motion.foreground).all())


def test_a_drawn_mask_is_mirrored_into_the_padding_like_the_picture_it_belongs_to(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(2, size=(90, 70))
    size = working_size(90, 70, 70)
    drawn = np.zeros((70, 90, 3), np.uint8)
    drawn[60:, 80:] = 255
    drawn[67:69] = 0
    write_image(tmp_path / "mask.png", drawn)
    subject = DrawnSubject(MaskClip.open(tmp_path / "mask.png", clip.info), size)
    frames = SubjectFrames(indices=[0, 1], images=[fit(drawn, size)] * 2, forward=[], backward=[])

    masks = subject.masks(frames)

    assert size.padded == (96, 72)
    assert np.array_equal(masks, np.stack([fit(drawn, size)[..., 0] > 0] * 2))
