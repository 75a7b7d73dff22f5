"""What a correction adds to a layer's weight, by the formula of its kind.

W is the layer's weight, s the strength that was asked for, r the rank, α what the file says of its
scale (r where it says nothing), B·A a product of two thin matrices.

| kind | weight afterwards | source |
| --- | --- | --- |
| LoRA, also of convolutions (LoCon) | W + s·(α/r)·B·A | Hu et al. 2022 |
| LoHa | W + s·(α/r)·(B₁·A₁ ⊙ B₂·A₂) | Hyeon-Woo et al. 2022 |
| LoKr | W + s·(α/r)·(C ⊗ D), each whole or a product; whole both: no α/r | Yeh et al. 2024 |
| DoRA | W + s·(m·(W + Δ)/‖W + Δ‖ - W), Δ as above, norms by row (or column) | Liu et al. 2024 |
| difference | W + s·D, and so for the bias | |
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

Parts = Mapping[str, Tensor]
"""The tensors of one layer's correction by their part, see `names.Place`."""


class Misshapen(ValueError):
    """A correction whose tensors do not go together, or not with the layer."""


class UnknownParts(ValueError):
    """A correction of a kind without a formula here."""


def add_correction(layer: nn.Module, parts: Parts, strength: float) -> None:
    """Adds a correction to a layer's weight and bias, reckoned in float32.

    Raises:
        Misshapen: it is for a layer of another shape.
        UnknownParts: it is of no kind above.
    """
    weight = layer.weight
    assert isinstance(weight, nn.Parameter)
    try:
        changed = _changed(weight.detach().float(), parts, strength)
        bias = parts.get("diff_b", parts.get("b_norm"))
        if bias is not None:
            _add_to_bias(layer, bias, strength)
    except (RuntimeError, IndexError) as error:
        raise Misshapen(str(error)) from error
    weight.data = changed.to(weight.dtype)


def _add_to_bias(layer: nn.Module, difference: Tensor, strength: float) -> None:
    if not isinstance(layer.bias, nn.Parameter):
        raise Misshapen("the layer has no bias")
    held = layer.bias.data.float()
    layer.bias.data = (held + strength * _like(difference, held)).to(layer.bias.dtype)


def _changed(weight: Tensor, parts: Parts, strength: float) -> Tensor:
    difference = _difference(parts, weight)
    magnitude = parts.get("dora_scale")
    if magnitude is None:
        return weight + strength * difference
    moved = weight + difference
    return weight + strength * (_with_magnitude(moved, magnitude.float()) - weight)


def _with_magnitude(moved: Tensor, magnitude: Tensor) -> Tensor:
    """`moved` with the length of each row (or column) that `magnitude` says."""
    rows = magnitude.numel() == moved.shape[0] and magnitude.shape[0] != 1
    kept = 0 if rows else 1
    others = [axis for axis in range(moved.ndim) if axis != kept]
    length = torch.linalg.vector_norm(moved, dim=others, keepdim=True)
    return moved * magnitude.reshape(length.shape) / length.clamp_min(1e-12)


def _difference(parts: Parts, weight: Tensor) -> Tensor:
    """What is added at full strength, in the shape of the weight."""
    for telling, made in (
        ("down", _low_rank),
        ("hada_w1_a", _hadamard),
        ("lokr_w1", _kronecker),
        ("lokr_w1_a", _kronecker),
        ("diff", _plain),
        ("w_norm", _plain),
    ):
        if telling in parts:
            try:
                return _like(made(parts, weight), weight)
            except KeyError as error:
                raise Misshapen(f"its {error.args[0]} is missing") from error
    if parts.keys() - {"alpha", "dora_scale"} <= {"diff_b", "b_norm"} and "dora_scale" not in parts:
        return torch.zeros_like(weight)
    raise UnknownParts(", ".join(sorted(parts)))


