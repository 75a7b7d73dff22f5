"""Files and folders that are no model this engine can run, and what is said of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes.tiny_models import (
    tiny_controlnet,
    tiny_unet,
    write_checkpoint,
    write_controlnet_checkpoint,
    write_lora,
    write_model_folder,
)
from fresco_engine.diffusion.models import load_model
from fresco_engine.errors import ModelCorrupt, ModelError, ModelNotFound, WrongModelKind
from safetensors.torch import load_file, save_file

Broken = Callable[[Path, Path], Path]
"""Writes something from a model folder into a work folder; gives its path."""


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


def _prolonged_file(_: Path, work: Path) -> Path:
    path = write_checkpoint(work / "model.safetensors")
    path.write_bytes(path.read_bytes() + b"more")
    return path


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


def _half_an_xl_folder(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    edit(copy / "model_index.json", _class_name="StableDiffusionXLPipeline")
    return copy


def _refiner_folder(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    nothing = {"text_encoder": [None, None], "requires_aesthetics_score": True}
    edit(copy / "model_index.json", _class_name="StableDiffusionXLImg2ImgPipeline", **nothing)
    return copy


def _third_folder(folder: Path, work: Path) -> Path:
    copy = copied(folder, work)
    edit(copy / "model_index.json", _class_name="StableDiffusion3Pipeline")
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
    "a file with more behind it": (_prolonged_file, ModelCorrupt, "belong to none of its weights"),
    "a truncated file": (_truncated_file, ModelCorrupt, "bytes are missing at its end"),
    "a web page": (_not_safetensors, ModelCorrupt, "download it again"),
    "a damaged config": (_damaged_config, ModelCorrupt, r"config\.json.*get the model again"),
    "a damaged card": (_damaged_card, ModelCorrupt, "description cannot be read"),
    "a damaged tokenizer": (_damaged_tokenizer, ModelCorrupt, "tokenizer does not load"),
    "a tensor missing": (_missing_tensor, ModelCorrupt, "1 tensor is missing"),
    "a tensor missing in a file": (_missing_tensor_in_file, ModelCorrupt, "some are missing"),
    "half an XL folder": (_half_an_xl_folder, ModelCorrupt, "text_encoder_2.*get the model again"),
    "XL's refiner": (_refiner_folder, WrongModelKind, "refiner.*use the base model"),
    "an SD 3 folder": (_third_folder, WrongModelKind, "made for StableDiffusion3Pipeline"),
    "a Flux folder": (_flux_folder, WrongModelKind, "made for FluxPipeline"),
    "an inpainting folder": (_inpainting_folder, WrongModelKind, "plain version"),
    "three levels": (_three_levels, WrongModelKind, "does not have 4 levels"),
    "another text encoder": (_other_text_encoder, WrongModelKind, "does not fit its text encoder"),
    "a folder of files": (_folder_of_files, WrongModelKind, r"give a file in it"),
    "a ControlNet folder": (_controlnet_folder, WrongModelKind, "as its control source"),
    "a ControlNet file": (_controlnet_file, WrongModelKind, "as its control source"),
    "a LoRA": (_lora_file, WrongModelKind, "add this file as a LoRA"),
    "a part of an XL file": (
        _file_with(conditioner__embedders__0__weight=(1,)),
        WrongModelKind,
        "a part of a Stable Diffusion XL checkpoint.*use a file that holds the whole model",
    ),
    "XL's refiner in a file": (
        _file_with(conditioner__embedders__0__model__ln_final__weight=(1,)),
        WrongModelKind,
        "the refiner of Stable Diffusion XL.*use the base model",
    ),
    "half an XL file": (
        _file_with(
            model__diffusion_model__out__2__bias=(4,),
            conditioner__embedders__0__transformer__text_model__final_layer_norm__bias=(1,),
            conditioner__embedders__1__model__ln_final__bias=(1,),
            first_stage_model__decoder__conv_out__bias=(3,),
        ),
        ModelCorrupt,
        "do not make a complete model",
    ),
    "half an SD 2 file": (
        _file_with(cond_stage_model__model__ln_final__weight=(1,)),
        ModelCorrupt,
        "do not make a complete model",
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
    "something else": (_file_with(weight=(1,)), WrongModelKind, "nothing in this file is known"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that loads; to be copied and damaged."""
    return write_model_folder(tmp_path_factory.mktemp("models") / "sd", controlnet=False)


@pytest.mark.parametrize(("make", "error", "sentence"), _CASES.values(), ids=_CASES)
def test_a_source_that_cannot_be_used_is_refused_with_what_to_do(
    make: Broken, error: type[ModelError], sentence: str, folder: Path, tmp_path: Path
) -> None:
    source = make(folder, tmp_path)

    with pytest.raises(error, match=sentence):
        load_model(source, control="none", offline=True)


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
