"""Another VAE than the model's own, from a folder or a file of any of the layouts people have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, AutoencoderTiny
from fresco_media.files.opening import settled
from safetensors.torch import load_file
from torch import Tensor

from fresco_engine.diffusion import folders, single_file, xl_file
from fresco_engine.diffusion.intake import check_config, check_numbers, read_json
from fresco_engine.diffusion.library import FileKind, Library
from fresco_engine.diffusion.sources import locate
from fresco_engine.diffusion.weights import VAE_PREFIX, Header, WeightsKind
from fresco_engine.errors import ModelCorrupt, ModelNotFound, WrongModelKind

Config = dict[str, Any]
_WANTED = "a VAE"
_CHOOSE = "choose a VAE made for Stable Diffusion 1.x"
_CHOOSE_XL = "choose a VAE made for Stable Diffusion XL"
_LEVELS = 4
_OF_XL = re.compile(r"sdxl|(?<![a-z])xl[-_. ]?vae|vae[-_. ]?xl(?![a-z])", re.I)
"""XL's VAE has the shapes of 1.x's and other latents; only its name or its scale tells."""
_OF_FIRST = re.compile(r"ft[-_. ]?(mse|ema)|sd[-_. ]?v?1(?!\d)|840000|560000", re.I)
_FIRST_TINY = "encoder.layers.0.weight"
_FORMER = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""What the library once called the layers of a VAE's attention."""


def load_vae(
    source: str | Path, library: Library, unet: Any, *, offline: bool = False
) -> AutoencoderKL | AutoencoderTiny:
    """The VAE in a folder or file, or the one of that name in the library, on the CPU.

    A file is in the layout of the first Stable Diffusion code, with or without the prefix that it
    has in a checkpoint, or in diffusers'; a tiny autoencoder (TAESD) is told by its tensors.

    Raises:
        ModelNotFound: there is none.
        WrongModelKind: it is something else, or its latents are not what `unet` takes.
        ModelCorrupt: files are missing or damaged.
    """
    path = Path(source).expanduser()
    if not path.exists():
        path = library.find(FileKind.VAE, str(source)) or _from_hub(source, library, offline)
    vae = _from_folder(path, unet.dtype) if path.is_dir() else _from_file(path, unet)
    _check(path, vae, unet)
    return vae


def _scale(unet: Any) -> float:
    """What the latents are multiplied with in models of this U-Net's kind."""
    is_xl = unet.config.addition_embed_type is not None
    return xl_file.SCALING_FACTOR if is_xl else single_file.SCALING_FACTOR


def _from_hub(source: str | Path, library: Library, offline: bool) -> Path:
    if "/" in str(source):
        return locate(source, offline=offline)
    near = library.near(FileKind.VAE, str(source))
    told = f" (near it: {', '.join(near)})" if near else ""
    raise ModelNotFound(
        source,
        "there is no such file or folder, and no VAE of this name in the folders of models"
        f"{told}; check the name",
    )


def _check(path: Path, vae: Any, unet: Any) -> None:
    is_xl = _scale(unet) == xl_file.SCALING_FACTOR
    of_other, other, choose = (_OF_FIRST, "1.x", _CHOOSE_XL) if is_xl else (_OF_XL, "XL", _CHOOSE)
    channels, wanted = int(vae.config.latent_channels), int(unet.config.in_channels)
    if channels != wanted:
        raise WrongModelKind(
            path, f"this VAE has {channels} latent channels, and this model {wanted}; {choose}"
        )
    levels = len(vae.config.block_out_channels)
    if levels != _LEVELS:
        raise WrongModelKind(path, f"this VAE has {levels} levels, not {_LEVELS}; {choose}")
    is_large = isinstance(vae, AutoencoderKL)
    is_other = is_large and abs(float(vae.config["scaling_factor"]) / _scale(unet) - 1) > 0.01
    if is_other or (is_large and of_other.search(path.stem)):
        raise WrongModelKind(
            path,
            f"this VAE is made for Stable Diffusion {other}, whose latents are other; {choose}",
        )


