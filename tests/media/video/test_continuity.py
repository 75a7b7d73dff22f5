"""What is where recordings were joined, and what is only a long pause."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip


@pytest.mark.parametrize("lasts_s", [0.04, 20])
def test_pictures_of_a_slide_show_in_a_transport_stream_stay_as_far_apart(
    tmp_path: Path, lasts_s: float
) -> None:
    with av.open(str(tmp_path / "slides.ts"), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"bf": "0"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for index in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * index, np.uint8))
            frame.pts, frame.time_base = index * 500, Fraction(1, 25)
            for packet in stream.encode(frame):
                packet.duration = round(lasts_s * 25)
                output.mux(packet)
        output.mux(stream.encode(None))

    clip = Clip.open(tmp_path / "slides.ts")

    times = [float(tick * clip.info.time_base) for tick in clip.info.times]
    assert [round(time - times[0], 3) for time in times] == [0, 20, 40, 60, 80, 100]
    assert not any("start over" in text for text in clip.warnings)