def _check_count(count: int, weight: Tensor) -> None:
    """Insist on a product having as many numbers as the layer, before it is made.

    Of two thin matrices of a small file it may have more than there is memory for.
    """
    if count != weight.numel():
        raise Misshapen(f"{count} numbers for a layer of {tuple(weight.shape)}")


def _low_rank(parts: Parts, weight: Tensor) -> Tensor:
    down, up = parts["down"].float(), parts["up"].float()
    scale = _scale(parts, down.shape[0])
    if "mid" in parts:
        # Tucker's form of a convolution: the window lies in the middle.
        mid = parts["mid"].float()
        _check_count(up.shape[0] * down.flatten(1).shape[1] * mid[0, 0].numel(), weight)
        return scale * torch.einsum("op,pqhw,qi->oihw", up.flatten(1), mid, down.flatten(1))
    _check_count(up.shape[0] * down[0].numel(), weight)
    product = up.flatten(1) @ down.flatten(1)
    return scale * product.reshape(up.shape[0], *down.shape[1:])


def _hadamard(parts: Parts, weight: Tensor) -> Tensor:
    thin = [
        (parts[f"hada_w{number}_a"], parts[f"hada_w{number}_b"], parts.get(f"hada_t{number}"))
        for number in (1, 2)
    ]
    for matrices in thin:
        _check_count(_thin_count(*matrices), weight)
    factors = [_thin_product(*matrices) for matrices in thin]
    return _scale(parts, parts["hada_w1_b"].shape[0]) * factors[0] * factors[1]


def _kronecker(parts: Parts, weight: Tensor) -> Tensor:
    _check_count(_factor_count(parts, "lokr_w1") * _factor_count(parts, "lokr_w2"), weight)
    ranks: list[int] = []

    def factor(name: str) -> Tensor:
        if name in parts:
            return parts[name].float()
        a, b = parts[f"{name}_a"], parts[f"{name}_b"]
        ranks.append(b.shape[0])
        return _thin_product(a, b, parts.get(name.replace("_w", "_t")))

    first, second = factor("lokr_w1"), factor("lokr_w2")
    scale = _scale(parts, ranks[-1]) if ranks else 1.0
    first = first.reshape(*first.shape, *[1] * (second.ndim - first.ndim))
    return scale * torch.kron(first, second.contiguous())


def _factor_count(parts: Parts, name: str) -> int:
    """How many numbers a factor has, whole or a product."""
    if name in parts:
        return parts[name].numel()
    core = parts.get(name.replace("_w", "_t"))
    return _thin_count(parts[f"{name}_a"], parts[f"{name}_b"], core)


def _thin_count(a: Tensor, b: Tensor, core: Tensor | None) -> int:
    """How many numbers `_thin_product` has."""
    if core is None:
        return a.shape[0] * b[0].numel()
    return a.shape[1] * b.shape[1] * core[0, 0].numel()


def _thin_product(a: Tensor, b: Tensor, core: Tensor | None) -> Tensor:
    """a @ b, or with a core (r, r, h, w) Tucker's form, where a is (r, out) and b (r, in)."""
    if core is None:
        return a.float() @ b.float().flatten(1)
    return torch.einsum("pqhw,po,qi->oihw", core.float(), a.float(), b.float())


def _plain(parts: Parts, _: Tensor) -> Tensor:
    return (parts["diff"] if "diff" in parts else parts["w_norm"]).float()


def _scale(parts: Parts, rank: int) -> float:
    """α/r; 1 where the file says no α."""
    alpha = parts.get("alpha")
    if alpha is not None and alpha.numel() != 1:
        raise Misshapen("its alpha is not one number")
    return 1.0 if alpha is None else float(alpha) / max(1, rank)


def _like(difference: Tensor, weight: Tensor) -> Tensor:
    """In the weight's shape: linear layers and 1x1 convolutions are written as each other."""
    if difference.shape[0] != weight.shape[0] or difference.numel() != weight.numel():
        raise Misshapen(f"{tuple(difference.shape)} for a layer of {tuple(weight.shape)}")
    return difference.float().reshape(weight.shape)
