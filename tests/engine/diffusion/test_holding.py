"""An edit holds on to its input's layout, and to what the words of both prompts speak of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.editing.observed import holding_features, observing_layout
from fresco_engine.diffusion.editing.words import WordMaps, WordPairs, WordRegion
from fresco_engine.diffusion.hooks import decoder_attentions, reading
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.prompting.encoding import encode_prompt, token_rows
from fresco_engine.settings import AttentionSettings, RestyleSettings
from fresco_media.types import Image

from tests.engine.diffusion.batches import CARD, PLAIN, run
from tests.fakes.tiny_models import write_model_folder

EDIT = replace(
    PLAIN, mode="edit", prompt="of blue", source_prompt="blue", keep=0.0, guidance_scale=4.0
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    write_model_folder(folder, vae="tiny", channels=6, card=CARD)
    return load_model(folder, control="tile", device="cpu")


def paired(edited: list[int | None], described: list[int | None]) -> WordPairs:
    return WordPairs.of([edited], [described], torch.device("cpu"))


def test_words_are_paired_in_their_order_and_marks_with_marks() -> None:
    # a red fox runs / a dog runs
    pairs = paired([None, 1, 5, 6, 9, None, None], [None, 1, 7, 9, None, None, None])

    assert pairs.shared[0].tolist() == [True, True, False, False, True, True, True]
    assert pairs.places[0][pairs.shared[0]].tolist() == [0, 1, 3, 5, 6]
    assert pairs.added[0].tolist() == [False, False, True, True, False, False, False]
    assert pairs.dropped[0].tolist() == [False, False, True, False, False, False, False]


def test_prompts_of_other_lengths_are_paired() -> None:
    pairs = paired([None, 1, None], [None, 2, None, None, 1, None])
    back = paired([None, 2, None, None, 1, None], [None, 1, None])

    assert pairs.places[0].tolist() == [0, 4, 2]
    assert back.places[0][back.shared[0]].tolist() == [0, 2, 2, 1, 2]
    assert back.added[0].tolist() == [False, True, False, False, False, False]


def test_rows_of_tokens_stand_where_states_do(model: Model) -> None:
    texts = ["blue, of", "(blue:1.2) " * 60]
    rows = token_rows(model, texts)

    states = encode_prompt(model, texts)
    assert {len(row) for row in rows} == {states.shape[1]}
    assert rows[0][0] is None
    assert sum(token is not None for token in rows[0]) > 1


def weights_of(
    model: Model, latents: torch.Tensor, text: str, adapt: Any = None
) -> dict[str, torch.Tensor]:
    """The weights of all cross-attentions, after `adapt`."""
    maps = WordMaps()
    states = encode_prompt(model, [text] * len(latents))

    def both(name: str, weights: torch.Tensor) -> torch.Tensor:
        return maps.keep(name, weights if adapt is None else adapt(name, weights))

    with torch.no_grad(), reading(model.unet, None, both, len(latents)):
        model.unet(latents, 500, encoder_hidden_states=states)
    return maps.layers


@pytest.fixture
def latents() -> torch.Tensor:
    return torch.randn(2, 6, 8, 8, generator=torch.Generator().manual_seed(0))


def test_watching_words_changes_nothing(model: Model, latents: torch.Tensor) -> None:
    states = encode_prompt(model, ["blue"] * 2)
    with torch.no_grad():
        plain = model.unet(latents, 500, encoder_hidden_states=states)[0]
        with reading(model.unet, None, WordMaps().keep, 2):
            watched = model.unet(latents, 500, encoder_hidden_states=states)[0]
        again = model.unet(latents, 500, encoder_hidden_states=states)[0]

    torch.testing.assert_close(watched, plain, atol=1e-3, rtol=0)
    assert torch.equal(again, plain)


def test_shared_words_keep_their_weights_and_others_have_their_own(
    model: Model, latents: torch.Tensor
) -> None:
    source = WordMaps(weights_of(model, latents, "blue"))
    rows = [token_rows(model, [text] * 2) for text in ("of blue", "blue")]
    pairs = WordPairs.of(*rows, torch.device("cpu"))  # pyright: ignore[reportCallIssue]

    held = weights_of(model, latents, "of blue", source.held(pairs))

    assert pairs.added.any()
    for name, weights in held.items():
        places = pairs.places[:, None, None].expand_as(weights)
        shared = pairs.shared[:, None, None].expand_as(weights)
        assert torch.equal(weights[shared], source.layers[name].gather(3, places)[shared])
        assert (weights[~shared] > 0).all()


def test_held_layout_is_the_inputs_in_every_half(model: Model, latents: torch.Tensor) -> None:
    states = encode_prompt(model, ["blue"] * 2)
    with torch.no_grad():
        with observing_layout(model.unet) as seen:
            model.unet(latents, 500, encoder_hidden_states=states)
        with holding_features(model.unet, seen), observing_layout(model.unet) as inside:
            model.unet(latents.repeat(2, 1, 1, 1).flip(-1), 500, states.repeat(2, 1, 1))

    assert seen.attention.keys() == decoder_attentions(model.unet).keys()
    assert seen.features is not None
    assert inside.features is not None
    assert torch.equal(inside.features, seen.features.repeat(2, 1, 1, 1))


def last_of(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    settings: RestyleSettings,
) -> torch.Tensor:
    return run(model, images, correspondence, settings).latents[-1][-1:]


@pytest.mark.parametrize("attention", [PLAIN.attention, AttentionSettings()])
@pytest.mark.parametrize("name", ["hold_layout", "hold_words"])
def test_what_is_held_acts_with_and_without_the_methods_own_means(
    name: str,
    attention: AttentionSettings,
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
) -> None:
    settings = replace(EDIT, attention=attention)

    free = last_of(model, images, correspondence, settings)
    held = last_of(model, images, correspondence, replace(settings, **{name: 1.0}))
    half = last_of(model, images, correspondence, replace(settings, **{name: 0.4}))

    assert torch.isfinite(held).all()
    assert not torch.allclose(held, free, atol=1e-3)
    assert not torch.allclose(half, held, atol=1e-3)


@pytest.mark.parametrize("name", ["hold_layout", "hold_words"])
def test_nothing_is_lost_by_holding_where_words_are_the_same(
    name: str,
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
) -> None:
    same = replace(EDIT, prompt="blue", guidance_scale=1.0, keep=1.0)

    free = last_of(model, images, correspondence, same)
    held = last_of(model, images, correspondence, replace(same, **{name: 1.0}))

    torch.testing.assert_close(held, free, atol=1e-3, rtol=0)


def test_a_words_region_is_where_its_weights_are() -> None:
    region = WordRegion((32, 32))
    weights = torch.full((1, 2, 64, 5), 0.01)
    weights[0, :, 27, 2] = 0.9  # Row 3, column 3 of 8x8.
    other = torch.full((1, 2, 64, 5), 0.01)
    words = torch.tensor([[False, False, True, False, False]])

    region.add(WordMaps({"a": weights, "b": torch.rand(1, 2, 1024, 5)}), words)
    region.add(WordMaps({"a": other}), torch.zeros_like(words))

    chances = region.chances(32, 32)[0, 0]
    assert chances[13, 13] > 0.7
    assert chances[30, 30] < 0.1
