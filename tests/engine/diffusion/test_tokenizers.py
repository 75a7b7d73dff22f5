"""CLIP's tokenizer, which comes with the program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fresco_engine.diffusion.tokenizers import CLIPS, CLIPS_WORDS, find_tokenizer
from fresco_engine.errors import ModelNotFound


def test_a_checkpoint_alone_is_read_with_clips_words(tmp_path: Path) -> None:
    tokenizer = find_tokenizer(tmp_path / "alone.safetensors", None, CLIPS_WORDS)

    # Numbers that the published tokenizer gives these words.
    assert tokenizer("a photo of an astronaut riding a horse").input_ids == [
        *(49406, 320, 1125, 539, 550, 18376, 6765, 320, 4558, 49407)
    ]
    spoken = tokenizer("Don't STOP, café!").input_ids[1:-1]
    assert tokenizer.decode(spoken) == "don 't stop , café !"


def test_the_vocabulary_follows_from_the_merges() -> None:
    vocabulary = json.loads((CLIPS / "vocab.json").read_text("utf-8"))
    lines = (CLIPS / "merges.txt").read_text("utf-8").splitlines()

    assert sorted(vocabulary.values()) == list(range(CLIPS_WORDS))
    merged = [line.replace(" ", "") for line in lines[1:]]
    assert merged == list(vocabulary)[512:-2]


def test_words_of_its_own_want_a_tokenizer_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"knows 60 words.*beside it"):
        find_tokenizer(tmp_path / "alone.safetensors", None, 60)


def test_a_folder_without_a_tokenizer_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"no vocab\.json and merges\.txt"):
        find_tokenizer(tmp_path / "alone.safetensors", tmp_path, CLIPS_WORDS)
