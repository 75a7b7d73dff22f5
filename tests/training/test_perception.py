"""How different pictures look to a network that is trained here."""

from pathlib import Path

import numpy as np
import pytest
import torch
from fresco_training import data, perception, scenes
from fresco_training.perception import Perception, PerceptionSettings
from fresco_training.styles import STYLES, Image, apply_style

SIDE = 96


@pytest.fixture(scope="module")
def picture() -> Image:
    """A picture that can be drawn without any file."""
    return scenes.scene(np.random.default_rng(1), SIDE)


def test_a_picture_looks_like_itself_and_the_less_like_another_the_more_it_is_changed(
    picture: Image,
) -> None:
    torch.manual_seed(0)
    network = Perception(len(STYLES)).eval()
    noise = np.random.default_rng(0).normal(0, 1, picture.shape).astype(np.float32)

    noisy = [np.clip(picture + noise * share, 0, 1) for share in (0.02, 0.1, 0.4)]
    distances = [network.distance(picture, other) for other in noisy]

    assert network.distance(picture, picture) == 0
    assert 0 < distances[0] < distances[1] < distances[2]
    assert network.distance(noisy[1], picture) == pytest.approx(distances[1])


def test_the_distance_is_that_of_unit_vectors_added_up_over_levels(picture: Image) -> None:
    torch.manual_seed(0)
    network = Perception(len(STYLES)).eval()
    other = apply_style("comic", picture, 1.0)

    expected = 0.0
    for one, two in zip(_unit(network, picture), _unit(network, other), strict=True):
        expected += float(((one - two) ** 2).sum(axis=0).mean())

    assert network.distance(picture, other) == pytest.approx(expected, rel=1e-4)


def _unit(network: Perception, picture: Image) -> list[Image]:
    with torch.no_grad():
        layers = network.layers(torch.from_numpy(picture.transpose(2, 0, 1))[None])
    seen = (layer[0].numpy() for layer in layers)
    return [layer / np.linalg.norm(layer, axis=0).clip(1e-12) for layer in seen]


def test_a_training_learns_and_is_read_back(tmp_path: Path) -> None:
    pictures = [scenes.scene(np.random.default_rng(seed), data.SIDE) for seed in (1, 2)]
    styled = [[data.to_pixels(apply_style(s, p, 1.0)) for s in STYLES] for p in pictures]
    np.save(tmp_path / "pictures.npy", np.array(styled))
    dataset = data.Dataset(tmp_path / "pictures.npy", seed=0)
    torch.manual_seed(0)
    before = Perception(len(STYLES)).state_dict()["levels.0.0.weight"]

    right = perception.train(dataset, tmp_path / "p.pt", PerceptionSettings(steps=2, batch=8))

    network = Perception.load(tmp_path / "p.pt")
    assert set(right) == {"style", "content"}
    assert not torch.equal(network.state_dict()["levels.0.0.weight"], before)
    assert network.distance(pictures[0][:64, :64], pictures[1][:64, :64]) > 0
