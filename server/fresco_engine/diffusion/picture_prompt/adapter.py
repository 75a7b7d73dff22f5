"""IP-Adapters in files: told by their tensors, checked against the U-Net they are to speak to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers.models.embeddings import (
    ImageProjection,
    IPAdapterFullImageProjection,
    IPAdapterPlusImageProjection,
)
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from fresco_media.files.opening import settled
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from fresco_engine.diffusion import folders
from fresco_engine.diffusion.intake import check_numbers
from fresco_engine.diffusion.memory import aligned, aligned_tensor
from fresco_engine.diffusion.picture_prompt.prompt import cross_attentions
from fresco_engine.diffusion.weights import Header, WeightsKind
from fresco_engine.errors import ModelCorrupt, WrongModelKind

_WANTED = "an IP-Adapter"
_CHOOSE = "choose one made for this model, as ip-adapter_sd15 for Stable Diffusion 1.5"
_PROJECTION, _LAYERS = "image_proj.", "ip_adapter."
_HEAD = 64
_MADE_FOR = {
    768: "Stable Diffusion 1.x",
    1024: "Stable Diffusion 2.x",
    2048: "Stable Diffusion XL",
}
"""By the width of the words that the U-Net reads."""
_KEY = re.compile(re.escape(_LAYERS) + r"(\d+)\.to_k_ip\.weight")
_BLOCK = re.compile(r"layers\.(\d+)\.(.+)")
_IN_BLOCK = {
    "0.norm1": "ln0",
    "0.norm2": "ln1",
    "0.to_q": "attn.to_q",
    "0.to_out": "attn.to_out.0",
    "1.0": "ff.0",
    "1.1": "ff.1.net.0.proj",
    "1.3": "ff.1.net.2",
}
"""The library's names of a resampler's layers, by those of the first IP-Adapter code."""


@dataclass(frozen=True, kw_only=True)
class IpAdapter:
    """An adapter on the CPU, as it was stored.

    `projection` makes tokens of what the image encoder says, which has `width` numbers: of the
    picture as a whole, or where it `reads_patches` of each patch. `layers` are the weights of K and
    V, (heads·d, c) each, of the U-Net's cross-attentions in their order.
    """

    path: Path
    projection: nn.Module
    width: int
    reads_patches: bool
    layers: tuple[tuple[Tensor, Tensor], ...]

    @torch.no_grad()
    def tokens(self, states: Tensor) -> Tensor:
        """b m c for what the image encoder says, b c or b patches c, where and as that is."""
        return self.projection.to(states)(states)


def load_adapter(path: Path, unet: UNet2DConditionModel) -> IpAdapter:
    """The IP-Adapter in a file, checked to fit `unet`.

    Raises:
        WrongModelKind: it is something else, made for another kind of model, or one that is told
            faces by another program.
        ModelCorrupt: it is damaged or incomplete.
    """
    header = folders.require_weights_file(path, _WANTED, WeightsKind.IP_ADAPTER)
    names = {name.removeprefix(_PROJECTION) for name in header if name.startswith(_PROJECTION)}
    make = _maker(names)
    if make is None:
        raise WrongModelKind(
            path,
            "this IP-Adapter wants a face that another program has recognised (FaceID), which is "
            "not done here; choose ip-adapter_sd15, or ip-adapter-plus-face_sd15 for faces",
        )
    _require_fit(path, header, unet)
    try:
        check_numbers(path, header)
        with settled(path) as name:
            tensors = load_file(name)
        projected = {
            name.removeprefix(_PROJECTION): value
            for name, value in tensors.items()
            if name.startswith(_PROJECTION)
        }
        projection, width = make(projected)
        adapter = IpAdapter(
            path=path,
            projection=projection.float().eval().requires_grad_(False),
            width=width,
            reads_patches=not isinstance(projection, ImageProjection),
            layers=tuple(_weights(tensors)),
        )
        _try(adapter)
        return adapter
    except (KeyError, IndexError, ValueError, RuntimeError, OSError) as error:
        raise ModelCorrupt(
            path, f"its tensors do not make a complete IP-Adapter ({error}); download it again"
        ) from error


def _weights(tensors: Mapping[str, Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    for number in _numbers(tensors):
        own = f"{_LAYERS}{number}"
        key, value = (tensors[f"{own}.to_{name}_ip.weight"] for name in ("k", "v"))
        yield aligned_tensor(key), aligned_tensor(value)


def _try(adapter: IpAdapter) -> None:
    """Raises RuntimeError where its parts do not fit together."""
    states = torch.zeros((1, 1, adapter.width) if adapter.reads_patches else (1, adapter.width))
    one = adapter.tokens(states)[:, :1].to("meta")
    for weight in (weight for both in adapter.layers for weight in both):
        F.linear(one, weight.to("meta", torch.float32))


def _numbers(names: Mapping[str, Any]) -> list[int]:
    """The layers by the numbers that files have for them, in order."""
    return sorted(int(found[1]) for name in names if (found := _KEY.fullmatch(name)))


def _require_fit(path: Path, header: Header, unet: UNet2DConditionModel) -> None:
    shapes = [header[f"{_LAYERS}{number}.to_k_ip.weight"].shape for number in _numbers(header)]
    wanted = [tuple(attn.to_k.weight.shape) for attn in cross_attentions(unet).values()]  # pyright: ignore[reportOptionalMemberAccess]
    if shapes == wanted:
        return
    width = shapes[0][-1] if shapes and len(shapes[0]) == 2 else 0
    is_like = bool(wanted) and width == wanted[0][-1]
    kind = None if is_like else _MADE_FOR.get(width)
    raise WrongModelKind(
        path, f"this IP-Adapter is made for {kind or 'another kind of model'}; {_CHOOSE}"
    )


_Maker = Callable[[Mapping[str, Tensor]], tuple[nn.Module, int]]


def _maker(names: set[str]) -> _Maker | None:
    """What makes the projection whose tensors have these names; None for those of faces."""
    if any(name.startswith("perceiver_resampler.") for name in names):
        return None
    if "latents" in names:
        return _resampler
    if "proj.weight" in names:
        return _plain
    return _full if "proj.3.weight" in names else None


def _plain(tensors: Mapping[str, Tensor]) -> tuple[nn.Module, int]:
    """Tokens out of what is said of the picture as a whole."""
    rows, width = tensors["proj.weight"].shape
    across = tensors["norm.weight"].shape[0]
    with init_empty_weights():
        projection = ImageProjection(
            image_embed_dim=width,
            cross_attention_dim=across,
            num_image_text_embeds=rows // across,
        )
    renamed = {name.replace("proj.", "image_embeds."): one for name, one in tensors.items()}
    return _filled(projection, renamed), width


def _full(tensors: Mapping[str, Tensor]) -> tuple[nn.Module, int]:
    """A token for each patch."""
    width, across = tensors["proj.0.weight"].shape[1], tensors["proj.3.weight"].shape[0]
    with init_empty_weights():
        projection = IPAdapterFullImageProjection(image_embed_dim=width, cross_attention_dim=across)
    places = {"proj.0.": "ff.net.0.proj.", "proj.2.": "ff.net.2.", "proj.3.": "norm."}
    renamed = {places[name[:7]] + name[7:]: one for name, one in tensors.items()}
    return _filled(projection, renamed), width


def _resampler(tensors: Mapping[str, Tensor]) -> tuple[nn.Module, int]:
    """Tokens that ask the patches."""
    hidden, width = tensors["proj_in.weight"].shape
    blocks = {found[1] for name in tensors if (found := _BLOCK.fullmatch(name))}
    with init_empty_weights():
        projection = IPAdapterPlusImageProjection(
            embed_dims=width,
            output_dims=tensors["proj_out.weight"].shape[0],
            hidden_dims=hidden,
            depth=len(blocks),
            dim_head=_HEAD,
            heads=tensors["layers.0.0.to_q.weight"].shape[0] // _HEAD,
            num_queries=tensors["latents"].shape[1],
            ffn_ratio=tensors["layers.0.1.1.weight"].shape[0] / hidden,
        )
    return _filled(projection, dict(_resampler_tensors(tensors))), width


def _resampler_tensors(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in tensors.items():
        found = _BLOCK.fullmatch(name)
        if found is None:
            yield name, tensor
            continue
        block, (layer, _, last) = f"layers.{found[1]}", found[2].rpartition(".")
        if layer == "0.to_kv":
            key, value = tensor.chunk(2)
            yield f"{block}.attn.to_k.{last}", key
            yield f"{block}.attn.to_v.{last}", value
        else:
            yield f"{block}.{_IN_BLOCK[layer]}.{last}", tensor


def _filled(network: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    network.load_state_dict(dict(tensors), assign=True)
    return aligned(network)
