"""Models in diffusers folder format: model_index.json and one subfolder for each part."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, UNet2DConditionModel
from fresco_media.files.text import counted
from transformers import CLIPModel, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from fresco_engine.diffusion.intake import (
    check_size,
    check_tokenizer,
    headers,
    read_json,
    staged,
)
from fresco_engine.diffusion.memory import aligned
from fresco_engine.diffusion.sources import weight_files
from fresco_engine.diffusion.weights import (
    PICKLE_SUFFIXES,
    REFINER_ADVICE,
    WeightsKind,
    kind_of,
    read_header,
    wrong_kind,
)
from fresco_engine.errors import ModelCorrupt, ModelNotFound, WrongModelKind

Config = Mapping[str, Any]
VAES = {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny}
_WANTED = "a Stable Diffusion 1.x or XL model"
_PIPELINES = ("StableDiffusion", "LatentConsistency")
_XL = "StableDiffusionXL"
_LEVELS, _XL_LEVELS = 4, 3


def require_model_folder(folder: Path) -> Config:
    """The index of a folder; raises the fitting error where it holds no model that runs here."""
    if not (folder / "model_index.json").is_file():
        raise _not_a_model(folder)
    index = read_json(folder / "model_index.json")
    pipeline = str(index.get("_class_name", ""))
    if not pipeline.startswith(_PIPELINES) or pipeline.startswith("StableDiffusion3"):
        raise WrongModelKind(folder, f"this is made for {pipeline}; choose {_WANTED}")
    if is_xl(index) and index.get("text_encoder") in (None, [None, None]):
        raise WrongModelKind(folder, f"this is {WeightsKind.XL_REFINER.value}; {REFINER_ADVICE}")
    unet = part_config(folder, "unet", UNet2DConditionModel)
    vae = part_config(folder, "vae", vae_class(folder))
    texts = [
        read_json(folder / part / "config.json")
        for part in ("text_encoder", "text_encoder_2")
        if part == "text_encoder" or is_xl(index)
    ]
    try:
        widths = [int(text.get("hidden_size", 0)) for text in texts]
        pooled = int(texts[-1].get("projection_dim", 0)) if is_xl(index) else None
        require_shape(folder, unet, vae, widths, pooled)
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise ModelCorrupt(
            folder, "its configurations do not fit together; get the model again"
        ) from error
    return index


def is_xl(index: Config) -> bool:
    """Whether a folder of this index holds a model of Stable Diffusion XL's shape."""
    return str(index.get("_class_name", "")).startswith(_XL)


def _not_a_model(folder: Path) -> Exception:
    config = folder / "config.json"
    if config.is_file() and read_json(config).get("_class_name") == "ControlNetModel":
        return WrongModelKind(
            folder, "this is a ControlNet; choose a model and give this as its control source"
        )
    files = sorted(folder.glob("*.safetensors"))
    if files:
        return WrongModelKind(
            folder, f"the folder is not in diffusers format; give a file in it, as {files[0].name}"
        )
    return ModelNotFound(
        folder,
        "the folder holds no model; give one with a model_index.json, or a .safetensors file",
    )


def require_shape(
    source: Path, unet: Config, vae: Config, widths: Sequence[int], pooled: int | None = None
) -> None:
    """Raises `WrongModelKind` where the parts do not fit together as they must.

    `widths` are those of the text encoders' states, `pooled` that of what the second one of XL's
    shape says as a whole.
    """
    latent = vae["latent_channels"]
    levels = _LEVELS if pooled is None else _XL_LEVELS
    wrong = None
    if unet.get("addition_embed_type") != (None if pooled is None else "text_time"):
        wrong = "its U-Net wants other things beside a prompt than its kind of model does"
    elif unet.get("encoder_hid_dim_type"):
        wrong = "it wants more than a prompt"
    elif unet["in_channels"] > latent:
        wrong = "it is made for inpainting or image editing; use the plain version of the model"
    elif unet["in_channels"] != latent or unet["out_channels"] != latent:
        wrong = f"its U-Net does not fit its VAE of {latent} channels"
    elif len(unet["block_out_channels"]) != levels or len(vae["block_out_channels"]) != _LEVELS:
        wrong = f"its U-Net does not have {levels} levels, or its VAE not {_LEVELS}"
    elif unet["cross_attention_dim"] != sum(widths) or not _is_told(unet, pooled):
        wrong = f"its U-Net does not fit its text {'encoder' if pooled is None else 'encoders'}"
    elif vae.get("latents_mean"):
        wrong = "its VAE has a scale for each channel, which is not read here"
    if wrong:
        raise WrongModelKind(source, f"{wrong}; choose {_WANTED}")


def _is_told(unet: Config, pooled: int | None) -> bool:
    """Whether the U-Net takes the words as a whole, and six numbers of sizes."""
    if pooled is None:
        return True
    told = unet["projection_class_embeddings_input_dim"]
    return told == pooled + 6 * unet["addition_time_embed_dim"]


def vae_class(folder: Path) -> type[AutoencoderKL] | type[AutoencoderTiny]:
    """The class of the VAE in a model folder."""
    name = read_json(folder / "vae" / "config.json").get("_class_name")
    if name not in VAES:
        known = " or ".join(VAES)
        raise WrongModelKind(folder, f"its VAE is {name}, not {known}; choose {_WANTED}")
    return VAES[name]


