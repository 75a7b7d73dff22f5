"""Join rendered frames and the melody to an MP4: `python sample/encode.py FRAMES OUT.mp4`."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from melody import RATE, melody

RATE_OF_FRAMES = 24
AAC_BLOCK = 1024


def encode(frames: Path, destination: Path, crf: int = 18) -> None:
    """H.264 with BT.709 tags and AAC, both exactly as long as the frames last."""
    pictures = sorted(frames.glob("*.png"))
    sound = melody(len(pictures) / RATE_OF_FRAMES)
    with av.open(str(destination), "w", options={"movflags": "+faststart"}) as container:
        video = _video_stream(container, crf)
        audio = container.add_stream("aac", rate=RATE, layout="stereo")
        audio.bit_rate = 128_000
        for index, path in enumerate(pictures):
            container.mux(video.encode(_picture(path, index)))
        container.mux(video.encode(None))
        for start in range(0, sound.shape[1], AAC_BLOCK):
            container.mux(audio.encode(_block(sound, start)))
        container.mux(audio.encode(None))


def _video_stream(container: av.container.OutputContainer, crf: int) -> av.VideoStream:
    video = container.add_stream("libx264", rate=RATE_OF_FRAMES)
    video.width = video.height = 512
    video.pix_fmt = "yuv420p"
    video.options = {"crf": str(crf), "preset": "veryslow", "x264-params": "threads=1"}
    context = video.codec_context
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    return video


def _picture(path: Path, index: int) -> av.VideoFrame:
    rgb = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        dst_color_primaries=ColorPrimaries.BT709,
        dst_color_trc=ColorTrc.BT709,
    )
    frame.pts, frame.time_base = index, Fraction(1, RATE_OF_FRAMES)
    return frame


def _block(sound: np.ndarray, start: int) -> av.AudioFrame:
    block = np.ascontiguousarray(sound[:, start : start + AAC_BLOCK])
    frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
    return frame


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", type=Path)
    parser.add_argument("destination", type=Path)
    chosen = parser.parse_args()
    encode(chosen.frames, chosen.destination)
