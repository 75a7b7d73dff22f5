"""Between pictures and latents, one frame at a time so that memory stays that of one frame."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fresco_engine.diffusion.finite import FiniteWatch
from fresco_engine.diffusion.memory import device_memory
from fresco_engine.diffusion.quiet import quiet_libraries

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model

_LOGGER = logging.getLogger(__name__)
TILE = 512
"""Side of an autoencoder's tiles in pixels, a quarter of it in common with the next."""


def vae_dtype(vae: Any, dtype: torch.dtype, *, is_xl: bool) -> torch.dtype:
    """The precision in which a VAE works in a model of `dtype`.

    That of Stable Diffusion XL leaves float16's range, and says so (`force_upcast`); one that was
    mended for it says that it does not. Of 1.x's, which stay within it, some say nothing.
    """
    overflows = is_xl and dtype == torch.float16 and vae.config.get("force_upcast", False)
    return torch.float32 if overflows else dtype


@torch.no_grad()
def encode_images(model: Model, images: Tensor, watch: FiniteWatch | None = None) -> Tensor:
    """Latents (f, c, H / 8, W / 8) of pictures (f, 3, H, W) in [-1, 1], on the model's device.

    An encoder that describes a distribution gives its mode, so the same picture gives the same
    latents. `watch` may put off what asking the device for an answer costs.

    Raises:
        OutOfDeviceMemory, ResultNotFinite.
    """
    with device_memory("encoding frames", is_of_autoencoder=True), _in_tiles(model):
        latents = torch.cat([_encode(model, image) for image in images.split(1)])
        return (watch or FiniteWatch(model, at_once=True))(latents, "encoding frames")


@torch.no_grad()
def decode_latents(model: Model, latents: Tensor, watch: FiniteWatch | None = None) -> Tensor:
    """Pictures (f, 3, H, W) in [-1, 1], float32, of latents (f, c, H / 8, W / 8).

    `watch` may put off what asking the device for an answer costs. Some autoencoders leave the
    range of half precision, and work in full precision from then on.

    Raises:
        OutOfDeviceMemory, ResultNotFinite.
    """
    watch = watch or FiniteWatch(model, at_once=True)
    vae: Any = model.vae
    with device_memory("decoding frames", is_of_autoencoder=True), _in_tiles(model):
        scaled = latents.to(model.device, torch.float32) / vae.config.scaling_factor
        scaled = watch(scaled + _shift(model), "denoising")
        images = _decoded(vae, scaled)
        if vae.dtype == torch.float16 and watch.overflows(images):
            use_full_precision(model)
            images = _decoded(vae, scaled)
        return watch(images, "decoding frames").clamp_(-1, 1)


def use_full_precision(model: Model) -> None:
    """Let the autoencoder work in float32 from now on, as it overflows in half precision."""
    vae: Any = model.vae
    _LOGGER.info("the VAE of %s overflows in half precision; using float32", model.name)
    with quiet_libraries():
        vae.to(torch.float32)


def can_be_tiled(model: Model, height: int, width: int) -> bool:
    """Whether the autoencoder would take less memory in tiles, for pictures of a size in pixels.

    Tiny autoencoders take little, and the library's tiles of theirs know four channels only.
    """
    is_whole = hasattr(model.vae, "tiled_decode") and not model.is_tiled
    return is_whole and max(height, width) > TILE


@contextmanager
def _in_tiles(model: Model) -> Iterator[None]:
    """Inside, the autoencoder works as the model says; other jobs may use the same one."""
    vae: Any = model.vae
    if model.is_tiled:
        vae.enable_tiling()
        vae.tile_sample_min_size, vae.tile_latent_min_size = TILE, TILE // model.downscale
    try:
        yield
    finally:
        vae.disable_tiling()


def _encode(model: Model, image: Tensor) -> Tensor:
    vae: Any = model.vae
    encoded = vae.encode(image.to(model.device, vae.dtype))
    latent = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
    return ((latent - _shift(model)) * vae.config.scaling_factor).to(model.dtype)


def _decoded(vae: Any, scaled: Tensor) -> Tensor:
    frames = scaled.to(vae.dtype).split(1)
    return torch.cat([vae.decode(frame).sample.float() for frame in frames])


def _shift(model: Model) -> float:
    return getattr(model.vae.config, "shift_factor", None) or 0.0
