"""Finished segments on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fresco_engine.errors import OutputNotWritable
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment
from fresco_engine.interpolation.stored import StoredInterpolator

PICTURES = [np.full((16, 16, 3), 10 * index, np.uint8) for index in range(4)]


class Counting:
    """Gives every frame its own source and counts the segments it was asked for."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
        self.calls += 1
        for offset in segment.offsets:
            error = np.full((16, 16), offset / 7, np.float32)
            yield InterpolatedFrame(offset, segment.sources[offset], error)


def segment(last: int = 3) -> Segment:
    return Segment(PICTURES, PICTURES[0], PICTURES[last])


def test_a_finished_segment_is_read_again_exactly(tmp_path: Path) -> None:
    inner = Counting()
    first = list(StoredInterpolator(inner, tmp_path, "a")(segment()))

    again = list(StoredInterpolator(inner, tmp_path, "a")(segment()))

    assert inner.calls == 1
    for one, other in zip(first, again, strict=True):
        assert one.offset == other.offset
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.error, other.error)


@pytest.mark.parametrize(("kind", "last"), [("b", 3), ("a", 2)], ids=["other way", "other key"])
def test_another_key_or_way_of_making_is_made_anew(tmp_path: Path, kind: str, last: int) -> None:
    inner = Counting()
    list(StoredInterpolator(inner, tmp_path, "a")(segment()))

    list(StoredInterpolator(inner, tmp_path, kind)(segment(last)))

    assert inner.calls == 2


def test_what_was_interrupted_is_not_taken_for_finished(tmp_path: Path) -> None:
    inner = Counting()
    frames = StoredInterpolator(inner, tmp_path, "a")(segment())
    next(frames)
    frames.close()

    assert len(list(StoredInterpolator(inner, tmp_path, "a")(segment()))) == 2
    assert inner.calls == 2
    assert [file.suffix for file in tmp_path.iterdir()] == [".npz"]


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    inner = Counting()
    list(StoredInterpolator(inner, tmp_path, "a")(segment()))
    file = next(tmp_path.iterdir())
    file.write_bytes(file.read_bytes()[:100])

    assert len(list(StoredInterpolator(inner, tmp_path, "a")(segment()))) == 2
    assert inner.calls == 2


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    frames = StoredInterpolator(Counting(), tmp_path / "gone", "a")(segment())

    with pytest.raises(OutputNotWritable, match="folder"):
        list(frames)
