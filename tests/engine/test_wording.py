"""Web front ends' prompt syntax is told instead of being painted."""

from __future__ import annotations

import pytest
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import RunWarned
from fresco_engine.wording import plain_words, wording_doubts

from tests.engine.conftest import MakeClip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a watercolour, <lora:ink:0.8>, blue", "a watercolour, blue"),
        ("<lora:ink:0.8> a watercolour", "a watercolour"),
        ("ink <LORA: my style :1> wash", "ink wash"),
        ("<lyco:ink:0.5:0.7>, ink", "ink"),
        ("<lora:ink>", ""),
        ("two  spaces, and (brackets) stay <3", "two  spaces, and (brackets) stay <3"),
        ("", ""),
    ],
)
def test_tags_that_name_files_are_left_out_of_the_words(text: str, words: str) -> None:
    assert plain_words(text) == words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ink, <lora:ink:0.8>", "add “ink.safetensors:0.8” as a LoRA"),
        ("ink, <lora:ink>", "add “ink.safetensors” as a LoRA"),
        ("ink, <lyco:wash:1>", "add “wash.safetensors:1” as a LoRA"),
        ("ink, <hypernet:wash:1>", "hypernetworks are not read here"),
        ("ink, (blue:1.8)", "(blue:1.8) in the prompt is taken as plain words"),
        ("ink, (dark blue: .5)", "(dark blue: .5) in the prompt is taken as plain words"),
        ("ink ((blue))", "((blue)) in the prompt"),
        ("[oil:ink:0.5]", "[oil:ink:0.5] in the prompt"),
        ("[oil|ink] of a town", "[oil|ink] in the prompt"),
        ("[[dull]] town", "[[dull]] in the prompt"),
        ("ink BREAK town", "BREAK in the prompt"),
        ("{oil|ink} town", "{oil|ink} in the prompt"),
        ("a __colour__ town", "__colour__ in the prompt"),
        ("bad, embedding:EasyNegative", "embedding:EasyNegative in the prompt"),
        ("(blue:1.8) BREAK", "(blue:1.8), BREAK in the prompt are taken"),
    ],
)
def test_what_is_not_read_is_told(text: str, said: str) -> None:
    (told,) = wording_doubts([text])

    assert said in told


@pytest.mark.parametrize(
    "text",
    [
        "a watercolour painting, soft light",
        "a town (in winter), 3:2, seen at 10:30",
        "breakfast on a table, a break in the clouds",
        "snow [heavy], 'oil: thick' and ink; x < y > z",
        "embedding flowers in resin",
        "",
    ],
)
def test_plain_english_is_not_suspected(text: str) -> None:
    assert list(wording_doubts([text])) == []


def test_a_job_warns_of_every_text_it_has(make_clip: MakeClip, tiny_model: object) -> None:
    settings = RestyleSettings(
        prompt="blue <lora:ink:1>",
        negative_prompt="embedding:bad",
        keyframe_prompts={0: "(of:1.2)"},
        size=64,
        steps=1,
        control="none",
    )

    events = list(restyle(make_clip(1), settings, tiny_model))  # type: ignore[arg-type]

    warnings = " ".join(event.message for event in events if isinstance(event, RunWarned))
    assert "add “ink.safetensors:1” as a LoRA" in warnings
    assert "embedding:bad" in warnings
    assert "(of:1.2)" in warnings
