"""Loading whole models of every origin through real files and the real libraries."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
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
    write_lora,
    write_model_folder,
)
from fresco_engine.diffusion.models import Model, load_model
from fresco_engine.errors import (
    ControlUnavailable,
    InvalidSettings,
    ModelCorrupt,
    ModelError,
    ModelNotFound,
    WrongModelKind,
)
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
    "styles": [{"name": "watercolour", "words": "a watercolour painting"}],
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


def test_folder_and_checkpoint_predict_the_same(folder: Path, checkpoint: Path) -> None:
    models = [load_model(source, control="none") for source in (folder, checkpoint)]

    predictions = [predict(model) for model in models]

    torch.testing.assert_close(predictions[0], predictions[1])


def test_a_checkpoint_says_whether_it_predicts_velocity(tmp_path: Path) -> None:
    plain = write_checkpoint(tmp_path / "plain.safetensors")
    velocity = write_checkpoint(tmp_path / "velocity.safetensors", v_pred=torch.zeros(1))

    kinds = [
        load_model(path, control="none").scheduler_config["prediction_type"]
        for path in (plain, velocity)
    ]

    assert kinds == ["epsilon", "v_prediction"]


def test_half_precision_weights_become_single_precision_on_the_cpu(small_folder: Path) -> None:
    model = load_model(small_folder, device="cpu")

    networks = (model.unet, model.vae, model.text_encoder, model.controlnet)
    assert {value.dtype for network in networks for value in network.parameters()} == {
        torch.float32
    }


def test_networks_are_ready_for_inference(small_folder: Path) -> None:
    model = load_model(small_folder)

    for network in (model.unet, model.vae, model.text_encoder, model.controlnet):
        assert not network.training
        assert not any(value.requires_grad for value in network.parameters())


def test_the_card_fills_in_what_the_maker_recommends(small_folder: Path) -> None:
    model = load_model(small_folder)

    assert model.name == "Fresco small"
    assert model.control == "tile"
    assert model.defaults.steps == 12
    assert model.defaults.guidance_scale == 2.0
    assert model.styles[0].words == "a watercolour painting"


def test_without_a_card_a_model_is_called_by_its_folder(folder: Path) -> None:
    assert load_model(folder, control="none").name == "sd"


def test_paths_with_spaces_and_accents_load(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "mes modèles d'été" / "peinture 水"
    shutil.copytree(folder, moved)

    assert load_model(str(moved), control="none").name == "peinture 水"


def test_only_half_precision_files_in_a_folder_are_enough(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
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

    assert model.control == kind
    assert model.controlnet is not None
    assert model.controlnet.config["in_channels"] == 16


def test_without_control_no_controlnet_is_loaded(small_folder: Path) -> None:
    assert load_model(small_folder, control="none").controlnet is None


def test_a_controlnet_in_the_original_layout_loads(folder: Path, tmp_path: Path) -> None:
    source = write_controlnet_checkpoint(tmp_path / "control.safetensors")

    model = load_model(folder, control="canny", control_source=source)

    assert_same_weights(model.controlnet, tiny_controlnet(tiny_unet()))


def test_a_controlnet_file_in_the_librarys_layout_loads(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "control.safetensors"
    save_file(tiny_controlnet(tiny_unet()).state_dict(), source)

    model = load_model(folder, control="tile", control_source=source)

    assert_same_weights(model.controlnet, tiny_controlnet(tiny_unet()))


def test_a_tokenizer_can_be_given_for_a_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.safetensors"
    shutil.copy(checkpoint, alone)

    model = load_model(
        alone, control="none", tokenizer_source=checkpoint.parent / "tokenizer", offline=True
    )

    assert model.tokenizer("blue").input_ids[0] == len(model.tokenizer) - 2


@pytest.mark.usefixtures("empty_cache")
def test_a_checkpoint_without_tokenizer_says_where_to_put_one(
    checkpoint: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.safetensors"
    shutil.copy(checkpoint, alone)

    with pytest.raises(ModelNotFound, match="into a folder 'tokenizer' beside it"):
        load_model(alone, control="none", offline=True)


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub's cache as on a fresh machine."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


Broken = Callable[[Path, Path], Path]


def _missing(_: Path, work: Path) -> Path:
    return work / "nothing here"


def _empty_folder(_: Path, work: Path) -> Path:
    (work / "empty").mkdir()
    return work / "empty"


def _pickle(_: Path, work: Path) -> Path:
    (work / "model.ckpt").write_bytes(b"\x80\x04.")
    return work / "model.ckpt"


def _pickled_part(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    (copy / "unet" / "diffusion_pytorch_model.safetensors").rename(
        copy / "unet" / "diffusion_pytorch_model.bin"
    )
    return copy


def _no_weights(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    (copy / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    return copy


def _truncated_part(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    cut(copy / "unet" / "diffusion_pytorch_model.safetensors")
    return copy


def _truncated_file(_: Path, work: Path) -> Path:
    return cut(write_checkpoint(work / "model.safetensors"))


def _not_safetensors(_: Path, work: Path) -> Path:
    (work / "model.safetensors").write_bytes(b"<html>not found</html>" * 9)
    return work / "model.safetensors"


def _damaged_config(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    (copy / "unet" / "config.json").write_text("{", encoding="utf-8")
    return copy


def _damaged_card(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    (copy / "fresco.json").write_text('{"styles": 3}', encoding="utf-8")
    return copy


def _damaged_tokenizer(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    (copy / "tokenizer" / "vocab.json").write_text("{", encoding="utf-8")
    return copy


def _missing_tensor(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    path = copy / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["conv_in.bias"]
    save_file(tensors, path)
    return copy


def _missing_tensor_in_file(_: Path, work: Path) -> Path:
    path = write_checkpoint(work / "model.safetensors")
    tensors = load_file(path)
    del tensors["first_stage_model.decoder.conv_out.bias"]
    save_file(tensors, path)
    return path


def _xl_folder(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    edit(copy / "model_index.json", _class_name="StableDiffusionXLPipeline")
    return copy


def _flux_folder(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    edit(copy / "model_index.json", _class_name="FluxPipeline")
    return copy


def _inpainting_folder(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    edit(copy / "unet" / "config.json", in_channels=9)
    return copy


def _three_levels(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    edit(copy / "unet" / "config.json", block_out_channels=[32, 64, 64])
    return copy


def _other_text_encoder(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    edit(copy / "text_encoder" / "config.json", hidden_size=1024)
    return copy


def _folder_of_files(_: Path, work: Path) -> Path:
    write_lora(work / "style.safetensors")
    return work


def _controlnet_folder(_: Path, work: Path) -> Path:
    tiny_controlnet(tiny_unet()).save_pretrained(work / "control")
    return work / "control"


def _controlnet_file(_: Path, work: Path) -> Path:
    return write_controlnet_checkpoint(work / "control.safetensors")


def _lora_file(_: Path, work: Path) -> Path:
    write_lora(work / "style.safetensors")
    return work / "style.safetensors"


def _file_with(**shapes: tuple[int, ...]) -> Broken:
    def write(_: Path, work: Path) -> Path:
        tensors = {name.replace("__", "."): torch.zeros(shape) for name, shape in shapes.items()}
        save_file(tensors, work / "model.safetensors")
        return work / "model.safetensors"

    return write


_FIRST = "model__diffusion_model__input_blocks__0__0__weight"
_LAST = "model__diffusion_model__out__2__weight"
_CASES: dict[str, tuple[Broken, type[ModelError], str]] = {
    "nothing there": (_missing, ModelNotFound, "no such folder or file"),
    "an empty folder": (_empty_folder, ModelNotFound, "holds no model"),
    "a pickle": (_pickle, WrongModelKind, "get the model as .safetensors"),
    "a pickle in a folder": (_pickled_part, WrongModelKind, "get the model as .safetensors"),
    "a folder without VAE weights": (_no_weights, ModelCorrupt, "file is missing"),
    "a truncated part": (_truncated_part, ModelCorrupt, "unet.*bytes are missing at its end"),
    "a truncated file": (_truncated_file, ModelCorrupt, "bytes are missing at its end"),
    "a web page": (_not_safetensors, ModelCorrupt, "download it again"),
    "a damaged config": (_damaged_config, ModelCorrupt, r"config\.json.*get the model again"),
    "a damaged card": (_damaged_card, ModelCorrupt, "description cannot be read"),
    "a damaged tokenizer": (_damaged_tokenizer, ModelCorrupt, "tokenizer does not load"),
    "a tensor missing": (_missing_tensor, ModelCorrupt, "1 tensors are missing"),
    "a tensor missing in a file": (_missing_tensor_in_file, ModelCorrupt, "some are missing"),
    "an SDXL folder": (_xl_folder, WrongModelKind, "made for StableDiffusionXLPipeline"),
    "a Flux folder": (_flux_folder, WrongModelKind, "made for FluxPipeline"),
    "an inpainting folder": (_inpainting_folder, WrongModelKind, "plain version"),
    "three levels": (_three_levels, WrongModelKind, "does not have 4 levels"),
    "another text encoder": (_other_text_encoder, WrongModelKind, "does not fit its text encoder"),
    "a folder of files": (_folder_of_files, WrongModelKind, r"give a file in it"),
    "a ControlNet folder": (_controlnet_folder, WrongModelKind, "as its control source"),
    "a ControlNet file": (_controlnet_file, WrongModelKind, "as its control source"),
    "a LoRA": (_lora_file, WrongModelKind, "add this file with --lora"),
    "an SDXL file": (
        _file_with(conditioner__embedders__0__weight=(1,)),
        WrongModelKind,
        "Stable Diffusion XL",
    ),
    "an SD 2 file": (
        _file_with(cond_stage_model__model__ln_final__weight=(1,)),
        WrongModelKind,
        "Stable Diffusion 2.x.*diffusers folder",
    ),
    "an SD 3 file": (
        _file_with(model__diffusion_model__joint_blocks__0__weight=(1,)),
        WrongModelKind,
        "SD 3 or Flux",
    ),
    "an inpainting file": (
        _file_with(**{_FIRST: (32, 9, 3, 3), _LAST: (4, 32, 3, 3)}),
        WrongModelKind,
        "plain version",
    ),
    "a U-Net alone": (
        _file_with(**{_FIRST: (32, 4, 3, 3), _LAST: (4, 32, 3, 3)}),
        WrongModelKind,
        "without text encoder and VAE",
    ),
    "a VAE alone": (_file_with(decoder__conv_in__weight=(1,)), WrongModelKind, "a VAE"),
    "something else": (_file_with(weight=(1,)), WrongModelKind, "none of the kinds"),
}


@pytest.mark.parametrize(("make", "error", "sentence"), _CASES.values(), ids=_CASES)
def test_a_source_that_cannot_be_used_is_refused_with_what_to_do(
    make: Broken, error: type[ModelError], sentence: str, folder: Path, tmp_path: Path
) -> None:
    source = make(folder, tmp_path)

    with pytest.raises(error, match=sentence):
        load_model(source, control="none", offline=True)


@pytest.mark.parametrize("kind", ["hed", "depth"])
def test_control_that_takes_another_network_is_unavailable(small_folder: Path, kind: Any) -> None:
    with pytest.raises(ControlUnavailable, match="use tile"):
        load_model(small_folder, control=kind)


def test_a_control_the_model_lacks_is_unavailable(folder: Path) -> None:
    with pytest.raises(ControlUnavailable, match=r"no ControlNet for canny \(it has: none\)"):
        load_model(folder, control="canny", offline=True)


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


@pytest.mark.parametrize("device", ["cuda:99", "toaster"])
def test_a_device_that_is_not_there_is_refused(folder: Path, device: str) -> None:
    with pytest.raises(InvalidSettings, match="use cpu"):
        load_model(folder, control="none", device=device)


def assert_same_weights(network: nn.Module | None, wanted: nn.Module) -> None:
    """Both have the same tensors under the same names, bit for bit."""
    assert network is not None
    torch.testing.assert_close(network.state_dict(), wanted.state_dict(), rtol=0, atol=0)


def predict(model: Model) -> torch.Tensor:
    """One U-Net prediction from fixed noise and a fixed prompt."""
    from fresco_engine.diffusion.prompts import encode_prompt

    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    words = encode_prompt(model, ["a blue dog"])
    return model.unet(noise, 500, encoder_hidden_states=words).sample


def copied(folder: Path, work: Path) -> Path:
    """A copy of a model folder that may be damaged."""
    return Path(shutil.copytree(folder, work / "copy"))


def cut(path: Path) -> Path:
    """The file without its last thousand bytes, as a broken download leaves it."""
    path.write_bytes(path.read_bytes()[:-1000])
    return path


def edit(path: Path, **changes: Any) -> None:
    """Changes values in a JSON file."""
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**values, **changes}), encoding="utf-8")