def _from_folder(folder: Path, dtype: torch.dtype) -> Any:
    if (folder / "model_index.json").is_file():
        folder /= "vae"
    name = read_json(folder / "config.json").get("_class_name")
    kind = folders.VAES.get(str(name))
    if kind is None:
        raise WrongModelKind(folder, f"this is {name}, not {_WANTED}; {_CHOOSE}")
    return folders.load_part(kind, folder, torch_dtype=dtype)


def _from_file(path: Path, unet: Any) -> Any:
    header = folders.require_weights_file(path, _WANTED, WeightsKind.VAE)
    try:
        check_numbers(path, header)
        kind, config = _shape(header)
        if kind is AutoencoderKL:
            config["scaling_factor"] = _scale(unet)
        check_config(path, config)
        with settled(path) as name:
            tensors = load_file(name)
        if "encoder.down.0.block.0.conv1.weight" in _bare(header):
            return single_file.converted(kind, tensors, config, unet.dtype)
        return _loaded(kind, config, tensors).to(unet.dtype)
    except (KeyError, StopIteration, IndexError, ValueError, RuntimeError, OSError) as error:
        raise ModelCorrupt(
            path, f"its tensors do not make a complete VAE ({error}); download the file again"
        ) from error


def _bare(header: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(VAE_PREFIX): value for name, value in header.items()}


def _shape(header: Header) -> tuple[Any, Config]:
    """The class and the configuration of the VAE in a file."""
    bare = _bare(header)
    if _FIRST_TINY in bare:
        return AutoencoderTiny, _tiny_config(bare)
    if "encoder.down.0.block.0.conv1.weight" in bare:
        prefixed = {f"{VAE_PREFIX}{name}": value for name, value in bare.items()}
        return AutoencoderKL, single_file.vae_config(prefixed)
    down = re.compile(r"encoder\.down_blocks\.(\d+)\.resnets\.(\d+)\.conv2\.weight")
    found = {(int(m[1]), int(m[2])): name for name in bare if (m := down.fullmatch(name))}
    levels = max(level for level, _ in found) + 1
    return AutoencoderKL, {
        "block_out_channels": [bare[found[level, 0]].shape[0] for level in range(levels)],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": max(layer for _, layer in found) + 1,
        "latent_channels": bare["decoder.conv_in.weight"].shape[1],
        "sample_size": 512,
        "scaling_factor": single_file.SCALING_FACTOR,
    }


def _tiny_config(header: Header) -> Config:
    """A tiny autoencoder's: a convolution begins each level, blocks of three follow it."""
    encoder, decoder = _runs(header, "encoder"), _runs(header, "decoder")
    # The encoder ends, and the decoder begins, with a convolution that begins no level.
    width = header[_FIRST_TINY].shape[0]
    return {
        "latent_channels": header["decoder.layers.0.weight"].shape[1],
        "num_encoder_blocks": encoder[:-1],
        "num_decoder_blocks": decoder[:-1],
        "encoder_block_out_channels": [width] * (len(encoder) - 1),
        "decoder_block_out_channels": [header["decoder.layers.0.weight"].shape[0]]
        * (len(decoder) - 1),
    }


def _runs(header: Header, half: str) -> list[int]:
    """How many blocks follow each convolution of a half, in order."""
    layers = re.compile(rf"{half}\.layers\.(\d+)\.(weight|conv\.0\.weight)")
    found = {int(m[1]): m[2] for name in header if (m := layers.fullmatch(name))}
    runs: list[int] = []
    for _, part in sorted(found.items()):
        if part == "weight":
            runs.append(0)
        else:
            runs[-1] += 1
    return runs


def _loaded(kind: Any, config: Config, tensors: Mapping[str, Tensor]) -> Any:
    with init_empty_weights(include_buffers=False):
        network = kind.from_config(config)
    network.load_state_dict(
        {_today(name): value for name, value in _bare(tensors).items()}, assign=True
    )
    return network


def _today(name: str) -> str:
    """A tensor's name as the library has it now."""
    head, _, layer = name.rpartition(".attentions.0.")
    part, _, last = layer.partition(".")
    return f"{head}.attentions.0.{_FORMER[part]}.{last}" if part in _FORMER else name
