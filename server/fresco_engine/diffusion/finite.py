"""Numbers that are none: found at once, as they would become black pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fresco_engine.errors import ResultNotFinite

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model

_PARTS = {
    "text_encoder": "its text encoder",
    "vae": "its VAE",
    "unet": "its U-Net (or a LoRA added to it)",
    "controlnet": "its ControlNet",
}


def require_finite(model: Model, values: Tensor, stage: str) -> Tensor:
    """`values`, if all of them are finite numbers; one reduction on the device.

    `stage` completes the sentence `... gave values that are no numbers while ...`.

    Raises:
        ResultNotFinite: some are NaN or infinite.
    """
    if bool(torch.isfinite(values).all()):
        return values
    raise ResultNotFinite(model.name, stage, _advice(model))


def _advice(model: Model) -> str:
    """What is wrong with the model, as far as its weights tell; only asked after a failure."""
    for name, part in _PARTS.items():
        network: Any = getattr(model, name)
        if network is not None and not _is_finite(network):
            return f"the weights of {part} are damaged; get the model again or choose another"
    if model.dtype == torch.float32:
        return "choose another model, or less --guidance, --control-scale or LoRA weight"
    precision = str(model.dtype).removeprefix("torch.")
    return f"it overflows at the precision of {precision}; use --device cpu, which has float32"


def _is_finite(network: Any) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())
