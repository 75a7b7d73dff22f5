"""Putting a model together from its parts, the same way for a folder and for a single file."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fresco_engine.diffusion import folders, single_file, xl_file
from fresco_engine.diffusion.adapters.fusing import fuse_lora
from fresco_engine.diffusion.card import ModelCard
from fresco_engine.diffusion.controlnets import ControlPlaces, load_controls
from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.detectors.places import NO_PLACES, DetectorPlaces
from fresco_engine.diffusion.few_step import FewStep, few_step_among, few_step_of
from fresco_engine.diffusion.intake import scheduler_config
from fresco_engine.diffusion.library import NO_LIBRARY, Library
from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.open_clip import PADDING
from fresco_engine.diffusion.tokenizers import find_tokenizer
from fresco_engine.diffusion.vaes import load_vae
from fresco_engine.diffusion.weights import Header, WeightsKind, kind_of
from fresco_engine.settings import ControlChoice


@dataclass(frozen=True, kw_only=True)
class PartsChoice:
    """What a user asks of a model besides its name."""

    control: str | None = None
    control_source: str | Path | None = None
    tokenizer_source: str | Path | None = None
    loras: tuple[Lora, ...] = ()
    offline: bool = False
    vae: str | Path | None = None
    library: Library = NO_LIBRARY


@dataclass(kw_only=True)
class Parts:
    """The networks of a model on the CPU, not yet placed; detectors are where they will run."""

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler_config: dict[str, Any]
    text_encoder_2: Any = None
    tokenizer_2: Any = None
    zeros_no_words: bool = False
    controls: tuple[LoadedControl, ...] = ()
    detectors: DetectorPlaces = NO_PLACES
    few_step: FewStep | None = None


def load_parts(path: Path, card: ModelCard, wanted: PartsChoice, device: torch.device) -> Parts:
    """All parts of the model at `path`, LoRAs added, with the controls that are wanted."""
    if path.is_dir():
        parts = _from_folder(path, wanted, device)
    else:
        parts = _from_file(path, wanted, device)
    if wanted.vae is not None:
        parts.vae = load_vae(wanted.vae, wanted.library, parts.unet, offline=wanted.offline)
    for lora in wanted.loras:
        fuse_lora(lora, parts.unet, parts.text_encoder, parts.text_encoder_2)
    parts.few_step = few_step_among(few_step_of(path), wanted.loras)
    choice = ControlChoice.parse(wanted.control or card.defaults.control)
    places = ControlPlaces(path, card, wanted.control_source, wanted.offline, wanted.library)
    parts.controls = load_controls(choice.kinds, places, parts.unet, device)
    parts.detectors = places.detectors
    return parts


def dtype_for(device: torch.device, stored: set[str]) -> torch.dtype:
    """Single precision where half is slow or risky (CPU, Apple's GPU), half on CUDA.

    A model whose weights are `stored` as BF16 keeps that type's range on CUDA.
    """
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if "BF16" in stored else torch.float16


def _from_folder(folder: Path, wanted: PartsChoice, device: torch.device) -> Parts:
    index = folders.require_model_folder(folder)
    dtype = dtype_for(device, folders.stored_types(folder / "unet"))
    tokenizer = folders.load_tokenizer(Path(wanted.tokenizer_source or folder / "tokenizer"))
    unet, vae, text_encoder = folders.load_networks(folder, dtype)
    parts = Parts(
        unet=unet,
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        scheduler_config=scheduler_config(folder / "scheduler" / "scheduler_config.json"),
    )
    if folders.is_xl(index):
        second = folder / "tokenizer_2"
        is_own = wanted.tokenizer_source is None and second.is_dir()
        parts.text_encoder_2 = folders.load_second_encoder(folder, dtype)
        parts.tokenizer_2 = folders.load_tokenizer(second) if is_own else _padded(tokenizer)
        parts.zeros_no_words = bool(index.get("force_zeros_for_empty_prompt", True))
    return parts


def _padded(tokenizer: Any) -> Any:
    """The same tokenizer for an OpenCLIP text encoder."""
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.pad_token = PADDING
    return tokenizer


def _from_file(path: Path, wanted: PartsChoice, device: torch.device) -> Parts:
    header = folders.require_weights_file(
        path,
        "a Stable Diffusion 1.x or XL model",
        WeightsKind.CHECKPOINT,
        WeightsKind.SD2,
        WeightsKind.SDXL,
    )
    dtype = dtype_for(device, {tensor.dtype for tensor in header.values()})
    if kind_of(header) is WeightsKind.SDXL:
        return _from_xl_file(path, header, wanted, dtype)
    unet, vae, text_encoder = single_file.load_networks(path, header, dtype)
    clip = text_encoder.config
    folders.require_shape(path, unet.config, vae.config, [clip.hidden_size])
    tokenizer = find_tokenizer(path, wanted.tokenizer_source, clip.vocab_size)
    if single_file.has_open_clip(header):
        tokenizer = _padded(tokenizer)
    return Parts(
        unet=unet,
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        scheduler_config=single_file.scheduler_config(path, header),
    )


def _from_xl_file(path: Path, header: Header, wanted: PartsChoice, dtype: torch.dtype) -> Parts:
    unet, vae, first, second = xl_file.load_networks(path, header, dtype)
    widths = [one.config.hidden_size for one in (first, second)]
    folders.require_shape(path, unet.config, vae.config, widths, second.config.projection_dim)
    tokenizer = find_tokenizer(path, wanted.tokenizer_source, first.config.vocab_size)
    return Parts(
        unet=unet,
        vae=vae,
        text_encoder=first,
        tokenizer=tokenizer,
        scheduler_config=single_file.scheduler_config(path, header),
        text_encoder_2=second,
        tokenizer_2=_padded(tokenizer),
        zeros_no_words=True,
    )
