"""Pictures as CLIP's image encoder sees them."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from fresco_media.files.opening import settled
from fresco_media.types import Image
from numpy import asarray
from PIL import Image as Pillow
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from fresco_engine.diffusion import folders
from fresco_engine.diffusion.intake import check_config, check_numbers, headers, read_json
from fresco_engine.diffusion.memory import aligned
from fresco_engine.diffusion.sources import weight_files
from fresco_engine.diffusion.weights import Header, WeightsKind, read_header
from fresco_engine.errors import ModelCorrupt, WrongModelKind

_WANTED = "CLIP's image encoder"
_PARTS = ("vision_model.", "visual_projection.")
_HEADS = 16
"""Of the encoders that adapters are made for: CLIP's ViT-L, ViT-H and ViT-bigG have as many."""
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_SPREAD = (0.26862954, 0.26130258, 0.27577711)


class PictureEncoder:
    """What CLIP says of a picture."""

    def __init__(self, network: CLIPVisionModelWithProjection) -> None:
        self._network = network

    @torch.no_grad()
    def read(self, image: Image, *, by_patch: bool) -> Tensor:
        """What is said of nothing and of `image`, 2 c, or, `by_patch`, 2 patches c.

        Of nothing, zeros are said of the whole, and of the patches what an empty picture gives.
        """
        network: Any = self._network
        side = network.config.image_size
        picture = _normalised(middle_square(image, side)).to(network.device, network.dtype)
        if not by_patch:
            said = network(picture).image_embeds
            return torch.cat([torch.zeros_like(said), said])
        pictures = (torch.zeros_like(picture), picture)
        states = (network(one, output_hidden_states=True).hidden_states[-2] for one in pictures)
        return torch.cat(list(states))


def middle_square(image: Image, side: int) -> Image:
    """The middle of a picture, its shorter side scaled to `side`, as CLIP's own preparation does.

    Only what is kept is scaled, so that a very long picture takes no more memory.
    """
    height, width = image.shape[:2]
    short = min(width, height)
    scaled = [int(side * length / short) for length in (width, height)]
    starts = [(length - side) // 2 for length in scaled]
    left, top = (s * full / n for s, full, n in zip(starts, (width, height), scaled, strict=True))
    right, low = (
        (s + side) * full / n for s, full, n in zip(starts, (width, height), scaled, strict=True)
    )
    box = (left, top, min(right, width), min(low, height))
    picture = Pillow.fromarray(image).resize((side, side), Pillow.Resampling.BICUBIC, box=box)
    return asarray(picture)


def _normalised(image: Image) -> Tensor:
    """A picture as (1, 3, H, W) float32, CLIP's mean 0 and its spread 1."""
    picture = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    mean, spread = (torch.tensor(one)[:, None, None] for one in (_MEAN, _SPREAD))
    return (picture - mean) / spread


def said_widths(path: Path) -> tuple[int, int]:
    """How many numbers the encoder in a folder or file says of a picture, and of each patch.

    Raises:
        ModelError: it is none, or cannot be read.
    """
    header = _encoder_header(path)
    try:
        whole = header["visual_projection.weight"].shape[0]
        return whole, header["vision_model.embeddings.class_embedding"].shape[0]
    except (KeyError, IndexError) as error:
        raise _incomplete(path, error) from error


def load_encoder(path: Path, dtype: torch.dtype) -> CLIPVisionModelWithProjection:
    """The image encoder in a folder with its config.json, or in a file, on the CPU.

    Raises:
        WrongModelKind: it is something else.
        ModelCorrupt: files are missing or damaged.
    """
    if path.is_dir():
        kind = read_json(path / "config.json").get("model_type")
        if kind != "clip_vision_model":
            raise WrongModelKind(path, f"this is {kind}, not {_WANTED}; get CLIP ViT-H/14's")
        network = folders.load_part(CLIPVisionModelWithProjection, path, torch_dtype=dtype)
    else:
        network = _from_file(path, dtype)
    return network.eval().requires_grad_(False)


def _encoder_header(path: Path) -> Header:
    if path.is_dir():
        return headers(weight_files(path))
    return read_header(path)


def _from_file(path: Path, dtype: torch.dtype) -> CLIPVisionModelWithProjection:
    header = folders.require_weights_file(path, _WANTED, WeightsKind.IMAGE_ENCODER)
    try:
        config = _config(header)
        check_numbers(path, header)
        check_config(path, config)
        with settled(path) as name:
            tensors = load_file(name)
        with init_empty_weights(include_buffers=False):
            network = CLIPVisionModelWithProjection(CLIPVisionConfig(**config))
        own = {
            name: value.to(dtype)
            for name, value in tensors.items()
            if name.startswith(_PARTS) and not name.endswith("position_ids")
        }
        network.load_state_dict(own, assign=True)
    except (KeyError, IndexError, ValueError, RuntimeError, OSError) as error:
        raise _incomplete(path, error) from error
    return aligned(network)


def _config(header: Header) -> dict[str, Any]:
    """What the shapes tell; the activation is that of the encoders trained by LAION."""
    inside = "vision_model.embeddings."
    hidden, _, patch, _ = header[f"{inside}patch_embedding.weight"].shape
    places = header[f"{inside}position_embedding.weight"].shape[0]
    layers = re.compile(r"vision_model\.encoder\.layers\.(\d+)\.")
    return {
        "hidden_size": hidden,
        "intermediate_size": header["vision_model.encoder.layers.0.mlp.fc1.weight"].shape[0],
        "projection_dim": header["visual_projection.weight"].shape[0],
        "num_hidden_layers": len({found[1] for name in header if (found := layers.match(name))}),
        "num_attention_heads": _HEADS,
        "patch_size": patch,
        "image_size": patch * math.isqrt(places - 1),
        "hidden_act": "gelu",
    }


def _incomplete(path: Path, error: Exception) -> ModelCorrupt:
    return ModelCorrupt(
        path, f"its tensors do not make a complete image encoder ({error}); download it again"
    )
