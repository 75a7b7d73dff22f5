"""Prompts through a real tokenizer and text encoder."""

from __future__ import annotations

import logging
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes.tiny_models import TEXT_WIDTH, TOKENS, write_model_folder
from fresco_engine.diffusion.library import FileKind, Library
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.prompting.encoding import MixedPrompt, encode_prompt, encode_steps
from fresco_engine.errors import InvalidSettings
from torch import Tensor


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A small model; every letter that is not in the word blue is one token."""
    folder = write_model_folder(tmp_path_factory.mktemp("model") / "sd", controlnet=False)
    return load_model(folder, control="none")


def test_every_text_gives_one_full_row_of_tokens(model: Model) -> None:
    encoded = encode_prompt(model, ["a blue dog", ""])

    assert encoded.shape == (2, TOKENS, TEXT_WIDTH)
    assert encoded.dtype == model.dtype


def test_texts_do_not_influence_one_another(model: Model) -> None:
    together = encode_prompt(model, ["a blue dog", "rain"])

    alone = encode_prompt(model, ["rain"])

    torch.testing.assert_close(together[1:], alone)


def test_it_is_the_text_encoders_last_hidden_state(model: Model) -> None:
    ids = model.tokenizer(["rain"], padding="max_length", max_length=TOKENS).input_ids

    encoded = encode_prompt(model, ["rain"])

    wanted = model.text_encoder(torch.tensor(ids)).last_hidden_state
    torch.testing.assert_close(encoded, wanted)


@pytest.mark.parametrize("clip_skip", [1, 2])
def test_skipped_layers_leave_what_a_text_encoder_without_them_says(
    model: Model, clip_skip: int
) -> None:
    ids = model.tokenizer(["rain"], padding="max_length", max_length=TOKENS).input_ids
    shorter: Any = deepcopy(model.text_encoder)
    layers = len(shorter.encoder.layers)
    del shorter.encoder.layers[layers - clip_skip + 1 :]

    encoded = encode_prompt(model, ["rain"], clip_skip)

    wanted = shorter(torch.tensor(ids)).last_hidden_state
    assert len(shorter.encoder.layers) == layers - clip_skip + 1
    assert torch.equal(encoded, wanted)


@pytest.mark.parametrize("clip_skip", [0, 13])
def test_layers_that_the_text_encoder_has_not_are_refused(model: Model, clip_skip: int) -> None:
    with pytest.raises(InvalidSettings, match="has no layer") as caught:
        encode_prompt(model, ["rain"], clip_skip)

    assert caught.value.field == "clip_skip"


def plain(model: Model, *texts: str) -> Tensor:
    """What the library's tokenizer and text encoder say of texts, without anything of ours."""
    ids = model.tokenizer(list(texts), padding="max_length", max_length=TOKENS).input_ids
    return model.text_encoder(torch.tensor(ids)).last_hidden_state


@pytest.mark.parametrize("text", ["", "a blue dog, it's 3:2", "x" * (TOKENS - 2), "Ünïcode 水"])
def test_a_text_without_syntax_is_what_plain_clip_says_bit_for_bit(model: Model, text: str) -> None:
    assert torch.equal(encode_prompt(model, [text]), plain(model, text))


def with_mean(model: Model, mean: float) -> Model:
    """The model with a text encoder whose states have that mean."""
    encoder: Any = deepcopy(model.text_encoder)
    encoder.final_layer_norm.bias.fill_(mean)
    return replace(model, text_encoder=encoder)


def test_weighted_tokens_are_multiplied_and_the_mean_is_kept(model: Model) -> None:
    trained = with_mean(model, 0.2)

    encoded = encode_prompt(trained, ["a b (c d:1.5) [e f]"])[0]

    weights = torch.ones(TOKENS, 1)
    weights[3:5], weights[5:7] = 1.5, 1 / 1.1
    states = plain(trained, "a b c d e f")[0]
    expected = states * weights
    torch.testing.assert_close(encoded, expected * (states.mean() / expected.mean()))


