"""Depth by a tiny network of the library's class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from fakes.tiny_detectors import tiny_depth, write_network
from fresco_engine.diffusion.detectors.depth import DepthDetector
from fresco_engine.errors import ModelCorrupt
from fresco_media.types import Image

CPU = torch.device("cpu")


def picture(height: int, width: int) -> Image:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)


def test_a_picture_of_the_networks_own_size_is_seen_as_it_is() -> None:
    network, image = tiny_depth(), picture(28, 42)

    found = DepthDetector(network, CPU).detect(image)

    mean, spread = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    seen = torch.from_numpy((image / 255 - mean) / spread).permute(2, 0, 1)[None].float()
    expected = network(pixel_values=seen).predicted_depth[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert found.std() > 0


@pytest.mark.parametrize("size", [(64, 96), (96, 64), (70, 90), (64, 1000)])
def test_depth_has_the_size_of_its_picture(size: tuple[int, int]) -> None:
    found = DepthDetector(tiny_depth(), CPU).detect(picture(*size))

    assert found.shape == size
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_distances_in_metres_are_turned_so_that_near_is_large() -> None:
    image = picture(28, 28)
    near = DepthDetector(tiny_depth(), CPU).detect(image)
    metric = tiny_depth()
    metric.config.depth_estimation_type = "metric"

    turned = DepthDetector(metric, CPU).detect(image)

    np.testing.assert_allclose(turned, 1 / near.clip(1e-3), rtol=1e-4)


def test_the_network_in_a_folder_is_loaded_whole(tmp_path: Path) -> None:
    folder = write_network(tiny_depth(), tmp_path / "depth")

    found = DepthDetector.load(folder, CPU).detect(picture(64, 96))

    np.testing.assert_array_equal(found, DepthDetector(tiny_depth(), CPU).detect(picture(64, 96)))


def test_a_damaged_folder_is_told(tmp_path: Path) -> None:
    folder = write_network(tiny_depth(), tmp_path / "depth")
    (folder / "model.safetensors").write_bytes(b"no weights")

    with pytest.raises(ModelCorrupt, match=r"get the model again|download it again"):
        DepthDetector.load(folder, CPU)
