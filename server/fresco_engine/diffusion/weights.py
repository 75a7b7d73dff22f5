"""What a .safetensors file holds, told from its header alone; nothing is loaded, no torch."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from fresco_media.files.opening import OutsideFolders, open_file
from fresco_settings import Remedy, marked, said

from fresco_engine.diffusion.sources import BUNDLED
from fresco_engine.errors import ModelCorrupt, ModelNotFound, WrongModelKind

PICKLE_SUFFIXES = (".ckpt", ".bin", ".pt", ".pth")
LEADS_OUT = (
    "it leads outside the folders that may be read here; "
    f"{said(Remedy.ALLOW_LINKED_FOLDER)}, or put a copy in its place"
)
"""What is wrong with a model whose files are links to where a confined process may not read."""
_LONGEST_HEADER = 16 << 20
_MOST_TENSORS = 100_000
_MOST_SIDES, _LONGEST_SIDE = 8, 1 << 40
_BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "I16": 16, "U16": 16}
_BITS |= {"F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64}
UNET_PREFIX = "model.diffusion_model."
CLIP_PREFIX = "cond_stage_model.transformer.text_model."
OPEN_CLIP_PREFIX = "cond_stage_model.model."
XL_CLIP_PREFIX = "conditioner.embedders.0.transformer.text_model."
XL_OPEN_CLIP_PREFIX = "conditioner.embedders.1.model."
VAE_PREFIX = "first_stage_model."


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of a file: its type as the format spells it (`F16`) and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


Header = Mapping[str, TensorInfo]


class WeightsKind(Enum):
    """Kinds of weight files people have; the value completes the sentence `it is ...`."""

    CHECKPOINT = "a Stable Diffusion 1.x checkpoint"
    INPAINTING = "an inpainting or image-editing checkpoint"
    UNET_ONLY = "a U-Net without text encoder and VAE"
    SD2 = "a Stable Diffusion 2.x checkpoint"
    SDXL = "a Stable Diffusion XL checkpoint"
    XL_REFINER = "the refiner of Stable Diffusion XL"
    XL_PART = "a part of a Stable Diffusion XL checkpoint"
    TRANSFORMER = "a transformer model such as SD 3 or Flux"
    CONTROLNET = "a ControlNet"
    T2I_ADAPTER = "a T2I-Adapter"
    IP_ADAPTER = "an IP-Adapter"
    LORA = "a LoRA"
    EMBEDDING = "a textual inversion embedding"
    VAE = "a VAE"
    TEXT_ENCODER = "a text encoder"
    IMAGE_ENCODER = "an image encoder"
    UNKNOWN = "none of the kinds this program knows"


def read_header(path: Path) -> Header:
    """Names, types and shapes of the tensors in a .safetensors file.

    Raises:
        ModelNotFound: there is no such file, or it cannot be read.
        WrongModelKind: the file is a pickle, which can run code when it is opened.
        ModelCorrupt: the header is no safetensors header, or the file is shorter than it says.
    """
    refuse_pickle(path)
    entries, data_size = _entries(path)
    return _checked(path, entries, data_size)


def read_metadata(path: Path) -> Mapping[str, str]:
    """What the maker of a .safetensors file says of it; raises as `read_header`."""
    entries, _ = _entries(path)
    metadata = entries.get("__metadata__") if isinstance(entries, dict) else None
    if not isinstance(metadata, dict):
        return {}
    return {str(name): str(value) for name, value in metadata.items()}


def _entries(path: Path) -> tuple[object, int]:
    """The header as it is stored, and the bytes behind it."""
    try:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                raise ModelCorrupt(path, f"the file is empty; {_again(path)}")
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > size - 8:
                raise ModelCorrupt(path, _damage(path, "it is too short or no safetensors file"))
            if length > _LONGEST_HEADER:
                raise ModelCorrupt(path, "it lists far more than a model has; choose another file")
            return json.loads(file.read(length)), size - 8 - length
    except OutsideFolders as error:
        raise ModelNotFound(path, LEADS_OUT) from error
    except OSError as error:
        raise ModelNotFound(path, f"cannot be read ({error.strerror}); check the path") from error
    except (ValueError, RecursionError) as error:
        raise ModelCorrupt(path, _damage(path, "its header cannot be read")) from error


def _checked(path: Path, entries: object, data_size: int) -> Header:
    try:
        assert isinstance(entries, dict)
        tensors = {name: item for name, item in entries.items() if name != "__metadata__"}
        assert len(tensors) <= _MOST_TENSORS
        header = {name: _tensor(item) for name, item in tensors.items()}
        spans = sorted(tuple(map(int, item["data_offsets"])) for item in tensors.values())
    except (AssertionError, KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise ModelCorrupt(path, _damage(path, "its header cannot be read")) from error
    if not header:
        raise ModelCorrupt(
            path, f"the file holds no weights at all; {_again(path)} or choose another one"
        )
    end = spans[-1][1]
    if end > data_size:
        raise ModelCorrupt(path, _damage(path, f"{end - data_size} bytes are missing at its end"))
    # The library refuses both as a fault of its own.
    begins = [begin for begin, _ in spans]
    if end < data_size or begins != [0, *(stop for _, stop in spans[:-1])]:
        raise ModelCorrupt(path, _damage(path, "it holds bytes that belong to none of its weights"))
    return header


def _tensor(item: Mapping[str, Any]) -> TensorInfo:
    """One entry, whose shape takes as many bytes as it says."""
    shape = tuple(int(side) for side in item["shape"])
    assert len(shape) <= _MOST_SIDES
    assert all(0 <= side <= _LONGEST_SIDE for side in shape)
    info = TensorInfo(str(item["dtype"]), shape)
    begin, end = (int(offset) for offset in item["data_offsets"])
    bits = _BITS.get(info.dtype)
    assert 0 <= begin <= end
    assert bits is None or info.count * bits == 8 * (end - begin)
    return info


def refuse_pickle(path: Path) -> None:
    """Raises `WrongModelKind` for files that can run code when they are opened."""
    if path.suffix.lower() in PICKLE_SUFFIXES:
        raise WrongModelKind(
            path,
            f"{path.suffix} files can run code when they are opened and are not read; "
            "get the model as .safetensors, or convert it on a machine you can risk",
        )


def _damage(path: Path, what: str) -> str:
    return f"the file is damaged: {what}; {_again(path)}"


def _again(path: Path) -> str:
    """How to get a sound file: what came with Fresco is nowhere else."""
    return "install Fresco again" if BUNDLED in path.parents else "download it again"


def kind_of(header: Header) -> WeightsKind:
    """What the tensors' names and shapes say the file is."""
    return next((kind for kind, is_it in _RULES if is_it(header)), WeightsKind.UNKNOWN)


