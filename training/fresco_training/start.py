"""A finished model taken apart again, so that training can go on from it."""

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny, ControlNetModel, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from fresco_training import latents, text, train
from fresco_training.data import STYLE_NAMES, Dataset
from fresco_training.latents import CHANNELS, PATCH, SCALING_FACTOR, PatchBasis

_log = logging.getLogger(__name__)

NEW_WORDS = 250  # Steps in which the text encoder learns them.


def start(folder: Path, work: Path) -> None:
    """Fills `work` with what `export` wrote to `folder`, as if it had been trained there.

    Its tokenizer stays and has a token for every byte; where there are styles that it does not know
    its text encoder is taught their words. The optimiser starts afresh. A model of fewer latent
    channels than are made now is given the rest, for which the pictures of `data` must be there.
    """
    shutil.copytree(folder / "tokenizer", work / "tokenizer", dirs_exist_ok=True)
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder").float()
    known = json.loads((folder / "fresco.json").read_text(encoding="utf-8"))["styles"]
    if set(STYLE_NAMES) - {style["name"] for style in known}:
        tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
        accuracy = text.pretrain(encoder, tokenizer, NEW_WORDS, seed=0, rate=3e-4)
        _log.info("styles told apart in %.1f %%", 100 * accuracy)
    encoder.save_pretrained(work / "text_encoder")
    autoencoder = AutoencoderTiny.from_pretrained(folder / "vae").float()
    basis = basis_of(autoencoder)
    if len(basis.weight) < CHANNELS:
        dataset = Dataset(work / "pictures.npy", seed=0)
        basis = latents.widened(basis, dataset, train.style_chances())
        decoder = autoencoder.decoder.state_dict()
        autoencoder = latents.build_autoencoder(basis)
        autoencoder.decoder.load_state_dict(widened(decoder, autoencoder.decoder.state_dict()))
    autoencoder.save_pretrained(work / "vae")
    basis.save(work / "basis.npz")
    networks = train.Networks(encoder)
    for name, kind in (("unet", UNet2DConditionModel), ("controlnet", ControlNetModel)):
        network = getattr(networks, name)
        trained = kind.from_pretrained(folder / name).float().state_dict()
        network.load_state_dict(widened(trained, network.state_dict()))
    weights = networks.state_dict()
    torch.save({"step": 0, "networks": weights, "average": weights}, work / "unet.pt")


def widened(trained: dict[str, Tensor], fresh: dict[str, Tensor]) -> dict[str, Tensor]:
    """Trained weights in the shapes of fresh ones: what is new is neither heard nor said."""

    def grown(weights: Tensor, shape: torch.Size) -> Tensor:
        larger = torch.zeros(shape)
        larger[tuple(slice(length) for length in weights.shape)] = weights
        return larger

    return {name: grown(weights, fresh[name].shape) for name, weights in trained.items()}


@torch.no_grad()
def basis_of(autoencoder: AutoencoderTiny) -> PatchBasis:
    """The linear encoder, read off the responses of `autoencoder` to single bright values."""
    values, channels = 3 * PATCH * PATCH, autoencoder.config.latent_channels
    impulses = torch.eye(values).reshape(values, 3, PATCH, PATCH)
    tiles = torch.cat([torch.zeros(1, 3, PATCH, PATCH), impulses])
    # Encoders read [-1, 1]; the layers of this one know [0, 1].
    found = autoencoder.encode(tiles * 2 - 1).latents.reshape(values + 1, channels)
    found = (found * SCALING_FACTOR).double().numpy()
    rows = (found[1:] - found[0]).T
    return PatchBasis(
        weight=rows.reshape(channels, 3, PATCH, PATCH).astype(np.float32),
        bias=found[0].astype(np.float32),
        deviation=(1.0 / np.linalg.norm(rows, axis=1)).astype(np.float32),
    )
