"""Web front ends' prompt syntax is told instead of being painted."""

from __future__ import annotations

import pytest
from fresco_engine.diffusion.prompting.wording import lora_tags, plain_words, wording_doubts
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import RunWarned

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
        ("ink, <hypernet:wash:1>", "hypernetworks are not read here"),
        ("ink, <lora:wash:high>", "no weight is read in <lora:wash:high>"),
        ("ink, <lyco:wash:1:0.5>", "of the weights in <lyco:wash:1:0.5> in the prompt only the"),
        ("(ink <lora:wash:1>", "the bracket ( at “(ink”"),
        ("{oil|ink} town", "{oil|ink} in the prompt is taken as plain words"),
        ("a __colour__ town", "__colour__ in the prompt"),
        ("ink AND a town", "AND in the prompt"),
        ("{oil|ink} AND __colour__", "{oil|ink}, __colour__, AND in the prompt are taken"),
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
        "A TOWN AND A RIVER",
        "breakfast on a table, a break in the clouds",
        "snow [heavy], 'oil: thick' and ink; x < y > z",
        "(blue:1.2) [oil:ink:0.5] [oil|ink] ((town)) BREAK rain, embedding flowers in resin",
        "<lora:ink:0,8> <lora:wash>",
        "",
    ],
)
def test_plain_english_is_not_suspected(text: str) -> None:
    assert list(wording_doubts([text])) == []


def test_loras_are_read_with_their_weights() -> None:
    tags = lora_tags("a <lora:ink:0.8> b <LYCO: my wash > <lora:cut:-1,5> <hypernet:no:1>")

    assert [(tag.name, tag.weight) for tag in tags] == [("ink", 0.8), ("my wash", 1), ("cut", -1.5)]


def test_a_job_warns_of_every_text_it_has(make_clip: MakeClip, tiny_model: object) -> None:
    settings = RestyleSettings(
        prompt="blue <hypernet:ink:1>",
        negative_prompt="bad)",
        keyframe_prompts={0: "(of:1,2)"},
        size=64,
        steps=1,
        control="none",
    )

    events = list(restyle(make_clip(1), settings, tiny_model))  # type: ignore[arg-type]

    warnings = " ".join(event.message for event in events if isinstance(event, RunWarned))
    assert "<hypernet:ink:1>" in warnings
    assert "at “bad)”" in warnings
    assert "write 1.2" in warnings
