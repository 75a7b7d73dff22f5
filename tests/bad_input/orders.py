"""Values that are out of range, and words that cannot be used."""

from __future__ import annotations

import numpy as np
from fresco_media.stills.images import write_image
from fresco_media.types import Image

from tests.bad_input.situations import Stage, Table

TABLE = Table()
_RESTYLE = "restyle clip.mp4 -o out.mp4 -p ink --local"

TABLE.plain(
    "an empty prompt",
    "restyle clip.mp4 -o out.mp4 -p '  ' --local",
    "prompt: it is empty; say how the clip should look, for example 'a watercolour', or "
    "choose a style",
)


@TABLE.situation(
    "a prompt that is too long",
    "restyle clip.mp4 -o out.mp4 -p LONG --local --quiet",
    "prompt: it is about … words longer than can be read (1125); shorten it",
)
def _long_prompt(stage: Stage) -> None:
    stage.clip()
    stage.names["LONG"] = "ink, " * 790
    stage.use_real_engine()


@TABLE.situation(
    "a mixture of looks that cannot be read",
    "restyle clip.mp4 -o out.mp4 --style oil:0.7,neon --local --quiet",
    "style: neon has no share; give each look a number above 0, at most 2",
)
def _mixture(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()


for _options, _sentence in (
    ("--size 32", "size: 32 is outside 64 to 2048"),
    ("--steps 0", "steps: 0 is outside 1 to 1000"),
    ("--batch 0", "batch: 0 is outside 1 to 64"),
    ("--strength 1.5", "strength: 1.5 is outside 0 (excluded) to 1"),
    ("--control depth:strong", "control: 'strong' is no strength of depth; give a number of …"),
    ("--guidance 99", "guidance: 99.0 is outside 0 to 50"),
    (
        "--keyframes ten",
        "keyframes: 'ten' is neither of the form MIN:MAX, for example 5:20, nor N,N,..., "
        "as 0,24,48",
    ),
    ("--range 8:2", "range: 8:2 holds no frame…"),
    ("--preset fast", "preset: 'fast' is unknown; use one of draft, standard, best"),
    ("--frame-rate 0", "frame-rate: '0' is no positive number…"),
    ("--frame-prompt x", "frame-prompt: 'x' is not of the form N=TEXT…"),
):
    TABLE.plain("a value out of range or of another form", f"{_RESTYLE} {_options}", _sentence)

TABLE.plain("a decimal comma", f"{_RESTYLE} --strength 0,75", code=0, does="read as 0.75")

_MASKED = f"{_RESTYLE} --subject-mask mask.png"
_PAINT = "paint the subject white on black"


def _with_mask(stage: Stage, *pictures: Image) -> None:
    stage.clip()
    for index, picture in enumerate(pictures):
        number = f"_{index:02d}" if len(pictures) > 1 else ""
        write_image(stage.folder / f"mask{number}.png", picture)


@TABLE.situation(
    "a mask of the subject that is no picture and no film",
    _MASKED,
    "…: it is empty, damaged or not a picture that is read here…",
)
def _broken_mask(stage: Stage) -> None:
    stage.clip()
    (stage.folder / "mask.png").write_bytes(b"no picture")


@TABLE.situation(
    "a mask of the subject that is not there", _MASKED, "…: there is no such file; check the path"
)
def _no_mask(stage: Stage) -> None:
    stage.clip()


@TABLE.situation(
    "a mask of the subject in which nothing is white",
    _MASKED,
    f"…: nothing in its picture is white; {_PAINT}",
)
def _empty_mask(stage: Stage) -> None:
    _with_mask(stage, np.full((48, 64, 3), 90, np.uint8))


@TABLE.situation(
    "a mask of the subject that ends before the clip",
    f"{_RESTYLE} --subject-mask mask_%02d.png",
    "…: it has 5 pictures, but frame 11 of the clip is wanted as well; make it as long as the "
    "clip, or choose a range that it covers",
)
def _short_mask(stage: Stage) -> None:
    _with_mask(stage, *[np.full((48, 64, 3), 255, np.uint8)] * 5)


@TABLE.situation(
    "a mask of the subject of another shape",
    _MASKED,
    "…: its pictures are 48x64 and the clip's 64x48, which is another shape; bring it into the "
    "clip's",
)
def _other_mask(stage: Stage) -> None:
    _with_mask(stage, np.full((64, 48, 3), 255, np.uint8))


@TABLE.situation(
    "a mask of the subject of another size",
    _MASKED,
    code=0,
    does="scaled to the clip",
)
def _large_mask(stage: Stage) -> None:
    _with_mask(stage, np.full((96, 128, 3), 255, np.uint8))


def _with_models(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()


TABLE.situation(
    "a LoRA in the prompt that is nowhere",
    "look clip.mp4 --frame 0 -o look.png -p 'ink <lora:ink:0.8>' --local",
    "prompt: it names the LoRA “ink”, which lies in no model folder; add the LoRA with --lora "
    "ink.safetensors:0.8, or leave it out",
)(_with_models)

TABLE.situation(
    "weights with a comma",
    "look clip.mp4 --frame 0 -o look.png -p 'ink, (blue:1,8)' --local --preset draft --size 64",
    "the comma in (blue:1,8) in the prompt is read as a decimal mark; write 1.8",
    code=0,
)(_with_models)


TABLE.plain(
    "words for a frame that is no keyframe",
    f"{_RESTYLE} --frame-prompt 0=snow --frame-prompt 99=rain",
    "the words for frame 99 are not used…",
    code=0,
)
TABLE.plain(
    "options of `serve` out of range",
    "serve --quota much",
    "quota: 'much' is no size; give for example 500M or 200G",
)
TABLE.plain(
    "options of `serve` out of range", "serve --port 70000", "port: 70000 is outside 0 to 65535"
)