def test_a_mean_near_nothing_is_left(model: Model) -> None:
    calm = with_mean(model, 0.0)

    encoded = encode_prompt(calm, ["(a:1.9) b"])[0]

    states = plain(calm, "a b")[0]
    torch.testing.assert_close(encoded[2:], states[2:])
    torch.testing.assert_close(encoded[1], 1.9 * states[1])


def test_weights_of_one_text_change_no_other(model: Model) -> None:
    together = encode_prompt(model, ["(a:2)", "rain"])

    assert torch.equal(together[1], plain(model, "(a:2)", "rain")[1])


def test_long_texts_go_in_chunks_one_after_the_other(model: Model) -> None:
    first, second = "x" * (TOKENS - 2), "y" * 9

    encoded = encode_prompt(model, [first + " " + second, "short"])

    assert encoded.shape == (2, 2 * TOKENS, TEXT_WIDTH)
    torch.testing.assert_close(encoded[0], torch.cat(list(plain(model, first, second))))
    torch.testing.assert_close(encoded[1], torch.cat(list(plain(model, "short", ""))))


def test_no_phrase_is_torn_where_a_comma_is_near(model: Model) -> None:
    first, phrase = "x" * 70 + ",", "yyyyyyyyy"

    encoded = encode_prompt(model, [f"{first} {phrase}"])

    torch.testing.assert_close(encoded[0], torch.cat(list(plain(model, first, phrase))))


def test_break_begins_a_new_chunk(model: Model) -> None:
    encoded = encode_prompt(model, ["ink BREAK town"])

    torch.testing.assert_close(encoded[0], torch.cat(list(plain(model, "ink", "town"))))


def test_a_text_without_end_is_refused(model: Model) -> None:
    with pytest.raises(InvalidSettings) as caught:
        encode_prompt(model, ["x" * (20 * 75 + 3)])

    assert caught.value.field == "prompt"
    assert caught.value.reason == "it is about 2 words longer than can be read (1125); shorten it"


def test_steps_that_read_alike_share_what_was_read(model: Model) -> None:
    read = encode_steps(model, ["[oil:ink:0.5] town", "rain"], 4)

    assert read[0] is read[1]
    assert read[2] is read[3]
    assert torch.equal(read[0].states, encode_prompt(model, ["oil town", "rain"]))
    assert torch.equal(read[3].states, encode_prompt(model, ["ink town", "rain"]))


def test_a_mixed_prompt_is_the_mean_of_its_texts(model: Model) -> None:
    mixed = MixedPrompt((("oil town", 0.7), ("ink town", 0.3)))

    read = encode_steps(model, ["rain", mixed], 2)

    rain, oil, ink = encode_prompt(model, ["rain", "oil town", "ink town"])
    torch.testing.assert_close(read[0].states, torch.stack([rain, 0.7 * oil + 0.3 * ink]))
    assert read[0] is read[1]


def test_texts_of_unequal_length_can_be_mixed(model: Model) -> None:
    mixed = MixedPrompt((("x" * 100, 1.3), ("rain", -0.3)))

    states = encode_steps(model, [mixed], 1)[0].states

    long, short = encode_prompt(model, ["x" * 100, "rain"])
    torch.testing.assert_close(states[0], 1.3 * long - 0.3 * short)


def test_encoding_is_silent(
    model: Model, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)

    encode_prompt(model, ["x" * 200])

    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_folders_are_listed_once_however_many_pieces_prompts_fall_into(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[FileKind] = []

    def files(_: Library, kind: FileKind) -> dict[str, Path]:
        listed.append(kind)
        return {}

    monkeypatch.setattr(Library, "files", files)

    encode_prompt(model, ["(blue:1.2) " * 30, "(a:1.1) (b:1.2), rain"])

    assert listed == [FileKind.EMBEDDING]
