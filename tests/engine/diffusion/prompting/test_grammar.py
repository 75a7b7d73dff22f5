"""Prompts are read as web front ends read them, and what may be meant otherwise is told."""

from __future__ import annotations

import pytest
from fresco_engine.diffusion.prompting.grammar import Moment, parse
from hypothesis import given
from hypothesis import strategies as st


def said(text: str, step: int = 0, steps: int = 1) -> list[list[tuple[str, float]]]:
    """Each section's words with their weights, to three decimals."""
    sections = parse(text).sections(Moment(step, steps))
    return [[(one.text, round(one.weight, 3)) for one in section] for section in sections]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a (blue:1.3) dog", [("a ", 1.0), ("blue", 1.3), (" dog", 1.0)]),
        ("((blue)) dog", [("blue", 1.21), (" dog", 1.0)]),
        ("[blue] dog", [("blue", 0.909), (" dog", 1.0)]),
        ("([blue])", [("blue", 1.0)]),
        ("((blue:1.5) dog)", [("blue", 1.65), (" dog", 1.1)]),
        ("(blue: .5)", [("blue", 0.5)]),
        ("(ratio 3:2, wide:1.2)", [("ratio 3:2, wide", 1.2)]),
        ("(:1.2)", []),
        (r"a \(blue\) \[dog\]", [("a (blue) [dog]", 1.0)]),
        (r"(a \(b\):1.2)", [("a (b)", 1.2)]),
        (r"C:\dogs \\(blue)", [("C:\\dogs \\", 1.0), ("blue", 1.1)]),
        ("seen at 10:30 | 3:2", [("seen at 10:30 | 3:2", 1.0)]),
        ("BREAKFAST, a break", [("BREAKFAST, a break", 1.0)]),
        ("", []),
    ],
)
def test_brackets_weigh_what_is_in_them(text: str, pieces: list[tuple[str, float]]) -> None:
    assert said(text) == [pieces]
    assert parse(text).doubts == ()


def test_break_begins_a_new_section_also_in_brackets() -> None:
    sections = said("ink BREAK (town BREAK blue:1.2)")

    words = [[(text.strip(), weight) for text, weight in section] for section in sections]
    assert [[one for one in section if one[0]] for section in words] == [
        [("ink", 1.0)],
        [("town", 1.2)],
        [("blue", 1.2)],
    ]


@pytest.mark.parametrize(
    ("text", "by_step"),
    [
        ("[oil:ink:0.5]", ["oil", "oil", "ink", "ink"]),
        ("[oil:ink:3]", ["oil", "oil", "oil", "ink"]),
        ("[oil:ink:1.0]", ["oil", "oil", "oil", "oil"]),
        ("[ink:.25]", ["", "ink", "ink", "ink"]),
        ("[oil::1]", ["oil", "", "", ""]),
        ("[oil|ink]", ["oil", "ink", "oil", "ink"]),
        ("[oil|ink|chalk]", ["oil", "ink", "chalk", "oil"]),
        ("[[oil|ink]:chalk:0.5]", ["oil", "ink", "chalk", "chalk"]),
    ],
)
def test_words_change_with_the_steps(text: str, by_step: list[str]) -> None:
    read = [said(text, step, 4) for step in range(4)]

    assert ["".join(one for one, _ in section[0]) for section in read] == by_step
    assert parse(text).doubts == ()


def test_weights_hold_in_what_changes() -> None:
    assert said("([oil:(ink:2):0.5] town:1.5)", 1, 2) == [[("ink", 3.0), (" town", 1.5)]]


@pytest.mark.parametrize(
    ("text", "words", "doubt"),
    [
        ("a (blue dog", "a (blue dog", r"( at “a (blue dog” in the prompt is never closed"),
        ("a blue) dog", "a blue) dog", "never opened, and is taken as a plain character"),
        ("a [blue dog", "a [blue dog", "never closed"),
        ("(a [blue) dog]", "(a blue) dog", "never opened"),
        ("(blue:1,2)", "blue", "comma in (blue:1,2) in the prompt is read as a decimal mark"),
        ("(at 10:30)", "at 10", "read as a weight of 30"),
        ("(blue:-1)", "blue", "read as a weight of -1"),
        ("[a|b:c]", "a|b:c", "read as weaker words"),
        ("[a:b:c:2]", "a:b:c:2", "read as weaker words"),
    ],
)
def test_what_may_be_meant_otherwise_is_told(text: str, words: str, doubt: str) -> None:
    prompt = parse(text)

    assert "".join(piece.text for piece in prompt.sections(Moment())[0]) == words
    assert doubt in " ".join(prompt.doubts)


@given(st.text("ab ()[]:|\\,.19BREAK"))
def test_every_text_can_be_read(text: str) -> None:
    for step in range(2):
        assert parse(text).sections(Moment(step, 2))


@given(st.text("abc ,.:|-'éB"))
def test_a_text_without_syntax_stays_as_it_is(text: str) -> None:
    pieces = parse(text).sections(Moment())[0]

    assert [(one.text, one.weight) for one in pieces] == ([(text, 1.0)] if text else [])


def test_brackets_within_brackets_without_end_are_read() -> None:
    ((first, *_),) = said("(" * 3000 + "ink" + ")" * 3000)

    assert first == ("(" * 2980 + "ink", round(1.1**20, 3))
