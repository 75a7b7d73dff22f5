"""Loading whole models of every origin through real files and the real libraries."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes.tiny_models import (
    tiny_controlnet,
    tiny_text_encoder,
    tiny_unet,
    tiny_vae,
    write_checkpoint,
    write_controlnet_checkpoint,
    write_model_folder,
)
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.errors import (
    ControlUnavailable,
    InvalidSettings,
    ModelNotFound,
    WrongModelKind,
)
from fresco_engine.settings import Style
from safetensors.torch import load_file, save_file
from torch import nn

CARD = {
    "name": "Fresco small",
    "version": "1",
    "controls": {"tile": "controlnet", "canny": "controlnet"},
    "defaults": {
        "guidance_scale": 2.0,
        "strength": 0.7,
        "steps": 12,
        "control_scale": 1.0,
        "control": "tile",
    },
    "max_prompt_tokens": 77,
    "styles": [
        {"name": "watercolour", "words": "a watercolour painting", "prompt": "aquarelle"},
        {"name": "oil", "negative_prompt": "grey", "strength": 1, "guidance_scale": 1.5},
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with Stable Diffusion's kind of VAE, without card and ControlNet; to be copied."""
    return write_model_folder(tmp_path_factory.mktemp("models") / "sd", controlnet=False)


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as the bundled one is: 16 channels, v-prediction, half precision, with a card."""
    return write_model_folder(
        tmp_path_factory.mktemp("models") / "small",
        vae="tiny",
        channels=16,
        prediction_type="v_prediction",
        card=CARD,
        dtype=torch.float16,
    )


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint file with its tokenizer beside it."""
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "my model.safetensors")


def test_a_folder_loads_with_its_own_weights(folder: Path) -> None:
    model = load_model(folder, control="none")

    assert_same_weights(model.unet, tiny_unet())
    assert_same_weights(model.vae, tiny_vae())


def test_a_checkpoint_file_loads_with_the_weights_of_all_three_networks(checkpoint: Path) -> None:
    model = load_model(checkpoint, control="none", offline=True)

    assert_same_weights(model.unet, tiny_unet())
    assert_same_weights(model.vae, tiny_vae())
    assert_same_weights(model.text_encoder, tiny_text_encoder(len(model.tokenizer)))


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2], ids=str
)
def test_a_checkpoint_of_any_precision_loads_with_what_else_it_holds(
    checkpoint: Path, tmp_path: Path, dtype: torch.dtype
) -> None:
    stored = {name: tensor.to(dtype) for name, tensor in load_file(checkpoint).items()}
    averages = {"model_ema.decay": torch.ones(1), "model_ema.diffusion_modelinputs": torch.ones(3)}
    shutil.copytree(checkpoint.parent / "tokenizer", tmp_path / "tokenizer")
    save_file({**stored, **averages}, tmp_path / "small.safetensors")

    model = load_model(tmp_path / "small.safetensors", control="none", device="cpu")

    wanted = {name: value.to(dtype).float() for name, value in tiny_unet().state_dict().items()}
    torch.testing.assert_close(dict(model.unet.state_dict()), wanted, rtol=0, atol=0)


def test_folder_and_checkpoint_predict_the_same(folder: Path, checkpoint: Path) -> None:
    models = [load_model(source, control="none") for source in (folder, checkpoint)]

    predictions = [predict(model) for model in models]

    torch.testing.assert_close(predictions[0], predictions[1])


def test_a_checkpoint_says_whether_it_predicts_velocity(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "velocity.safetensors", v_pred=torch.zeros(1))

    model = load_model(path, control="none")

    assert model.scheduler_config["prediction_type"] == "v_prediction"


def test_half_precision_weights_become_single_precision_on_the_cpu(small_folder: Path) -> None:
    model = load_model(small_folder, device="cpu")

    types = {value.dtype for network in networks_of(model) for value in network.parameters()}
    assert types == {torch.float32}


def test_networks_are_ready_for_inference(small_folder: Path) -> None:
    model = load_model(small_folder)

    for network in networks_of(model):
        assert not network.training
        assert not any(value.requires_grad for value in network.parameters())


def test_the_card_fills_in_what_the_maker_recommends(small_folder: Path) -> None:
    model = load_model(small_folder)

    assert model.name == "Fresco small"
    assert [one.kind for one in model.controls] == ["tile"]
    assert model.defaults.steps == 12
    assert model.defaults.guidance_scale == 2.0
    assert model.styles == (
        Style(name="watercolour", words="a watercolour painting", prompt="aquarelle"),
        Style(name="oil", negative_prompt="grey", strength=1.0, guidance_scale=1.5),
    )


