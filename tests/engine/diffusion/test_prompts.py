"""Prompts through a real tokenizer and text encoder."""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import Any

import pytest
import torch
from fakes.tiny_models import TEXT_WIDTH, TOKENS, write_model_folder
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.prompts import encode_prompt
from fresco_engine.errors import InvalidSettings


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


def test_the_longest_text_that_fits_is_taken(model: Model) -> None:
    assert encode_prompt(model, ["x" * (TOKENS - 2)]).shape[0] == 1


def test_a_text_that_is_too_long_is_refused_with_what_would_be_lost(model: Model) -> None:
    text = "x" * (TOKENS - 3) + " z blue blue"

    with pytest.raises(InvalidSettings) as caught:
        encode_prompt(model, ["short", text])

    assert caught.value.field == "prompt"
    assert "2 tokens longer than the model takes (75)" in caught.value.reason
    assert "'blue blue'" in caught.value.reason


def test_of_a_long_lost_end_only_the_beginning_is_told(model: Model) -> None:
    with pytest.raises(InvalidSettings) as caught:
        encode_prompt(model, ["x" * 900])

    assert caught.value.reason.endswith(f"'{'x' * 60}...'")


def test_encoding_is_silent(
    model: Model, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)

    with pytest.raises(InvalidSettings):
        encode_prompt(model, ["x" * 200])

    assert not caplog.records
    assert capfd.readouterr() == ("", "")
