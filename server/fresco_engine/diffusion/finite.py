"""Numbers that are none: found at once, as they would become black pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from fresco_settings import Remedy, said
from torch import Tensor

from fresco_engine.errors import ResultNotFinite

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model

_OVERFLOWED = "decoding frames in half precision"

_PARTS = {
    "text_encoder": "its text encoder",
    "text_encoder_2": "its second text encoder",
    "vae": "its VAE",
    "unet": "its U-Net (or a LoRA added to it)",
}


class AutoencoderOverflowed(ResultNotFinite):
    """Pictures left the range of half precision; whoever asked begins anew in full precision."""


def are_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether there is no NaN and no infinity in any of them, whatever their precision."""
    # Numbers of 8 bits cannot be asked.
    wide = (one.half() if one.is_floating_point() and one.itemsize == 1 else one for one in tensors)
    return all(bool(torch.isfinite(one).all()) for one in wide)


def require_finite(model: Model, values: Tensor, stage: str) -> Tensor:
    """`values`, if all of them are finite numbers; one reduction on the device.

    `stage` completes the sentence `... gave values that are no numbers while ...`.

    Raises:
        ResultNotFinite: some are NaN or infinite.
    """
    if bool(torch.isfinite(values).all()):
        return values
    raise ResultNotFinite(model.name, stage, *_advice(model))


class FiniteWatch:
    """Sees whether the numbers of a batch stay finite, without waiting for the device.

    On the processor the answer costs nothing and is taken at once. On other devices asking would
    hold up the launching of work, so that the answers are kept there until `settle`, unless all of
    them are to be taken `at_once`.
    """

    def __init__(self, model: Model, *, at_once: bool = False) -> None:
        self._model = model
        self._is_at_once = at_once or model.device.type == "cpu"
        self._answers: list[Tensor] = []
        self._stages: list[str] = []

    def __call__(self, values: Tensor, stage: str) -> Tensor:
        """`values`; `stage` and what is raised on the processor are as in `require_finite`."""
        if self._is_at_once:
            return require_finite(self._model, values, stage)
        self._keep(values, stage)
        return values

    def overflows(self, pictures: Tensor) -> bool:
        """Whether an autoencoder in half precision left its range; if not known yet, `settle` will.

        Then what came after it is worth nothing, and has to be made again in full precision.
        """
        if self._is_at_once:
            return not bool(torch.isfinite(pictures).all())
        self._keep(pictures, _OVERFLOWED)
        return False

    def _keep(self, values: Tensor, stage: str) -> None:
        self._answers.append(torch.isfinite(values).all())
        self._stages.append(stage)

    def settle(self) -> None:
        """Take the answers that are still on the device; the host waits for it once.

        Raises:
            AutoencoderOverflowed: pictures were, before anything else was.
            ResultNotFinite: some values were NaN or infinite.
        """
        if not self._answers:
            return
        answers = torch.stack(self._answers).tolist()
        self._answers.clear()
        stages, self._stages = self._stages, []
        for is_finite, stage in zip(answers, stages, strict=True):
            if not is_finite:
                kind = AutoencoderOverflowed if stage == _OVERFLOWED else ResultNotFinite
                raise kind(self._model.name, stage, *_advice(self._model))


def _advice(model: Model) -> tuple[str, Remedy | None]:
    """What is wrong with the model, as far as its weights tell; only asked after a failure."""
    networks = ((getattr(model, name), part) for name, part in _PARTS.items())
    parts = [(network, part) for network, part in networks if network is not None]
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
    return are_finite(network.state_dict().values())
