"""Clips as cameras, recorders and compositors make them, and files that only look like clips."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from fresco_media.stills.images import write_image
from PIL import Image as Pillow

from tests.bad_input.situations import Stage, Table
from tests.media import makers
from tests.media.conftest import Recipe, picture, write_recipe
from tests.media.hearing import Track, write_sounding

TABLE = Table()
_PROPAGATE = "propagate {} keys -o {} --fast"
_REFERENCE = (
    "…: it is a playlist or another file that only names media stored elsewhere; "
    "choose the video itself"
)


def _film(path: Path, **choices: object) -> None:
    write_recipe(path, Recipe(**choices))  # pyright: ignore[reportArgumentType]


@TABLE.situation("a playlist", "keyframes list.mp4", _REFERENCE)
def _playlist(stage: Stage) -> None:
    stage.clip("other.mp4")
    (stage.folder / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nother.mp4\n", encoding="utf-8")


@TABLE.situation("a list of parts to join", "keyframes list.mov", _REFERENCE)
def _parts(stage: Stage) -> None:
    stage.clip("other.mp4")
    (stage.folder / "list.mov").write_text("ffconcat version 1.0\nfile other.mp4\n", "utf-8")


if hasattr(os, "mkfifo"):

    @TABLE.situation("a pipe", "keyframes pipe.mp4", "…: it is a pipe, not a file; choose a file")
    def _pipe(stage: Stage) -> None:
        os.mkfifo(stage.folder / "pipe.mp4")


@TABLE.situation(
    "recordings joined byte by byte",
    _PROPAGATE.format("joined.ts", "out.mp4"),
    "the time stamps start over once, as where recordings were joined; the parts follow each "
    "other without a gap",
    code=0,
    then=lambda ended: ended.result().info.frame_count == 24,
)
def _joined(stage: Stage) -> None:
    _film(stage.folder / "part.ts", options={"bf": "0"})
    part = (stage.folder / "part.ts").read_bytes()
    (stage.folder / "joined.ts").write_bytes(part + part)
    stage.keys("key_0002.png")


@TABLE.situation(
    "HDR",
    "keyframes hlg.mov",
    "the clip is HDR (HLG); it is tone-mapped, and the result is SDR (BT.709)",
    code=0,
)
def _hdr(stage: Stage) -> None:
    _film(stage.folder / "hlg.mov", pixel_format="yuv420p10le", tags=(9, 18, 9, 1))


@TABLE.situation(
    "a wide gamut",
    "keyframes wide.mov",
    "the clip's colours (BT.2020) are converted, and the result is BT.709",
    code=0,
)
def _wide(stage: Stage) -> None:
    _film(stage.folder / "wide.mov", pixel_format="yuv420p10le", tags=(9, 14, 9, 1))


@TABLE.situation(
    "colours that nobody reads alike",
    "keyframes odd.mov",
    "…: its colour matrix (YCgCo) cannot be read; convert it to BT.709, …",
)
def _matrix(stage: Stage) -> None:
    _film(stage.folder / "odd.mov", tags=(1, 1, 8, 1))


@TABLE.situation(
    "transparency",
    "keyframes clear.mov",
    "what is transparent in the clip is laid over black; of results, only a lossless .mkv keeps it",
    code=0,
)
def _alpha(stage: Stage) -> None:
    _film(stage.folder / "clear.mov", codec="qtrle", pixel_format="argb", options={})


@TABLE.situation(
    "pixels that are not square, as pictures",
    _PROPAGATE.format("dv.mp4", "out_%04d.png"),
    "the clip's pixels are not square; its pictures are written as they are shown, at 64x72",
    code=0,
)
def _anamorphic(stage: Stage) -> None:
    _film(stage.folder / "dv.mp4", size=(48, 72), sample_aspect=Fraction(4, 3))
    stage.keys("key_0002.png", size=(64, 72))


@TABLE.situation(
    "an EXR sequence",
    "keyframes shot",
    "the pictures hold linear light; it is shown as sRGB, clipped above white",
    code=0,
)
def _exr(stage: Stage) -> None:
    (stage.folder / "shot").mkdir()
    for number in range(1, 7):
        light = np.full((48, 64, 3), number / 9, np.float32)
        (stage.folder / "shot" / f"a_{number:04d}.exr").write_bytes(makers.exr(light))


@TABLE.situation(
    "what a camera calls raw",
    "keyframes raw.dng",
    "raw.dng: it is a camera's raw picture, which is not developed here; develop it and export …",
)
def _raw(stage: Stage) -> None:
    tags = {256: 2, 257: 2, 258: 8, 259: 1, 262: 1, 273: 134, 277: 1, 279: 4, 50706: 0x401}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    data = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + bytes(4)
    (stage.folder / "raw.dng").write_bytes(data)


@TABLE.situation(
    "pixels of a shape that cannot be meant",
    "keyframes odd.y4m",
    "the file says that its pixels are 65535 times as wide as high, which cannot be meant; they …",
    code=0,
)
def _stretched(stage: Stage) -> None:
    head = b"YUV4MPEG2 W64 H48 F25:1 Ip A65535:1 C420jpeg\n"
    frames = (b"FRAME\n" + bytes([40 * number]) * (64 * 48 * 3 // 2) for number in range(6))
    (stage.folder / "odd.y4m").write_bytes(head + b"".join(frames))


@TABLE.situation(
    "a drawing named like a picture",
    "keyframes drawing.png",
    "…: it is empty, damaged or not a picture that is read here (…",
)
def _drawing(stage: Stage) -> None:
    text = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\nshowpage\n"
    (stage.folder / "drawing.png").write_text(text, encoding="utf-8")


@TABLE.situation(
    "a picture that would fill the memory",
    "keyframes huge.png",
    "…: it is 30000x24000, more than the 268 million pixels that are read; make it smaller",
)
def _huge(stage: Stage) -> None:
    Pillow.new("1", (30_000, 24_000)).save(stage.folder / "huge.png")


@TABLE.situation(
    "a very long and thin clip",
    _PROPAGATE.format("thin", "out_%04d.png") + " --size 64",
    "the clip is so long and thin (4096x16) that its short side cannot have the size asked for; "
    "it is worked on at …",
    code=0,
)
def _thin(stage: Stage) -> None:
    (stage.folder / "thin").mkdir()
    for number in range(2):
        write_image(stage.folder / "thin" / f"{number:04d}.png", picture(number, (4096, 16)))
    stage.keys("key_0000.png", size=(4096, 16))


def _sounding(name: str, codec: str) -> Callable[[Stage], None]:
    def make(stage: Stage) -> None:
        write_sounding(stage.folder / name, Track(codec=codec))
        stage.keys("key_0002.png")

    return make


for _name, _codec in (("pcm.mkv", "pcm_s16le"), ("phone.mov", "pcm_mulaw")):
    TABLE.situation(
        "sound that few players take",
        _PROPAGATE.format(_name, "out.mp4"),
        f"sound track 1 is encoded anew as AAC, because few players take {_codec} in files of "
        "this type; name the result .mov or .mkv to lose nothing",
        code=0,
    )(_sounding(_name, _codec))
