"""Trigger words and pictures that people and programs keep beside and in files of weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from fresco_engine.diffusion.beside import beside
from safetensors.torch import save_file


def weights(folder: Path, **notes: str) -> Path:
    path = folder / "ink.v1.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata=notes)
    return path


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ink.v1.civitai.info", {"trainedWords": ["ink wash", "soft"]}),
        ("ink.v1.json", {"activation text": "ink wash, soft", "preferred weight": 0.8}),
    ],
)
def test_words_come_from_the_text_beside(
    tmp_path: Path, name: str, values: dict[str, object]
) -> None:
    (tmp_path / name).write_text(json.dumps(values))

    assert beside(weights(tmp_path)).trigger_words == ("ink wash", "soft")


def test_words_come_from_the_makers_notes_and_else_from_the_captions(tmp_path: Path) -> None:
    counts = json.dumps({"10_a": {"ink": 5, "town": 7}, "5_b": {"ink": 4, " sky": 1}})

    frequent = beside(weights(tmp_path, ss_tag_frequency=counts)).trigger_words
    noted = weights(tmp_path, ss_tag_frequency=counts, **{"modelspec.trigger_phrase": "inkstyle"})

    assert frequent == ("ink", "town", "sky")
    assert beside(noted).trigger_words == ("inkstyle",)


@pytest.mark.parametrize("ending", [".preview.png", ".png", ".preview.jpg", ".webp"])
def test_the_picture_beside_is_found(tmp_path: Path, ending: str) -> None:
    picture = tmp_path / f"ink.v1{ending}"
    picture.write_bytes(b"")

    assert beside(weights(tmp_path)).preview == picture


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        '{"trainedWords": {"a": "x"}}',
        '{"trainedWords": [1, null, ["x"]]}',
        '{"activation text": 5}',
        "[" * 5000,
        '{"trainedWords": ["' + "x" * (1 << 20) + '"]}',
    ],
)
def test_texts_of_strangers_say_nothing_or_are_bounded(tmp_path: Path, text: str) -> None:
    (tmp_path / "ink.v1.civitai.info").write_text(text)

    assert beside(weights(tmp_path, ss_tag_frequency=text)).trigger_words == ()


def test_what_is_shown_is_short_and_plain(tmp_path: Path) -> None:
    words = ["a\x1b[2J\u202eb", *(f"{n} " + "x" * 500 for n in range(50))]
    (tmp_path / "ink.v1.civitai.info").write_text(json.dumps({"trainedWords": words}))

    found = beside(weights(tmp_path)).trigger_words

    assert found[0] == "a\\x1b[2J\\u202eb"
    assert len(found) == 12
    assert all(len(word) <= 200 and word.isprintable() for word in found)
