"""Clips that are missing, damaged, or otherwise than most."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from tests.bad_input.situations import Ended, Stage, Table

TABLE = Table()
_PROPAGATE = "propagate {} keys -o out.mp4 --fast"
_NO_VIDEO = (
    "…: it is not a video, or its beginning is damaged (an interrupted copy or recording does "
    "that); check that it plays in a video player, then copy or export it again"
)


def _film(
    path: Path,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    *,
    size: tuple[int, int] = (64, 48),
    stamps: tuple[int, ...] = tuple(range(12)),
    base: Fraction = Fraction(1, 12),
    rotation: int = 0,
) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=12)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.codec_context.time_base = base
        if rotation:
            stream.set_display_rotation(rotation)
        for place, stamp in enumerate(stamps):
            picture = np.full((size[1], size[0], 3), 60 + 10 * place, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format=pixel_format)
            frame.pts, frame.time_base = stamp, base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _tone(path: Path) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _seconds(ended: Ended) -> list[Fraction]:
    info = ended.result().info
    return [time * info.time_base for time in info.times]


@TABLE.situation(
    "a file that is not there", "keyframes no.mp4", "…: there is no such file; check the path"
)
def _no_file(stage: Stage) -> None:
    """An empty folder."""


@TABLE.situation(
    "an empty file", "keyframes empty.mp4", "…: the file is empty; copy or export it again"
)
def _empty(stage: Stage) -> None:
    (stage.folder / "empty.mp4").write_bytes(b"")


@TABLE.situation(
    "text with the name of a video", "keyframes notes.mp4", "…: it is a text file, not a video"
)
def _text(stage: Stage) -> None:
    (stage.folder / "notes.mp4").write_text("not a video", encoding="utf-8")


@TABLE.situation("a recording that was cut off before its index", "keyframes cut.mp4", _NO_VIDEO)
def _without_index(stage: Stage) -> None:
    path = stage.clip("cut.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@TABLE.situation(
    "a copy that was cut off after its index",
    _PROPAGATE.format("cut.mkv"),
    "the file ends early, as an interrupted copy does; the … frames that are there are used",
    code=0,
)
def _cut_off(stage: Stage) -> None:
    path = stage.folder / "cut.mkv"
    _film(path, "mjpeg", "yuvj420p")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    stage.keys("key_0000.png")


@TABLE.situation(
    "sound only",
    "keyframes song.wav",
    "…: the file holds sound but no video; choose a video or an image sequence",
)
def _sound(stage: Stage) -> None:
    _tone(stage.folder / "song.wav")


@TABLE.situation(
    "a clip of one frame",
    _PROPAGATE.format("clip.mp4"),
    code=0,
    does="works",
    then=lambda ended: ended.result().info.frame_count == 1,
)
def _one_frame(stage: Stage) -> None:
    stage.clip(frame_count=1)
    stage.keys("key_0000.png")


@TABLE.situation(
    "a variable frame rate",
    _PROPAGATE.format("phone.mp4"),
    code=0,
    does="every frame keeps its time",
    then=lambda ended: [round(1000 * time) for time in _seconds(ended)] == [0, 33, 133, 500, 533],
)
def _variable(stage: Stage) -> None:
    path = stage.folder / "phone.mp4"
    _film(path, stamps=(0, 33, 133, 500, 533), base=Fraction(1, 1000))
    stage.keys("key_0002.png")


@TABLE.situation(
    "a clip that its file turns",
    _PROPAGATE.format("turned.mp4"),
    code=0,
    does="worked on and written upright",
    then=lambda ended: (ended.result().info.width, ended.result().info.rotation) == (48, 0),
)
def _turned(stage: Stage) -> None:
    _film(stage.folder / "turned.mp4", rotation=90)
    stage.keys("key_0002.png", size=(48, 64))


@TABLE.situation(
    "odd sides",
    _PROPAGATE.format("odd.mkv"),
    "the clip's size 63x47 is odd, which H.264 can only hold as 4:4:4; QuickTime, Safari and some "
    "editors do not open that, so crop the clip to even sides first if you need them",
    code=0,
)
def _odd(stage: Stage) -> None:
    _film(stage.folder / "odd.mkv", "ffv1", "yuv444p", size=(63, 47))
    stage.keys("key_0002.png", size=(63, 47))


@TABLE.situation(
    "10 bits",
    _PROPAGATE.format("deep.mkv"),
    code=0,
    does="worked on in 8 bits",
    then=lambda ended: ended.result().info.bit_depth == 8,
)
def _deep(stage: Stage) -> None:
    _film(stage.folder / "deep.mkv", "ffv1", "yuv420p10le")
    stage.keys("key_0002.png")


@TABLE.situation(
    "4K",
    _PROPAGATE.format("large.mp4") + " --size 64",
    code=0,
    does="worked on at `--size`, written at its own size",
    then=lambda ended: ended.result().info.width == 3840,
)
def _large(stage: Stage) -> None:
    _film(stage.folder / "large.mp4", size=(3840, 2160), stamps=(0,))
    stage.keys("key_0000.png", size=(960, 540))


@TABLE.situation(
    "an image sequence with holes",
    "keyframes shot",
    "…: the image sequence has no frame 3, 4; add the missing files or take the parts one by one",
)
def _holes(stage: Stage) -> None:
    stage.pictures((1, 2, 5, 6))


@TABLE.situation(
    "pictures whose names end in the number of a version",
    "propagate shot keys -o out.mp4 --fast",
    code=0,
    does="go by the number that counts their frames",
    then=lambda ended: ended.result().info.frame_count == 12,
)
def _versions(stage: Stage) -> None:
    stage.keys("key_0003.png")
    for picture in stage.pictures(range(12)).iterdir():
        picture.rename(picture.with_stem(f"{picture.stem}_final_v2"))


@TABLE.situation(
    "pictures that are not numbered alike",
    "keyframes shot",
    "…: the folder holds pictures that are not numbered alike; name a picture of one, such as "
    "beach1.png or forest2.png",
)
def _unlike(stage: Stage) -> None:
    folder = stage.pictures((1, 2))
    (folder / "0001.png").rename(folder / "beach1.png")
    (folder / "0002.png").rename(folder / "forest2.png")


@TABLE.situation(
    "a picture beside an image sequence",
    "keyframes shot",
    "1 other picture in the folder is not numbered like the sequence and not used: sheet.png",
    code=0,
)
def _beside(stage: Stage) -> None:
    folder = stage.pictures(range(4))
    (folder / "0003.png").rename(folder / "sheet.png")


TABLE.plain(
    "a range that the clip has not",
    "restyle clip.mp4 -o out.mp4 -p ink --range 4:400 --local",
    "…: the range 4:400 was asked for, but the clip has frames 0 to 11; choose a range inside it",
)
TABLE.plain(
    "a frame that the clip has not",
    "look clip.mp4 --frame 99 -o look.png -p ink --local",
    "…: frame 99 was asked for, but the clip has frames 0 to 11; choose a range inside it",
)


@TABLE.situation(
    "spaces, quotes, other scripts in names",
    "propagate \"it's [bold] снег 100%.mp4\" keys -o 'Größe 雪.mp4' --fast",
    code=0,
    does="works",
    then=lambda ended: ended.result("Größe 雪.mp4").info.frame_count == 12,
)
def _any_name(stage: Stage) -> None:
    stage.clip("it's [bold] снег 100%.mp4")
    stage.keys("key_0002.png")


def _steps(ended: Ended) -> set[Fraction]:
    return {later - earlier for earlier, later in pairwise(_seconds(ended))}


@TABLE.situation(
    "a frame rate given with a video, which has one",
    _PROPAGATE.format("clip.mp4") + " --frame-rate 60",
    "the frame rate that was given is not used, as a video knows its own",
    code=0,
)
def _own_rate(stage: Stage) -> None:
    _film(stage.folder / "clip.mp4")
    stage.keys("key_0002.png")


@TABLE.situation(
    "a raw stream, which holds no times",
    _PROPAGATE.format("raw.h264"),
    "the file holds no times; … frames a second are assumed",
    code=0,
    then=lambda ended: len(_steps(ended)) == 1,
)
def _raw(stage: Stage) -> None:
    _film(stage.folder / "raw.h264")
    stage.keys("key_0002.png")
