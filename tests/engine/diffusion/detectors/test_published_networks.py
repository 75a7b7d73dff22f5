"""Soft edges and lines: networks of ours with weights that others have published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fresco_engine.diffusion.detectors.line_drawing import LineDetector, LineNetwork
from fresco_engine.diffusion.detectors.soft_edges import SoftEdgeDetector, SoftEdgeNetwork
from fresco_engine.errors import ModelCorrupt, WrongModelKind
from fresco_media.types import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

CPU = torch.device("cpu")
EDGE_SHAPES = {
    "norm": (1, 3, 1, 1),
    **{
        f"block{number}.convs.{n}.weight": (wide, narrow if n == 0 else wide, 3, 3)
        for number, (narrow, wide, count) in enumerate(
            ((3, 64, 2), (64, 128, 2), (128, 256, 3), (256, 512, 3), (512, 512, 3)), 1
        )
        for n in range(count)
    },
    **{
        f"block{number}.projection.weight": (1, wide, 1, 1)
        for number, wide in enumerate((64, 128, 256, 512, 512), 1)
    },
}
LINE_SHAPES = {
    "model0.1.weight": (64, 3, 7, 7),
    "model1.0.weight": (128, 64, 3, 3),
    "model1.3.weight": (256, 128, 3, 3),
    **{
        f"model2.{block}.conv_block.{n}.weight": (256, 256, 3, 3)
        for block in range(3)
        for n in (1, 5)
    },
    "model3.0.weight": (256, 128, 3, 3),
    "model3.3.weight": (128, 64, 3, 3),
    "model4.1.weight": (1, 64, 7, 7),
}
"""Names and shapes in ControlNetHED.pth and sk_model.pth, without the biases."""
Load = Callable[[Path, str, torch.device], Any]
BOTH = pytest.mark.parametrize(
    ("load", "shapes"),
    [(SoftEdgeDetector.load, EDGE_SHAPES), (LineDetector.load, LINE_SHAPES)],
    ids=["edges", "lines"],
)


def published(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Random numbers under the published names, small enough that signals neither grow nor die."""
    random = torch.Generator().manual_seed(3)
    tensors: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        fan = max(1, int(np.prod(shape[1:])))
        tensors[name] = torch.randn(shape, generator=random) * (2 / fan) ** 0.5
        if name.endswith(".weight"):
            # Those of a layer that goes up have their channels the other way round.
            is_up = name.startswith("model3.")
            width = shape[1] if is_up else shape[0]
            tensors[name.replace(".weight", ".bias")] = 0.1 * torch.randn(width, generator=random)
    return tensors


def picture(height: int = 48, width: int = 64) -> Image:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)


@BOTH
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_published_files_are_read_in_any_precision(
    tmp_path: Path, load: Load, shapes: dict[str, Any], dtype: torch.dtype
) -> None:
    tensors = {name: value.to(dtype) for name, value in published(shapes).items()}
    torch.save(tensors, tmp_path / "weights.pth")
    save_file(tensors, tmp_path / "weights.safetensors")

    pickled = load(tmp_path / "weights.pth", "get it", CPU).detect(picture())
    safe = load(tmp_path / "weights.safetensors", "get it", CPU).detect(picture())

    np.testing.assert_array_equal(pickled, safe)
    assert pickled.shape == (48, 64)
    assert 0 <= pickled.min() < pickled.max() <= 1


@BOTH
def test_a_file_that_lacks_something_is_told_with_where_to_get_it(
    tmp_path: Path, load: Load, shapes: dict[str, Any]
) -> None:
    tensors = published(shapes)
    del tensors[next(name for name in tensors if name.endswith(".bias"))]
    torch.save(tensors, tmp_path / "weights.pth")

    with pytest.raises(ModelCorrupt, match="1 tensor is missing or misshapen; get it"):
        load(tmp_path / "weights.pth", "get it", CPU)


@BOTH
def test_weights_of_another_network_are_told(
    tmp_path: Path, load: Load, shapes: dict[str, Any]
) -> None:
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.pth")
    torch.save({**published(shapes), "extra": torch.zeros(1)}, tmp_path / "more.pth")

    with pytest.raises(WrongModelKind, match="these are not the weights of"):
        load(tmp_path / "other.pth", "get it", CPU)
    with pytest.raises(WrongModelKind, match="another network"):
        load(tmp_path / "more.pth", "get it", CPU)


def test_soft_edges_are_the_mean_of_what_five_resolutions_see() -> None:
    tensors = published(EDGE_SHAPES)
    network = SoftEdgeNetwork()
    network.load_state_dict(tensors)
    image = picture()

    found = SoftEdgeDetector(network, CPU).detect(image)

    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() - tensors["norm"]
    sides = []
    for number, count in enumerate((2, 2, 3, 3, 3), 1):
        x = x if number == 1 else functional.max_pool2d(x, 2, 2)
        for n in range(count):
            name = f"block{number}.convs.{n}"
            x = functional.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1)
            x = functional.relu(x)
        name = f"block{number}.projection"
        side = functional.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
        sides.append(functional.interpolate(side, (48, 64), mode="bilinear"))
    expected = torch.sigmoid(sum(sides) / 5)[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_lines_are_white_where_the_network_draws_dark() -> None:
    network = LineNetwork()
    network.load_state_dict(published(LINE_SHAPES))
    image = picture()

    found = LineDetector(network, CPU).detect(image)

    seen = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    np.testing.assert_allclose(found, 1 - network(seen)[0, 0].detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("size", [(48, 64), (47, 65), (50, 66)])
def test_lines_have_the_size_of_their_picture(size: tuple[int, int]) -> None:
    assert LineDetector(LineNetwork(), CPU).detect(picture(*size)).shape == size