def part_config(folder: Path, part: str, kind: type) -> Config:
    """The configuration of one part, with the library's values for what its file leaves out."""
    parameters = inspect.signature(kind.__init__).parameters.values()
    config = {item.name: item.default for item in parameters}
    config |= read_json(folder / part / "config.json")
    # The small VAE tells the widths of its two halves apart, and may leave the common name out.
    config.setdefault("block_out_channels", config.get("decoder_block_out_channels"))
    return config


def load_networks(folder: Path, dtype: torch.dtype) -> tuple[Any, Any, CLIPTextModel]:
    """U-Net, VAE and text encoder of a model folder, on the CPU.

    Raises:
        ModelCorrupt: files are missing or damaged.
        WrongModelKind: the weights are pickles.
    """
    unet = load_part(UNet2DConditionModel, folder / "unet", torch_dtype=dtype)
    vae = load_part(vae_class(folder), folder / "vae", torch_dtype=dtype)
    text_encoder = load_part(CLIPTextModel, folder / "text_encoder")
    return unet, vae, text_encoder.to(dtype)


def load_second_encoder(folder: Path, dtype: torch.dtype) -> CLIPTextModelWithProjection:
    """The second text encoder of a model folder of XL's shape, on the CPU; as `load_networks`."""
    return load_part(CLIPTextModelWithProjection, folder / "text_encoder_2").to(dtype)


def load_clip(folder: Path) -> CLIPModel:
    """The CLIP model for pictures and texts in a folder, on the CPU; not a part of a model.

    Raises:
        ModelCorrupt: files are missing or damaged.
        WrongModelKind: the weights are pickles.
    """
    return load_part(CLIPModel, folder)


def load_controlnet(folder: Path, dtype: torch.dtype) -> ControlNetModel:
    """The ControlNet in a folder with its config.json and weights, on the CPU.

    Raises:
        WrongModelKind: the folder holds something else.
        ModelCorrupt: files are missing or damaged.
    """
    is_model = (folder / "model_index.json").is_file()
    name = "a whole model" if is_model else read_json(folder / "config.json").get("_class_name")
    if name != "ControlNetModel":
        raise WrongModelKind(
            folder, f"this is {name}, not a ControlNet; give a ControlNet's folder or file"
        )
    return load_part(ControlNetModel, folder, torch_dtype=dtype)


def stored_types(folder: Path) -> set[str]:
    """The number types in a part's weight files, spelt as the format does, `BF16` for example."""
    files = weight_files(folder)
    return {tensor.dtype for path in files for tensor in read_header(path).values()}


def load_part(kind: Any, folder: Path, **options: Any) -> Any:
    """The network of a library's class `kind` in a folder with config.json and weights.

    Raises:
        WrongModelKind: the weights are pickles.
        ModelCorrupt: files are missing or damaged.
    """
    files = _checked_files(folder)
    config = read_json(folder / "config.json")
    check_size(folder, kind, config, headers(files))
    try:
        with staged(folder, config, files) as stage:
            network, info = _from_stage(kind, stage, folder, _variant_of(files), options)
    except OSError as error:
        raise _does_not_load(folder, error) from error
    # What an index looks for in the wrong file is told by nobody, and left without numbers.
    hollow = {name for name, tensor in network.named_parameters() if tensor.is_meta}
    missing = {name for name in info["missing_keys"] if not name.endswith("position_ids")} | hollow
    if missing or info["mismatched_keys"]:
        count = len(missing) + len(info["mismatched_keys"])
        raise ModelCorrupt(
            folder,
            f"{counted(count, 'tensor is', 'tensors are')} missing or misshapen; "
            "get the model again",
        )
    return aligned(network)


def _from_stage(
    kind: Any, stage: Path, folder: Path, variant: str | None, options: Config
) -> tuple[Any, Any]:
    try:
        return kind.from_pretrained(
            str(stage),
            variant=variant,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            **options,
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise _does_not_load(folder, str(error).replace(str(stage), str(folder))) from error


def _does_not_load(folder: Path, why: object) -> ModelCorrupt:
    return ModelCorrupt(folder, f"it does not load ({why}); get the model again")


def _checked_files(folder: Path) -> list[Path]:
    files = weight_files(folder)
    if not files:
        if any(any(folder.glob(f"*{suffix}")) for suffix in PICKLE_SUFFIXES):
            raise WrongModelKind(
                folder,
                ".bin files can run code when they are opened and are not read; "
                "get the model as .safetensors, or convert it on a machine you can risk",
            )
        raise ModelCorrupt(folder, "its .safetensors file is missing; get the model again")
    return files


def _variant_of(files: list[Path]) -> str | None:
    return "fp16" if all(".fp16." in path.name for path in files) else None


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """The tokenizer in a folder with vocab.json and merges.txt, or tokenizer.json.

    Raises:
        ModelCorrupt: the files are missing or damaged.
    """
    check_tokenizer(folder)
    if not folder.is_dir():
        raise ModelCorrupt(folder, "the tokenizer is missing; get the model again")
    try:
        return CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # The parser behind it raises plain Exception.
        raise ModelCorrupt(
            folder, f"the tokenizer does not load ({error}); get the model again"
        ) from error


def require_weights_file(path: Path, wanted: str, *kinds: Any) -> Any:
    """The header of a .safetensors file whose kind is one of `kinds`.

    Raises:
        WrongModelKind: it is of another kind; `wanted` says what it should have been.
        ModelCorrupt: the file is damaged.
    """
    header = read_header(path)
    kind = kind_of(header)
    if kind not in kinds:
        raise wrong_kind(path, kind, wanted)
    return header
