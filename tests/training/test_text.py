from pathlib import Path

import numpy as np
import pytest
import torch
from fresco_training import prompts, text
from fresco_training.styles import STYLES
from transformers import CLIPTokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    text.build_tokenizer(folder, merges=200)
    return CLIPTokenizer.from_pretrained(folder)


@pytest.mark.parametrize(
    "words",
    ["a red car, watercolour", "zqxv 42", "日本語 élan naïve", "emoji 🙂 too", "don't stop-me"],
)
def test_any_words_come_back_from_their_tokens(tokenizer: CLIPTokenizer, words: str) -> None:
    ids = tokenizer(words).input_ids

    assert ids[0] == tokenizer.bos_token_id
    assert ids[-1] == tokenizer.eos_token_id
    assert tokenizer.unk_token_id not in ids[1:-1]
    decoded = tokenizer.decode(ids, skip_special_tokens=True)
    assert decoded.replace(" ", "") == words.replace(" ", "")


def test_more_merges_make_common_words_shorter(tmp_path: Path) -> None:
    few = text.build_tokenizer(tmp_path / "few", merges=5)
    many = text.build_tokenizer(tmp_path / "many", merges=600)

    lengths = [len(t("watercolor painting").input_ids) for t in (few, many)]

    assert lengths[0] > lengths[1] == 4


def test_tokens_are_padded_and_cut_to_the_encoders_length(tokenizer: CLIPTokenizer) -> None:
    ids = text.tokenize(tokenizer, ["", "word " * 200])

    assert ids.shape == (2, text.LENGTH)
    assert (ids[:, -1] == tokenizer.eos_token_id).all()


def test_pretraining_changes_the_encoder_and_repeats_for_a_seed(tokenizer: CLIPTokenizer) -> None:
    encoders, starts, accuracies = [], [], []

    for _ in range(2):
        torch.manual_seed(0)
        encoder = text.build_encoder(tokenizer)
        encoders.append(encoder)
        starts.append(encoder.embeddings.token_embedding.weight.detach().clone())
        accuracies.append(text.pretrain(encoder, tokenizer, steps=2, seed=3, batch=6))

    taught = [e.embeddings.token_embedding.weight for e in encoders]
    assert accuracies[0] == accuracies[1]
    torch.testing.assert_close(taught[0], taught[1], rtol=0, atol=0)
    assert (taught[0] - starts[0]).abs().max() > 1e-4


@pytest.mark.parametrize("style", STYLES)
def test_prompts_name_their_style(style: str) -> None:
    rng = np.random.default_rng(0)

    texts = [prompts.prompt(style, rng) for _ in range(40)]

    named = [any(word in t for word in prompts.STYLE_WORDS[style]) for t in texts]
    assert len(set(texts)) > 30
    assert all(named) or style == "photo"


def test_no_phrase_stands_for_two_styles() -> None:
    phrases = [word for words in prompts.STYLE_WORDS.values() for word in words]

    assert len(phrases) == len(set(phrases))
