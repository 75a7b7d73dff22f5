"""LoRA files: small corrections added to a model's weights when it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fresco_media.files.numbers import decimal_of
from fresco_media.files.opening import settled

from fresco_engine.diffusion.intake import check_numbers
from fresco_engine.diffusion.weights import WeightsKind, kind_of, read_header, wrong_kind
from fresco_engine.errors import InvalidSettings, ModelCorrupt, ModelNotFound, WrongModelKind

if TYPE_CHECKING:
    from torch import nn

_ADAPTER = "fresco"


@dataclass(frozen=True)
class Lora:
    """A LoRA file and how strongly it is applied; 1 is as its maker meant it."""

    path: Path
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Lora:
        """A LoRA from `FILE` or `FILE:WEIGHT`; a drive letter's colon is part of FILE.

        Raises:
            InvalidSettings: FILE is empty or the weight is no finite number.
        """
        file, colon, weight = text.rpartition(":")
        if not colon or not _could_be_weight(file, weight):
            file, weight = text, "1"
        try:
            value = decimal_of(weight)
        except ValueError as error:
            raise InvalidSettings("lora", f"{weight!r} is no number; use FILE:0.8") from error
        if not file:
            raise InvalidSettings("lora", f"{text!r} is not of the form FILE or FILE:WEIGHT")
        return cls(Path(file).expanduser(), value)


def _could_be_weight(file: str, weight: str) -> bool:
    is_drive = len(file) == 1 and file.isalpha() and weight[:1] in ("\\", "/")
    is_name = "/" in weight or "\\" in weight or weight.lower().endswith(".safetensors")
    return not is_drive and not is_name


def fuse_lora(lora: Lora, unet: Any, text_encoder: nn.Module) -> None:
    """Adds a LoRA to the weights of both networks, leaving their modules as plain as before.

    Raises:
        ModelNotFound: there is no such file.
        WrongModelKind: it is no LoRA, or made for a network of another shape.
        ModelCorrupt: the file is damaged.
    """
    if not lora.path.is_file():
        raise ModelNotFound(lora.path, "there is no such LoRA file; check the path")
    header = read_header(lora.path)
    check_numbers(lora.path, header)
    kind = kind_of(header)
    if kind is not WeightsKind.LORA:
        raise wrong_kind(lora.path, kind, "a LoRA")
    try:
        _fuse(lora, unet, text_encoder)
    except (ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise WrongModelKind(
            lora.path,
            "this LoRA does not fit: it is made for another kind of model, or it is of a variant "
            "(LoHa, LoKr) this program does not read; use a plain one for Stable Diffusion 1.x",
        ) from error


def _fuse(lora: Lora, unet: Any, text_encoder: nn.Module) -> None:
    from diffusers.loaders import StableDiffusionLoraLoaderMixin
    from safetensors.torch import load_file

    Loader: Any = StableDiffusionLoraLoaderMixin
    with settled(lora.path) as name:
        stored = load_file(name)
    if not all(bool(tensor.isfinite().all()) for tensor in stored.values()):
        raise ModelCorrupt(
            lora.path, "it holds values that are no numbers (NaN or infinity); get the LoRA again"
        )
    tensors, alphas = Loader.lora_state_dict(stored)
    if not any(name.startswith(("unet.", "text_encoder.")) for name in tensors):
        raise ValueError("no tensor of it belongs to a U-Net or a text encoder")
    if any(name.startswith("unet.") for name in tensors):
        Loader.load_lora_into_unet(tensors, alphas, unet, adapter_name=_ADAPTER)
        _merge(unet, lora.weight)
    if any(name.startswith("text_encoder.") for name in tensors):
        Loader.load_lora_into_text_encoder(tensors, alphas, text_encoder, adapter_name=_ADAPTER)
        _merge(text_encoder, lora.weight)


def _merge(network: Any, weight: float) -> None:
    """Adds the loaded adapter to the layers it wraps and puts the plain layers back."""
    from diffusers.utils import recurse_remove_peft_layers
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers: list[Any] = [part for part in network.modules() if isinstance(part, BaseTunerLayer)]
    for layer in layers:
        layer.set_scale(_ADAPTER, weight)
        layer.merge(safe_merge=True, adapter_names=[_ADAPTER])
    recurse_remove_peft_layers(network)
    for name in ("peft_config", "_hf_peft_config_loaded"):
        network.__dict__.pop(name, None)
