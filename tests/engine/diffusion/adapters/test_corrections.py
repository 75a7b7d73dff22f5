"""Every kind of correction against its formula, written out with loops or whole matrices."""

from __future__ import annotations

import pytest
import torch
from fresco_engine.diffusion.adapters.corrections import (
    Misshapen,
    UnknownParts,
    add_correction,
)
from torch import Tensor, nn

STRENGTH = 0.7
OUT, IN, RANK = 6, 4, 2


def test_a_lora_adds_alpha_by_rank_of_its_product() -> None:
    layer, down, up = linear(), normal(RANK, IN), normal(OUT, RANK)
    before = layer.weight.detach().clone()

    add_correction(layer, {"down": down, "up": up, "alpha": torch.tensor(1.0)}, STRENGTH)

    torch.testing.assert_close(layer.weight.data, before + STRENGTH * (1 / RANK) * up @ down)


def test_without_alpha_the_product_counts_whole() -> None:
    layer, down, up = linear(), normal(RANK, IN), normal(OUT, RANK)
    before = layer.weight.detach().clone()

    add_correction(layer, {"down": down, "up": up}, STRENGTH)

    torch.testing.assert_close(layer.weight.data, before + STRENGTH * up @ down)


@pytest.mark.parametrize("size", [1, 3])
def test_a_lora_of_a_convolution_is_two_convolutions(size: int) -> None:
    layer = convolution(size)
    down, up = normal(RANK, IN, size, size), normal(OUT, RANK, 1, 1)
    picture = normal(1, IN, 5, 5)
    wanted = layer(picture) + STRENGTH * nn.functional.conv2d(
        nn.functional.conv2d(picture, down, padding=size // 2), up
    )

    add_correction(layer, {"down": down, "up": up}, STRENGTH)

    torch.testing.assert_close(layer(picture), wanted)


def test_a_convolution_in_tuckers_form_is_three_convolutions() -> None:
    layer = convolution(3)
    down, mid, up = normal(RANK, IN, 1, 1), normal(RANK, RANK, 3, 3), normal(OUT, RANK, 1, 1)
    picture = normal(1, IN, 5, 5)
    inner = nn.functional.conv2d(nn.functional.conv2d(picture, down), mid, padding=1)
    wanted = layer(picture) + STRENGTH * nn.functional.conv2d(inner, up)

    add_correction(layer, {"down": down, "mid": mid, "up": up}, STRENGTH)

    torch.testing.assert_close(layer(picture), wanted)


def test_linear_layers_and_small_convolutions_are_written_as_each_other() -> None:
    layer, down, up = convolution(1), normal(RANK, IN), normal(OUT, RANK)
    before = layer.weight.detach().clone()

    add_correction(layer, {"down": down, "up": up}, STRENGTH)

    torch.testing.assert_close(layer.weight.data, before + STRENGTH * (up @ down)[:, :, None, None])


@pytest.mark.parametrize("size", [None, 3])
def test_a_loha_adds_the_product_by_elements_of_two_products(size: int | None) -> None:
    layer = linear() if size is None else convolution(size)
    width = IN * (size or 1) ** 2
    a1, b1, a2, b2 = normal(OUT, RANK), normal(RANK, width), normal(OUT, RANK), normal(RANK, width)
    before = layer.weight.detach().clone()
    parts = {"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2}

    add_correction(layer, {**parts, "alpha": torch.tensor(1.0)}, STRENGTH)

    wanted = ((a1 @ b1) * (a2 @ b2) / RANK).reshape(before.shape)
    torch.testing.assert_close(layer.weight.data, before + STRENGTH * wanted)


def test_a_loha_with_cores_rebuilds_every_window() -> None:
    layer = convolution(3)
    parts: dict[str, Tensor] = {}
    factors: list[Tensor] = []
    for n in (1, 2):
        core, a, b = normal(RANK, RANK, 3, 3), normal(RANK, OUT), normal(RANK, IN)
        parts |= {f"hada_t{n}": core, f"hada_w{n}_a": a, f"hada_w{n}_b": b}
        rebuilt = torch.zeros(OUT, IN, 3, 3)
        for p in range(RANK):
            for q in range(RANK):
                rebuilt += a[p][:, None, None, None] * b[q][None, :, None, None] * core[p, q]
        factors.append(rebuilt)
    before = layer.weight.detach().clone()

    add_correction(layer, parts, STRENGTH)

    torch.testing.assert_close(layer.weight.data, before + STRENGTH * factors[0] * factors[1])


def blocks(first: Tensor, second: Tensor) -> Tensor:
    """The Kronecker product of two matrices, block by block."""
    return torch.cat([torch.cat([x * second for x in row], 1) for row in first], 0)


def test_a_lokr_with_whole_factors_knows_no_scale() -> None:
    layer, first, second = linear(), normal(2, 2), normal(3, 2)
    before = layer.weight.detach().clone()

    add_correction(
        layer, {"lokr_w1": first, "lokr_w2": second, "alpha": torch.tensor(5.0)}, STRENGTH
    )

    torch.testing.assert_close(layer.weight.data, before + STRENGTH * blocks(first, second))


def test_a_lokr_with_products_for_factors() -> None:
    layer, first, a, b = linear(), normal(2, 2), normal(3, 1), normal(1, 2)
    before = layer.weight.detach().clone()
    parts = {"lokr_w1": first, "lokr_w2_a": a, "lokr_w2_b": b, "alpha": torch.tensor(0.5)}

    add_correction(layer, parts, STRENGTH)

    torch.testing.assert_close(layer.weight.data, before + STRENGTH * 0.5 * blocks(first, a @ b))


@pytest.mark.parametrize("with_core", [False, True])
def test_a_lokr_of_a_convolution(with_core: bool) -> None:
    layer, first = convolution(3), normal(2, 2)
    before = layer.weight.detach().clone()
    if with_core:
        core, a, b = normal(1, 1, 3, 3), normal(1, 3), normal(1, 2)
        second = a[0][:, None, None, None] * b[0][None, :, None, None] * core[0, 0]
        parts = {"lokr_t2": core}
    else:
        a, b = normal(3, 1), normal(1, 2 * 9)
        second, parts = (a @ b).reshape(3, 2, 3, 3), {}

    add_correction(layer, {"lokr_w1": first, "lokr_w2_a": a, "lokr_w2_b": b, **parts}, STRENGTH)

    for y in range(3):
        for x in range(3):
            wanted = before[:, :, y, x] + STRENGTH * blocks(first, second[:, :, y, x])
            torch.testing.assert_close(layer.weight.data[:, :, y, x], wanted)


@pytest.mark.parametrize("shape", [(OUT, 1), (OUT,), (1, IN)])
def test_a_dora_sets_the_length_of_rows_or_columns(shape: tuple[int, ...]) -> None:
    layer, down, up = linear(), normal(RANK, IN), normal(OUT, RANK)
    before = layer.weight.detach().clone()
    magnitude = normal(*shape).abs() + 1

    add_correction(layer, {"down": down, "up": up, "dora_scale": magnitude}, 1.0)

    axis = 1 if shape[0] == OUT else 0
    moved = before + up @ down
    direction = moved / (moved**2).sum(axis, keepdim=True).sqrt()
    torch.testing.assert_close(
        layer.weight.data, direction * magnitude.reshape((OUT, 1) if axis else (1, IN))
    )


def test_half_a_dora_is_half_way_to_it() -> None:
    weights: list[Tensor] = []
    parts = {"down": normal(RANK, IN), "up": normal(OUT, RANK), "dora_scale": normal(OUT, 1)}
    for strength in (0.0, 0.5, 1.0):
        layer = linear()
        add_correction(layer, parts, strength)
        weights.append(layer.weight.data)

    torch.testing.assert_close(weights[1], (weights[0] + weights[2]) / 2)
    torch.testing.assert_close(weights[0], linear().weight.data)


def test_plain_differences_are_added_to_weight_and_bias() -> None:
    layer, difference, of_bias = linear(), normal(OUT, IN), normal(OUT)
    weight, bias = layer.weight.detach().clone(), layer.bias.detach().clone()

    add_correction(layer, {"diff": difference, "diff_b": of_bias}, STRENGTH)

    torch.testing.assert_close(layer.weight.data, weight + STRENGTH * difference)
    torch.testing.assert_close(layer.bias.data, bias + STRENGTH * of_bias)


def test_norms_have_names_of_their_own() -> None:
    layer = nn.LayerNorm(OUT)

    add_correction(layer, {"w_norm": torch.ones(OUT), "b_norm": torch.full((OUT,), 2.0)}, 0.5)

    torch.testing.assert_close(layer.weight.data, torch.full((OUT,), 1.5))
    torch.testing.assert_close(layer.bias.data, torch.ones(OUT))


def test_the_weight_keeps_its_precision_and_is_reckoned_in_float32() -> None:
    layer, down, up = linear().half(), normal(RANK, IN).half(), normal(OUT, RANK).half()
    before = layer.weight.detach().float()

    add_correction(layer, {"down": down, "up": up}, STRENGTH)

    assert layer.weight.dtype == torch.float16
    wanted = (before + STRENGTH * up.float() @ down.float()).half()
    assert torch.equal(layer.weight.data, wanted)


@pytest.mark.parametrize(
    "parts",
    [
        {"down": torch.zeros(2, 5), "up": torch.zeros(OUT, 2)},
        {"down": torch.zeros(2, IN), "up": torch.zeros(OUT, 3)},
        {"down": torch.zeros(2, IN)},
        {"diff": torch.zeros(IN, OUT)},
        {"hada_w1_a": torch.zeros(OUT, 2), "hada_w1_b": torch.zeros(2, IN)},
        {"diff": torch.zeros(OUT, IN), "diff_b": torch.zeros(3)},
        {"diff": torch.zeros(OUT, IN), "dora_scale": torch.zeros(3, 1)},
    ],
)
def test_what_does_not_go_together_changes_nothing(parts: dict[str, Tensor]) -> None:
    layer = linear()

    with pytest.raises(Misshapen):
        add_correction(layer, parts, 1.0)

    assert torch.equal(layer.weight.data, linear().weight.data)


def _thin(names: tuple[str, str], count: int = 20_000) -> dict[str, Tensor]:
    up, down = names
    return {up: torch.ones(count, 1), down: torch.ones(1, count)}


@pytest.mark.parametrize(
    "parts",
    [
        _thin(("up", "down")),
        {**_thin(("up", "down")), "mid": torch.ones(1, 1, 1, 1)},
        {**_thin(("hada_w1_a", "hada_w1_b")), **_thin(("hada_w2_a", "hada_w2_b"))},
        {**_thin(("lokr_w1_a", "lokr_w1_b")), "lokr_w2": torch.ones(1, 1)},
        {"lokr_w1": torch.ones(20_000, 1), "lokr_w2": torch.ones(1, 20_000)},
    ],
    ids=["lora", "tucker", "loha", "lokr", "kron"],
)
def test_a_product_that_cannot_fit_is_refused_before_it_takes_memory(
    parts: dict[str, Tensor],
) -> None:
    with pytest.raises(Misshapen, match=r"^400000000 numbers"):
        add_correction(linear(), parts, STRENGTH)


def test_parts_without_a_formula_are_told() -> None:
    with pytest.raises(UnknownParts, match="alpha"):
        add_correction(linear(), {"alpha": torch.ones(()), "dora_scale": torch.ones(OUT, 1)}, 1.0)


_random = torch.Generator()


@pytest.fixture(autouse=True)
def _same_numbers_in_every_test() -> None:
    _random.manual_seed(3)


def normal(*shape: int) -> Tensor:
    """Normally distributed numbers."""
    return torch.randn(*shape, generator=_random)


def linear() -> nn.Linear:
    """A layer from four numbers to six, the same every time."""
    torch.manual_seed(1)
    return nn.Linear(IN, OUT)


def convolution(size: int) -> nn.Conv2d:
    """A convolution that keeps the size of pictures, the same every time."""
    torch.manual_seed(1)
    return nn.Conv2d(IN, OUT, size, padding=size // 2)
