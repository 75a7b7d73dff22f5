"""What is measured in a file that was just written."""

from pathlib import Path

import pytest
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.evaluation import written
from fresco_engine.evaluation.steadiness import pixel_errors
from fresco_engine.evaluation.written import written_steadiness
from fresco_media.clip import Clip

from tests.engine.conftest import scene, write_clip

START, STOP = 3, 61


@pytest.mark.parametrize("cores", [1, 2, 3, 7])
def test_stretches_measured_at_once_are_all_of_the_clip_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    monkeypatch.setattr(written, "_LEAST_FRAMES", 8)
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    clip = Clip.open(write_clip(tmp_path / "clip.mp4", scene(64)))
    output = write_clip(tmp_path / "result.mp4", scene(64)[::-1][: STOP - START])

    found = list(written_steadiness(clip, output, START, STOP, 64))

    size = (clip.info.width, clip.info.height)
    sources = [frame.image for frame in clip.frames(START, STOP, size=size)]
    results = [frame.image for frame in Clip.open(output).frames(size=size)]
    wanted = pixel_errors(zip(sources, results, sources, strict=True), DisFlow())
    assert found == list(wanted)
    assert len(found) == STOP - START - 1


def test_a_single_frame_has_no_steps(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(2)[:1])

    assert list(written_steadiness(Clip.open(path), path, 0, 1, None)) == []
