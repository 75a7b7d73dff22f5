"""A finished model taken apart again, so that training can go on from it."""

import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny, ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextModel

from fresco_training.latents import CHANNELS, PATCH, SCALING_FACTOR, PatchBasis
from fresco_training.train import Networks


def start(folder: Path, work: Path) -> None:
    """Fills `work` with what `export` wrote to `folder`, as if it had been trained there.

    Words of styles that the model does not know yet are learned as all others are; its tokenizer
    has a token for every byte. The optimiser starts afresh.
    """
    shutil.copytree(folder / "tokenizer", work / "tokenizer", dirs_exist_ok=True)
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder").float()
    encoder.save_pretrained(work / "text_encoder")
    autoencoder = AutoencoderTiny.from_pretrained(folder / "vae").float()
    autoencoder.save_pretrained(work / "vae")
    basis_of(autoencoder).save(work / "basis.npz")
    networks = Networks(encoder)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    controlnet = ControlNetModel.from_pretrained(folder / "controlnet")
    networks.unet.load_state_dict(unet.float().state_dict())
    networks.controlnet.load_state_dict(controlnet.float().state_dict())
    weights = networks.state_dict()
    torch.save({"step": 0, "networks": weights, "average": weights}, work / "unet.pt")


@torch.no_grad()
def basis_of(autoencoder: AutoencoderTiny) -> PatchBasis:
    """The linear encoder, read off the responses of `autoencoder` to single bright values."""
    values = 3 * PATCH * PATCH
    impulses = torch.eye(values).reshape(values, 3, PATCH, PATCH)
    tiles = torch.cat([torch.zeros(1, 3, PATCH, PATCH), impulses])
    # Encoders read [-1, 1]; the layers of this one know [0, 1].
    latents = autoencoder.encode(tiles * 2 - 1).latents.reshape(values + 1, CHANNELS)
    latents = (latents * SCALING_FACTOR).double().numpy()
    rows = (latents[1:] - latents[0]).T
    return PatchBasis(
        weight=rows.reshape(CHANNELS, 3, PATCH, PATCH).astype(np.float32),
        bias=latents[0].astype(np.float32),
        deviation=(1.0 / np.linalg.norm(rows, axis=1)).astype(np.float32),
    )
