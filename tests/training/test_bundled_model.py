"""The committed model, by the stock classes that users of the folder would load it with."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny, ControlNetModel, DDPMScheduler, UNet2DConditionModel
from fresco_engine.diffusion.card import read_card
from fresco_server.rpc.messages.style_pictures import style_picture
from fresco_training.scenes import scene
from fresco_training.styles import STYLES
from transformers import CLIPTextModel, CLIPTokenizer

FOLDER = Path(__file__).parents[2] / "server" / "fresco_engine" / "models" / "fresco-small"


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(FOLDER / "tokenizer")


@pytest.fixture(scope="module")
def encoder() -> CLIPTextModel:
    return CLIPTextModel.from_pretrained(FOLDER / "text_encoder").float()


def _states(tokenizer: CLIPTokenizer, encoder: CLIPTextModel, words: str) -> torch.Tensor:
    ids = tokenizer(words, padding="max_length", max_length=77, return_tensors="pt").input_ids
    with torch.no_grad():
        return encoder(ids).last_hidden_state


def test_the_folder_stays_small_and_names_no_place_of_its_making() -> None:
    files = [file for file in FOLDER.rglob("*") if file.is_file()]

    assert sum(file.stat().st_size for file in files) < 25e6
    assert max(file.stat().st_size for file in files) < 16e6
    for file in FOLDER.rglob("*.json"):
        assert "name_or_path" not in json.loads(file.read_text(encoding="utf-8"))


def test_the_description_lists_styles_that_are_taught_and_existing_controls() -> None:
    card = json.loads((FOLDER / "fresco.json").read_text(encoding="utf-8"))

    names = [style["name"] for style in card["styles"]]
    assert names == [name for name in STYLES if name in names]
    assert all((FOLDER / part / "config.json").is_file() for part in card["controls"].values())
    assert card["defaults"]["control"] in card["controls"]


def test_every_style_is_shown_by_a_small_picture() -> None:
    card = read_card(FOLDER)

    pictures = [cv2.imread(style.picture) for style in card.styles]
    assert {picture.shape for picture in pictures if picture is not None} == {(192, 256, 3)}
    assert all(style_picture(style.picture) for style in card.styles)


def test_text_encoder_finds_all_its_weights_and_tells_styles_apart(
    tokenizer: CLIPTokenizer,
) -> None:
    encoder, found = CLIPTextModel.from_pretrained(
        FOLDER / "text_encoder", output_loading_info=True
    )
    encoder = encoder.float()

    states = [_states(tokenizer, encoder, words).mean(1) for words in ("blueprint", "sepia")]

    assert not found["missing_keys"]
    assert not found["unexpected_keys"]
    assert (states[0] - states[1]).norm() > 0.1 * states[0].norm()


@pytest.mark.parametrize(
    ("words", "synonym", "other"),
    [
        ("a dog, watercolour", "a dog, aquarelle", "a dog, blueprint"),
        ("a car in the winter", "a car covered in snow", "a car in autumn"),
        ("pop art", "andy warhol", "charcoal drawing"),
    ],
)
def test_synonyms_lie_nearer_than_other_styles(
    tokenizer: CLIPTokenizer, encoder: CLIPTextModel, words: str, synonym: str, other: str
) -> None:
    here, near, far = (_states(tokenizer, encoder, w).mean(1) for w in (words, synonym, other))

    assert (here - near).norm() < (here - far).norm()


def test_autoencoder_gives_back_a_picture() -> None:
    picture = scene(np.random.default_rng(11), 128)
    autoencoder = AutoencoderTiny.from_pretrained(FOLDER / "vae").float()
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None] * 2 - 1

    with torch.no_grad():
        again = autoencoder.decode(autoencoder.encode(pixels).latents).sample

    error = torch.mean(((again - pixels) / 2) ** 2)
    assert -10 * torch.log10(error) > 26  # dB


def test_one_late_step_points_at_the_style_that_was_asked_for(
    tokenizer: CLIPTokenizer, encoder: CLIPTextModel
) -> None:
    unet = UNet2DConditionModel.from_pretrained(FOLDER / "unet").float()
    controlnet = ControlNetModel.from_pretrained(FOLDER / "controlnet").float()
    autoencoder = AutoencoderTiny.from_pretrained(FOLDER / "vae").float()
    scheduler = DDPMScheduler.from_pretrained(FOLDER / "scheduler")
    picture = torch.from_numpy(scene(np.random.default_rng(12), 128)).permute(2, 0, 1)[None]
    seeded = torch.Generator().manual_seed(0)
    pictures = {}

    with torch.no_grad():
        clean = autoencoder.encode(picture * 2 - 1).latents * autoencoder.config.scaling_factor
        noise = torch.randn(clean.shape, generator=seeded)
        noisy = scheduler.add_noise(clean, noise, torch.tensor([750]))
        for words in ("blueprint", "sepia"):
            states = _states(tokenizer, encoder, words)
            down, middle = controlnet(noisy, 750, states, picture, return_dict=False)
            velocity = unet(
                noisy,
                750,
                states,
                down_block_additional_residuals=down,
                mid_block_additional_residual=middle,
            ).sample
            latents = scheduler.step(velocity, 750, noisy).pred_original_sample
            decoded = autoencoder.decode(latents / autoencoder.config.scaling_factor).sample
            pictures[words] = decoded.mean(dim=(0, 2, 3))

    assert pictures["blueprint"][2] > pictures["blueprint"][0] + 0.3
    assert pictures["sepia"][0] > pictures["sepia"][2] + 0.1
