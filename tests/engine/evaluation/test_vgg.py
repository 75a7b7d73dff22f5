"""Spat-Con's features by a VGG with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from fresco_engine.errors import ModelCorrupt, ModelNotFound, WrongModelKind
from fresco_engine.evaluation.structure import Structure
from fresco_engine.evaluation.vgg import VggFeatures
from safetensors.torch import save_file
from torch import nn

from tests.engine.evaluation.conftest import texture

_CONVOLUTIONS = {"VGG-16": (2, 2, 3, 3, 3), "VGG-19": (2, 2, 4, 4, 4)}


def _network(name: str) -> nn.Sequential:
    """The convolutions of VGG as torchvision numbers them, much narrower than the real ones."""
    torch.manual_seed(0)
    layers, width = nn.Sequential(), 3
    for block, count in enumerate(_CONVOLUTIONS[name]):
        for _ in range(count):
            convolution = nn.Conv2d(width, 4 * (block + 1), 3, padding=1)
            nn.init.kaiming_normal_(convolution.weight)
            layers.append(convolution)
            layers.append(nn.ReLU())
            width = 4 * (block + 1)
        layers.append(nn.MaxPool2d(2))
    return layers


def _weights(name: str) -> dict[str, torch.Tensor]:
    found = {f"features.{key}": value for key, value in _network(name).state_dict().items()}
    return {**found, "classifier.0.weight": torch.zeros(2, 2)}


@pytest.mark.parametrize(("name", "relu4_1"), [("VGG-16", 19), ("VGG-19", 21)])
@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_the_features_are_those_of_relu4_1(
    tmp_path: Path, name: str, relu4_1: int, ending: str
) -> None:
    path = tmp_path / f"weights{ending}"
    save = save_file if ending == ".safetensors" else torch.save
    save(_weights(name), path)
    picture = texture(48, 64)
    pixels = torch.from_numpy(picture / np.float32(255)).permute(2, 0, 1)
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    pixels = (pixels - mean[:, None, None]) / deviation[:, None, None]

    features = VggFeatures.load(path)

    with torch.no_grad():
        expected = _network(name)[:relu4_1](pixels[None])[0]
    assert features.name == f"{name} (relu4_1)"
    assert features(picture).shape == (6 * 8, 16)
    assert torch.allclose(features(picture), expected.flatten(1).T, atol=1e-6)


def test_the_more_a_picture_is_disturbed_the_larger_its_distance(tmp_path: Path) -> None:
    torch.save(_weights("VGG-16"), tmp_path / "vgg.pth")
    source, noise = texture(), np.random.default_rng(0).normal(size=texture().shape)
    structure = Structure.of(source, VggFeatures.load(tmp_path / "vgg.pth"))

    distances = [
        structure.distance(np.clip(source + level * noise, 0, 255).astype(np.uint8))
        for level in (0, 4, 16, 64)
    ]

    assert distances[0] == pytest.approx(0, abs=1e-5)
    assert distances == sorted(distances)


def test_other_networks_and_files_are_refused(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "other.pth")
    (tmp_path / "damaged.pth").write_bytes(b"nothing")

    with pytest.raises(WrongModelKind, match="neither VGG-16 nor VGG-19"):
        VggFeatures.load(tmp_path / "other.pth")
    with pytest.raises(ModelCorrupt, match="damaged"):
        VggFeatures.load(tmp_path / "damaged.pth")
    with pytest.raises(ModelNotFound, match="there is no such file"):
        VggFeatures.load(tmp_path / "missing.pth")


def test_a_program_in_the_place_of_weights_is_not_run(tmp_path: Path) -> None:
    torch.save(_Harmful(tmp_path / "run"), tmp_path / "harmful.pth")

    with pytest.raises(ModelCorrupt, match="more than weights"):
        VggFeatures.load(tmp_path / "harmful.pth")

    assert not (tmp_path / "run").exists()


class _Harmful:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._path,)