def test_without_a_card_a_model_is_called_by_its_folder(folder: Path) -> None:
    assert load_model(folder, control="none").name == "sd"


def test_paths_with_spaces_and_accents_load(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "mes modèles d'été" / "peinture 水"
    shutil.copytree(folder, moved)

    assert load_model(str(moved), control="none").name == "peinture 水"


def test_only_half_precision_files_in_a_folder_are_enough(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))

    model = load_model(copy, control="none")

    assert_same_weights(model.unet, tiny_unet())


def test_loading_is_silent(
    small_folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)

    load_model(small_folder)

    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_loading_puts_the_libraries_log_levels_back(small_folder: Path) -> None:
    logger = logging.getLogger("diffusers")
    before = logger.level

    load_model(small_folder)

    assert logger.level == before


@pytest.mark.parametrize("kind", ["tile", "canny"])
def test_the_models_own_controlnet_is_loaded(small_folder: Path, kind: Any) -> None:
    model = load_model(small_folder, control=kind)

    assert [one.kind for one in model.controls] == [kind]
    assert model.controls[0].network.config["in_channels"] == 16


def test_without_control_no_controlnet_is_loaded(small_folder: Path) -> None:
    assert load_model(small_folder, control="none").controls == ()


def test_a_controlnet_in_the_original_layout_loads(folder: Path, tmp_path: Path) -> None:
    source = write_controlnet_checkpoint(tmp_path / "control.safetensors")

    model = load_model(folder, control="canny", control_source=source)

    assert_same_weights(model.controls[0].network, tiny_controlnet(tiny_unet()))


def test_a_controlnet_file_in_the_librarys_layout_loads(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "control.safetensors"
    save_file(tiny_controlnet(tiny_unet()).state_dict(), source)

    model = load_model(folder, control="tile", control_source=source)

    assert_same_weights(model.controls[0].network, tiny_controlnet(tiny_unet()))


def test_a_tokenizer_can_be_given_for_a_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.safetensors"
    shutil.copy(checkpoint, alone)

    model = load_model(
        alone, control="none", tokenizer_source=checkpoint.parent / "tokenizer", offline=True
    )

    assert model.tokenizer("blue").input_ids[0] == len(model.tokenizer) - 2


def test_a_checkpoint_with_words_of_its_own_says_where_to_put_its_tokenizer(
    checkpoint: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.safetensors"
    shutil.copy(checkpoint, alone)

    with pytest.raises(ModelNotFound, match="into a folder 'tokenizer' beside it"):
        load_model(alone, control="none", offline=True)


@pytest.mark.parametrize("kind", ["canny", "hed", "depth"])
def test_a_control_the_model_lacks_is_unavailable(folder: Path, kind: str) -> None:
    with pytest.raises(ControlUnavailable, match=rf"no ControlNet for {kind} \(it has: none\)"):
        load_model(folder, control=kind, offline=True)


def test_a_model_given_as_controlnet_is_refused(
    folder: Path, checkpoint: Path, small_folder: Path
) -> None:
    for source in (folder, checkpoint, small_folder / "unet"):
        with pytest.raises(WrongModelKind, match="not a ControlNet"):
            load_model(folder, control="tile", control_source=source)


def test_a_controlnet_for_another_kind_of_model_is_refused(
    folder: Path, small_folder: Path
) -> None:
    with pytest.raises(WrongModelKind, match="made for another kind of model"):
        load_model(folder, control="tile", control_source=small_folder / "controlnet")


@pytest.mark.parametrize("device", ["cuda:99", "toaster", "cpu:7", "meta"])
def test_a_device_that_is_not_there_is_refused(folder: Path, device: str) -> None:
    with pytest.raises(InvalidSettings, match="use cpu"):
        load_model(folder, control="none", device=device)


def networks_of(model: Model) -> list[nn.Module]:
    """All four networks."""
    return [model.unet, model.vae, model.text_encoder, model.controls[0].network]


def assert_same_weights(network: nn.Module | None, wanted: nn.Module) -> None:
    """Both have the same tensors under the same names, bit for bit."""
    assert network is not None
    torch.testing.assert_close(network.state_dict(), wanted.state_dict(), rtol=0, atol=0)


def predict(model: Model) -> torch.Tensor:
    """One U-Net prediction from fixed noise and a fixed prompt."""
    from fresco_engine.diffusion.prompting.encoding import encode_prompt

    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    words = encode_prompt(model, ["a blue dog"])
    return model.unet(noise, 500, encoder_hidden_states=words).sample
