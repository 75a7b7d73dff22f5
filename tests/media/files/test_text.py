"""Foreign text cannot steer terminals, logs or eyes."""

from __future__ import annotations

import io
import json
import logging

import pytest
from fresco_media.files.text import PrintableFormatter, counted, printable, printable_json, sized


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07clip", r"\x1b]0;owned\x07clip"),
        ("\x9b31mred", r"\x9b31mred"),
        ("one\nError: two\r", r"one\nError: two\r"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("a\u2028b\u2066c", r"a\u2028b\u2066c"),
        ("a\0b\x7f", r"a\x00b\x7f"),
        ("caf\udce9.mp4", r"caf\xe9.mp4"),
    ],
)
def test_what_steers_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["Ünïcödé — 水彩画", "می\u200cخواهم", "👩\u200d🎨", "e\u0301", "a\u00a0b", "\\x1b"]
)
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


def test_a_document_means_the_same_without_what_steers() -> None:
    values = {"title": "\x9b31m \u202e \x1b[2J \udce9 é"}
    document = json.dumps(values, ensure_ascii=False)

    shown = printable_json(document)

    assert json.loads(shown) == values
    assert printable(shown) == shown


def test_no_log_line_can_be_forged() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PrintableFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)

    logger.info("clip %s", "a.mp4\nERROR forged\x1b[2J")
    try:
        raise ValueError("told\nERROR forged")
    except ValueError:
        logger.exception("failed")

    lines = stream.getvalue().splitlines()
    assert sum(line.startswith("ERROR") for line in lines) == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("count", "words", "said"),
    [
        (0, ("frame",), "0 frames"),
        (1, ("frame",), "1 frame"),
        (2, ("sound track",), "2 sound tracks"),
        (1, ("job goes", "jobs go"), "1 job goes"),
        (21, ("job goes", "jobs go"), "21 jobs go"),
    ],
)
def test_what_is_counted_agrees_with_its_number(
    count: int, words: tuple[str, ...], said: str
) -> None:
    assert counted(count, *words) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (20_000_000, "20 MB"),
        (99_000_000, "99 MB"),
        (1_500_000_000, "1.5 GB"),
        (235_000_000_000, "235 GB"),
        (2e12, "2.0 TB"),
    ],
)
def test_a_size_above_nothing_is_never_told_as_nothing(count: float, said: str) -> None:
    assert sized(count) == said
