"""Values that are out of range, and words that cannot be used."""

from __future__ import annotations

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
    "prompt: it is … tokens longer than the model takes (75); shorten it, or this end would be "
    "lost: '…'",
)
def _long_prompt(stage: Stage) -> None:
    stage.clip()
    stage.names["LONG"] = "a watercolour of many colours, " * 60
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


def _with_models(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()


for _words, _sentence in (
    (
        "ink <lora:ink:0.8>",
        "<lora:ink:0.8> in the prompt is left out, as words load no files; add the LoRA …",
    ),
    ("ink, (blue:1.8)", "(blue:1.8) in the prompt is taken as plain words, …"),
):
    TABLE.situation(
        "words of web interfaces",
        f"look clip.mp4 --frame 0 -o look.png -p '{_words}' --local --preset draft --size 64",
        _sentence,
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