def _has(*parts: str) -> Callable[[Header], bool]:
    return lambda header: any(part in name for name in header for part in parts)


def _starts(*parts: str) -> Callable[[Header], bool]:
    return lambda header: any(name.startswith(parts) for name in header)


def _is_inpainting(header: Header) -> bool:
    first = header.get(f"{UNET_PREFIX}input_blocks.0.0.weight") or header.get("conv_in.weight")
    last = header.get(f"{UNET_PREFIX}out.2.weight") or header.get("conv_out.weight")
    if first is None or last is None or not _starts(UNET_PREFIX, "down_blocks")(header):
        return False
    return first.shape[1] > last.shape[0]


def _starts_all(*parts: str) -> Callable[[Header], bool]:
    return lambda header: all(_starts(part)(header) for part in parts)


_RULES: tuple[tuple[WeightsKind, Callable[[Header], bool]], ...] = (
    # Those for faces hold LoRAs as well.
    (WeightsKind.IP_ADAPTER, _starts("image_proj.", "ip_adapter.")),
    (WeightsKind.LORA, _has("lora_", "lora.", "lycoris_", "hada_w1", "lokr_w1")),
    (
        WeightsKind.CONTROLNET,
        _has("control_model.", "controlnet_cond_embedding.", "input_hint_block.", "zero_convs."),
    ),
    (WeightsKind.T2I_ADAPTER, _starts("adapter.body.0.", "body.0.")),
    (WeightsKind.XL_REFINER, _starts("conditioner.embedders.0.model.")),
    (WeightsKind.INPAINTING, _is_inpainting),
    (
        WeightsKind.SDXL,
        _starts_all(UNET_PREFIX, XL_CLIP_PREFIX, XL_OPEN_CLIP_PREFIX, VAE_PREFIX),
    ),
    (WeightsKind.XL_PART, _has("conditioner.embedders.", "label_emb.", "add_embedding.")),
    (
        WeightsKind.TRANSFORMER,
        _has("joint_blocks.", "double_blocks.", "transformer_blocks.0.norm1_context."),
    ),
    (WeightsKind.SD2, _starts(OPEN_CLIP_PREFIX)),
    (WeightsKind.CHECKPOINT, _starts_all(UNET_PREFIX, CLIP_PREFIX, VAE_PREFIX)),
    (WeightsKind.UNET_ONLY, _starts(UNET_PREFIX, "down_blocks.0.resnets.")),
    (WeightsKind.EMBEDDING, _has("emb_params", "string_to_param", "<")),
    (WeightsKind.VAE, _starts(VAE_PREFIX, "encoder.conv_in.", "decoder.", "encoder.layers.0.conv")),
    (WeightsKind.TEXT_ENCODER, _has("token_embedding.")),
    (WeightsKind.IMAGE_ENCODER, _starts("vision_model.")),
)

REFINER_ADVICE = "it only finishes what the base model begins; use the base model"
"""What to do with the refiner of Stable Diffusion XL."""
_ADVICE = {
    WeightsKind.LORA: f"choose the model it was made for and {said(Remedy.ADD_LORA)}",
    WeightsKind.CONTROLNET: "choose a model and give this file as its control source",
    WeightsKind.T2I_ADAPTER: "choose a model and give this file as its control source",
    WeightsKind.IP_ADAPTER: (
        f"choose a model, and name this file as {marked('reference_model')} beside a picture"
    ),
    WeightsKind.INPAINTING: "use the plain version of the model",
    WeightsKind.UNET_ONLY: "use a file that holds the whole model, or a diffusers folder",
    WeightsKind.XL_PART: "use a file that holds the whole model, or a diffusers folder",
    WeightsKind.XL_REFINER: REFINER_ADVICE,
}


def wrong_kind(path: Path | str, kind: WeightsKind, wanted: str) -> WrongModelKind:
    """The error for a file of `kind` where `wanted` (with its article) was expected."""
    fitting = f"choose {wanted}" + ("" if "1.x" in wanted else " for Stable Diffusion 1.x")
    if kind is WeightsKind.UNKNOWN:
        return WrongModelKind(path, f"nothing in this file is known here; {fitting}")
    advice = _ADVICE.get(kind, fitting)
    error = WrongModelKind(path, f"this is {kind.value}, not {wanted}; {advice}")
    error.remedy = Remedy.ADD_LORA if kind is WeightsKind.LORA else None
    return error
