"""Parts of a clip read one after the other are those parts, in whatever order they are wanted."""

from pathlib import Path

import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.stills.images import fit, working_size
from fresco_media.types import Image
from fresco_media.video.span_reader import SpanReader
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.conftest import scene, write_clip

COUNT = 60
SIZE = working_size(80, 64, 50)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return Clip.open(write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", scene(COUNT)))


@pytest.fixture(scope="module")
def pictures(clip: Clip) -> list[Image]:
    return [fit(frame.image, SIZE) for frame in clip.frames(size=SIZE.scaled)]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_stretches_in_any_order_hold_the_clips_own_pictures(
    clip: Clip, pictures: list[Image], data: st.DataObject
) -> None:
    bounds = st.tuples(st.integers(0, COUNT), st.integers(0, COUNT)).map(sorted)
    spans = SpanReader(clip, COUNT, SIZE)

    for start, stop in data.draw(st.lists(bounds, max_size=6)):
        read = list(spans.read(start, stop))

        assert len(read) == stop - start
        assert all(map(np.array_equal, read, pictures[start:stop]))


def test_reading_on_takes_no_second_decoder(clip: Clip, tmp_path: Path) -> None:
    opened: list[int] = []

    class CountingClip(Clip):
        def frames(self, start: int = 0, *rest: object, **options: object):  # noqa: ANN202
            opened.append(start)
            return super().frames(start, *rest, **options)  # pyright: ignore[reportArgumentType]

    counting = CountingClip(clip.info, clip._source, clip.warnings)
    spans = SpanReader(counting, COUNT, SIZE)

    spans.at(3)
    list(spans.read(4, 9))
    list(spans.read(8, 12))
    list(spans.read(15, 17))
    spans.at(16)

    assert opened == [3]
