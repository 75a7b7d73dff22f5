"""VGG's features for Spat-Con, from weights that are on this machine already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from fresco_media.types import Image
from torch import Tensor, nn

from fresco_engine.diffusion.published import Published, tensors_of, unpacked
from fresco_engine.errors import ModelNotFound, WrongModelKind

_BLOCKS = {13: ("VGG-16", (2, 2, 3)), 16: ("VGG-19", (2, 2, 4))}
"""Networks by their number of convolutions, with those before each of the first three poolings."""
_WEIGHT = re.compile(r"features\.(\d+)\.weight")
# What the networks were trained with on ImageNet.
_MEAN = np.array((0.485, 0.456, 0.406), np.float32)
_DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)

_MOST_BYTES = 1 << 30
"""Nearly twice what VGG-19 takes with its classifier."""
_PUBLISHED = Published(
    name="VGG", get="get the weights of VGG-16 or VGG-19 again", other="another network"
)


def cached_vgg() -> Path | None:
    """Weights of VGG in the folder where PyTorch keeps them; nothing is downloaded."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    return next(iter((*folder.glob("vgg19-*.pth"), *folder.glob("vgg16-*.pth"))), None)


class VggFeatures:
    """The activations of relu4_1, one row for each 8x8 pixels.

    The paper does not name a layer; this one is deep enough to know things from textures and
    shallow enough to know where they are.
    """

    def __init__(self, name: str, layers: nn.Sequential) -> None:
        self.name = f"{name} (relu4_1)"
        self._layers = layers.eval()

    @staticmethod
    def load(path: Path) -> VggFeatures:
        """A VGG-16 or VGG-19 as torchvision names its weights, in .safetensors or .pth.

        Raises:
            ModelNotFound: there is no such file.
            ModelCorrupt: the file is damaged, or holds more than weights.
            WrongModelKind: it is another network.
        """
        weights = _read(path)
        places = sorted(int(found[1]) for found in map(_WEIGHT.fullmatch, weights) if found)
        if len(places) not in _BLOCKS:
            raise WrongModelKind(path, "this is neither VGG-16 nor VGG-19; choose one of these")
        name, blocks = _BLOCKS[len(places)]
        layers = nn.Sequential()
        try:
            for number, place in enumerate(places[: sum(blocks) + 1]):
                if number in (sum(blocks[:1]), sum(blocks[:2]), sum(blocks)):
                    layers.append(nn.MaxPool2d(2))
                weight, bias = (weights[f"features.{place}.{part}"] for part in ("weight", "bias"))
                layers.append(_convolution(weight.float(), bias.float()))
                layers.append(nn.ReLU())
        except (KeyError, RuntimeError, ValueError) as error:
            raise WrongModelKind(
                path, f"this has not the layers of {name}; choose a VGG without batch norm"
            ) from error
        return VggFeatures(name, layers)

    @torch.no_grad()
    def __call__(self, image: Image) -> Tensor:
        """(n, c): a row for every place."""
        levels = image.astype(np.float32) / np.float32(255)
        levels = (levels - _MEAN) / _DEVIATION
        maps = self._layers(torch.from_numpy(levels).permute(2, 0, 1)[None])
        return maps[0].flatten(1).T.contiguous()


def _convolution(weight: Tensor, bias: Tensor) -> nn.Conv2d:
    made = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
    made.load_state_dict({"weight": weight, "bias": bias})
    return made.requires_grad_(False)


def _read(path: Path) -> Mapping[str, Tensor]:
    if not path.is_file():
        raise ModelNotFound(path, "there is no such file; give weights of VGG-16 or VGG-19")
    if path.suffix.lower() == ".safetensors":
        return tensors_of(path, _PUBLISHED)
    found = unpacked(path, _PUBLISHED, _MOST_BYTES)
    if not isinstance(found, dict):
        raise WrongModelKind(path, "this holds no weights by name; choose a VGG-16 or VGG-19")
    return {name: value for name, value in found.items() if isinstance(value, Tensor)}
