"""Numbers that are none: found at once, as they would become black pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from fresco_settings import Remedy, said
from torch import Tensor

from fresco_engine.errors import ResultNotFinite

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model

_PARTS = {
    "text_encoder": "its text encoder",
    "vae": "its VAE",
    "unet": "its U-Net (or a LoRA added to it)",
}


def require_finite(model: Model, values: Tensor, stage: str) -> Tensor:
    """`values`, if all of them are finite numbers; one reduction on the device.

    `stage` completes the sentence `... gave values that are no numbers while ...`.

    Raises:
        ResultNotFinite: some are NaN or infinite.
    """
    if bool(torch.isfinite(values).all()):
        return values
    raise ResultNotFinite(model.name, stage, *_advice(model))


def _advice(model: Model) -> tuple[str, Remedy | None]:
    """What is wrong with the model, as far as its weights tell; only asked after a failure."""
    parts = [(getattr(model, name), part) for name, part in _PARTS.items()]
    parts += [(control.network, f"its ControlNet ({control.kind})") for control in model.controls]
    for network, part in parts:
        if not _is_finite(network):
            text = f"the weights of {part} are damaged; get the model again or choose another"
            return text, None
    if model.dtype == torch.float32:
        remedy = Remedy.LESS_GUIDANCE
        return f"choose another model, or {said(remedy)}", remedy
    precision = str(model.dtype).removeprefix("torch.")
    remedy = Remedy.USE_PROCESSOR
    return (
        f"it overflows at the precision of {precision}; {said(remedy)}, which has float32",
        remedy,
    )


def _is_finite(network: Any) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())
