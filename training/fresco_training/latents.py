"""The linear encoder: 8x8 patches on their principal components, whitened.

Being linear it is known before any training, so that decoder and U-Net can be trained at once.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from torch import Tensor, nn

from fresco_training.data import Dataset

CHANNELS = 32
PATCH = 8
# The decoder squashes latents by tanh(x / 3) * 3; dividing whitened ones by this keeps them where
# that is nearly linear.
SCALING_FACTOR = 2.5


@dataclass(frozen=True, kw_only=True)
class PatchBasis:
    """latent = weight * patch + bias, channels whitened; `deviation` is their size before that."""

    weight: NDArray[np.float32]  # c rgb 8 8
    bias: NDArray[np.float32]  # c
    deviation: NDArray[np.float32]  # c

    def save(self, path: Path) -> None:
        """Writes the basis as .npz."""
        np.savez(path, weight=self.weight, bias=self.bias, deviation=self.deviation)

    @staticmethod
    def load(path: Path) -> "PatchBasis":
        """Reads what `save` wrote."""
        stored = np.load(path)
        return PatchBasis(
            weight=stored["weight"], bias=stored["bias"], deviation=stored["deviation"]
        )

    def encode(self, images: Tensor) -> Tensor:
        """Images in [0, 1], (b, 3, h, w), to unit-variance latents (b, c, h / 8, w / 8)."""
        weight, bias = (torch.from_numpy(x).to(images) for x in (self.weight, self.bias))
        return nn.functional.conv2d(images, weight, bias, stride=PATCH)


def fit(dataset: Dataset, chances: NDArray[np.float64], crops: int = 1500) -> PatchBasis:
    """Principal components of the patches of random styled crops."""
    return _components(_patches(dataset, chances, crops), CHANNELS)


def widened(
    basis: PatchBasis, dataset: Dataset, chances: NDArray[np.float64], crops: int = 1500
) -> PatchBasis:
    """`basis` with more channels, up to `CHANNELS`: components of what it leaves out.

    The channels that it has stay what they are, so that networks trained on them still understand.
    """
    patches = _patches(dataset, chances, crops)
    known = basis.weight.reshape(len(basis.weight), -1).astype(np.float64)
    directions = known / np.linalg.norm(known, axis=1, keepdims=True)
    more = _components(patches - patches @ directions.T @ directions, CHANNELS - len(known))
    return PatchBasis(
        weight=np.concatenate([basis.weight, more.weight]),
        bias=np.concatenate([basis.bias, more.bias]),
        deviation=np.concatenate([basis.deviation, more.deviation]),
    )


def _patches(dataset: Dataset, chances: NDArray[np.float64], crops: int) -> NDArray[np.float64]:
    """The patches of random styled crops, a row each, in the order of a convolution's weights."""
    pixels = dataset.batch(crops, 64, chances).styled.astype(np.float64) / 255.0
    tiles = pixels.reshape(crops, 8, PATCH, 8, PATCH, 3).transpose(0, 1, 3, 5, 2, 4)
    return tiles.reshape(-1, 3 * PATCH * PATCH)


def _components(patches: NDArray[np.float64], count: int) -> PatchBasis:
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((patches - mean).T))
    deviation = np.sqrt(values[::-1][:count])
    rows = vectors[:, ::-1][:, :count].T / deviation[:, None]
    return PatchBasis(
        weight=rows.reshape(count, 3, PATCH, PATCH).astype(np.float32),
        bias=(-rows @ mean).astype(np.float32),
        deviation=deviation.astype(np.float32),
    )


def build_autoencoder(basis: PatchBasis) -> AutoencoderTiny:
    """A stock autoencoder whose encoder computes `basis` exactly and whose decoder is fresh."""
    autoencoder = AutoencoderTiny(
        latent_channels=CHANNELS,
        num_encoder_blocks=(0, 0, 0, 0),
        num_decoder_blocks=(3, 2, 1, 0),
        scaling_factor=SCALING_FACTOR,
    )
    _write_encoder(autoencoder.encoder.layers, basis)
    for module in autoencoder.decoder.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for block in autoencoder.decoder.modules():
        if type(block).__name__ == "AutoencoderTinyBlock":
            block.conv[-1].weight.data.mul_(0.1)
    return autoencoder


def _write_encoder(layers: nn.Sequential, basis: PatchBasis) -> None:
    """Three strided convolutions as pixel unshuffles, the last of them also the projection."""
    entry, first, second, third, last = (layer for layer in layers)
    with torch.no_grad():
        for layer in layers:
            layer.weight.zero_()
            if layer.bias is not None:
                layer.bias.zero_()
        for channel in range(3):
            entry.weight[channel, channel, 1, 1] = 1.0
        _write_unshuffle(first, 3)
        _write_unshuffle(second, 12)
        rows = torch.from_numpy(basis.weight).reshape(CHANNELS, 3, 2, 2, 2, 2, 2, 2)
        # Axes: channel, colour, y in halves (coarse, middle, fine), x likewise.
        rows = rows.permute(0, 1, 4, 7, 3, 6, 2, 5).reshape(CHANNELS, 48, 2, 2)
        third.weight[:CHANNELS, :48, 1:, 1:] = rows
        for channel in range(CHANNELS):
            last.weight[channel, channel, 1, 1] = 1.0 / SCALING_FACTOR
        last.bias.copy_(torch.from_numpy(basis.bias) / SCALING_FACTOR)


def _write_unshuffle(layer: nn.Conv2d, channels: int) -> None:
    """Stride two with padding one reads pixel 2 i + d at kernel index d + 1."""
    for channel in range(channels):
        for dy in range(2):
            for dx in range(2):
                layer.weight[channel * 4 + dy * 2 + dx, channel, dy + 1, dx + 1] = 1.0
