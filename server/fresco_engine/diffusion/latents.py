"""Between pictures and latents, one frame at a time so that memory stays that of one frame."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fresco_engine.diffusion.finite import require_finite
from fresco_engine.diffusion.memory import device_memory
from fresco_engine.diffusion.quiet import quiet_libraries

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model

_LOGGER = logging.getLogger(__name__)


@torch.no_grad()
def encode_images(model: Model, images: Tensor) -> Tensor:
    """Latents (f, c, H / 8, W / 8) of pictures (f, 3, H, W) in [-1, 1], on the model's device.

    An encoder that describes a distribution gives its mode, so the same picture gives the same
    latents.
    """
    with device_memory("encoding frames"):
        latents = torch.cat([_encode(model, image) for image in images.split(1)])
        return require_finite(model, latents, "encoding frames")


@torch.no_grad()
def decode_latents(model: Model, latents: Tensor) -> Tensor:
    """Pictures (f, 3, H, W) in [-1, 1], float32, of latents (f, c, H / 8, W / 8)."""
    with device_memory("decoding frames"):
        return torch.cat([_decode(model, latent) for latent in latents.split(1)])


def _encode(model: Model, image: Tensor) -> Tensor:
    vae: Any = model.vae
    encoded = vae.encode(image.to(model.device, vae.dtype))
    latent = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
    return ((latent - _shift(model)) * vae.config.scaling_factor).to(model.dtype)


def _decode(model: Model, latent: Tensor) -> Tensor:
    vae: Any = model.vae
    scaled = latent.to(model.device, torch.float32) / vae.config.scaling_factor + _shift(model)
    require_finite(model, scaled, "denoising")
    image = vae.decode(scaled.to(vae.dtype)).sample
    if vae.dtype == torch.float16 and not torch.isfinite(image).all():
        # Some VAEs leave the range of half precision; from here on this one works in full.
        _LOGGER.info("the VAE of %s overflows in half precision; using float32", model.name)
        with quiet_libraries():
            vae.to(torch.float32)
        image = vae.decode(scaled).sample
    return require_finite(model, image, "decoding frames").float().clamp_(-1, 1)


def _shift(model: Model) -> float:
    return getattr(model.vae.config, "shift_factor", None) or 0.0
