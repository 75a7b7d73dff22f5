"""Painted keys that cannot be used, or are otherwise than the clip."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from PIL import Image as Pillow

from tests.bad_input.situations import Stage, Table

TABLE = Table()
_RUN = "propagate clip.mp4 keys -o out.mp4 --fast"


@TABLE.situation(
    "no pictures among the keys",
    _RUN,
    "…: the folder holds no pictures; name every key by its frame, for example key_0024.png",
)
def _none(stage: Stage) -> None:
    stage.clip()
    stage.keys()


@TABLE.situation("keys without a number in their names", _RUN, "…no frame number in this name…")
def _no_number(stage: Stage) -> None:
    stage.clip()
    stage.keys("one.png")


@TABLE.situation(
    "two keys for one frame",
    _RUN,
    "…: a3.png and b003.png are both frame 3; move one of them elsewhere",
)
def _twice(stage: Stage) -> None:
    stage.clip()
    stage.keys("a3.png", "b003.png")


@TABLE.situation(
    "a key whose number is not in the clip",
    _RUN,
    "…: the clip has no frame 400, only 0 to 11; rename the file or move it elsewhere",
)
def _not_in_clip(stage: Stage) -> None:
    stage.clip()
    stage.keys("key_0003.png", "key_0400.png")


@TABLE.situation(
    "a picture without a number among the keys",
    _RUN,
    "palette.png has no number in its name and is not used",
    code=0,
)
def _palette(stage: Stage) -> None:
    stage.clip()
    stage.keys("key_0003.png", "palette.png")


@TABLE.situation(
    "a document of a paint program among the keys",
    _RUN,
    "key_0007.kra is of a kind that is not read here and is not used; save it as PNG",
    code=0,
)
def _document(stage: Stage) -> None:
    stage.clip()
    (stage.keys("key_0003.png") / "key_0007.kra").write_bytes(b"PK")


@TABLE.situation(
    "a key outside the range",
    _RUN + " --range 0:6",
    "key_0009.png lies outside the range and is not used",
    code=0,
)
def _outside(stage: Stage) -> None:
    stage.clip()
    stage.keys("key_0003.png", "key_0009.png")


@TABLE.situation(
    "a key of another size",
    _RUN,
    "key_0003.png is 128x96 and was resized to the clip's 64x48",
    code=0,
)
def _other_size(stage: Stage) -> None:
    stage.clip()
    stage.keys("key_0003.png", size=(128, 96))


@TABLE.situation(
    "a key of another shape",
    _RUN,
    "…: it is 48x64 and the clip 64x48, which is another shape; paint it over a frame of the clip",
)
def _other_shape(stage: Stage) -> None:
    stage.clip()
    stage.keys("key_0003.png", size=(48, 64))


@TABLE.situation(
    "a key that is no picture",
    _RUN,
    "…: it is empty, damaged or not a picture that is read here (PNG, JPEG, TIFF, WebP, EXR, DPX, "
    "TGA, AVIF and a few more); export it again as PNG or JPEG",
)
def _damaged(stage: Stage) -> None:
    stage.clip()
    (stage.keys() / "key_0003.png").write_bytes(b"no picture")


@TABLE.situation(
    "a shot without a key",
    _RUN,
    "1 of the clip's 2 shots hold no key, so that the look is carried over a cut; "
    "paint a key in every shot",
    code=0,
)
def _shot_without_key(stage: Stage) -> None:
    _cut(stage.folder / "clip.mp4")
    stage.keys("key_0002.png")


@TABLE.situation(
    "a key that is a transparent layer",
    _RUN,
    "key_0003.png is laid over the clip's frame, which shows where it is transparent",
    code=0,
)
def _layer(stage: Stage) -> None:
    stage.clip()
    _write_layer(stage.keys() / "key_0003.png", 255)


@TABLE.situation(
    "a key that is an empty layer", _RUN, "key_0003.png is wholly transparent, …", code=0
)
def _empty_layer(stage: Stage) -> None:
    stage.clip()
    _write_layer(stage.keys() / "key_0003.png", 0)


@TABLE.situation(
    "keys that may be numbered from 1",
    _RUN,
    "…so add --first-number 1 if the keys are counted from 1, or rename the file …",
)
def _from_one(stage: Stage) -> None:
    stage.clip()
    stage.keys("key_0001.png", "key_0012.png")


def _write_layer(path: Path, alpha: int) -> None:
    """A brush stroke in the middle of nothing."""
    layer = np.zeros((48, 64, 4), np.uint8)
    layer[10:30, 20:40] = (200, 60, 90, alpha)
    Pillow.fromarray(layer, "RGBA").save(path)


TABLE.plain(
    "results among the keys",
    "propagate clip.mp4 keys -o keys/%04d.png --fast",
    "…: this is where the painted keys are; choose another name or folder for the result",
)


def _cut(path: Path) -> None:
    """Twelve frames, the last six of another scene."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=12)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(12):
            random = np.random.default_rng(index // 6)
            coarse = random.integers(0, 256, (6, 8, 3), np.uint8)
            picture = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
