"""Inversions kept from one edit to the next, found again by all that they depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fresco_engine.diffusion.batch_run import BatchRun
from fresco_engine.diffusion.editing.inversion import Inversion

Arrays = Mapping[str, NDArray[np.float32]]
_FORMAT = 1
_PATH, _CORRECTIONS = "path", "corrections"
_LOOKED_AT = 64
"""Numbers of a parameter by which weights are told apart; whatever changes one changes many."""


class KeptInversions(Protocol):
    """Where inversions are kept, by keys that say what they are of."""

    def inversion(self, key: str) -> Arrays | None:
        """What is kept under a key."""
        ...

    def save_inversion(self, key: str, arrays: Arrays) -> None:
        """Keep float32 arrays under a key."""
        ...


class _NoInversions:
    """Keeps nothing."""

    def inversion(self, key: str) -> None:
        """None is kept."""

    def save_inversion(self, key: str, arrays: Arrays) -> None:
        """Nothing is kept."""


NO_INVERSIONS = _NoInversions()


def key_of(source: BatchRun, path: Sequence[Tensor]) -> str:
    """A digest of all that the inversion of a batch depends on, by its values.

    These are the input's latents and, in `path`, their noise, the words that are true of it, what
    controls show, the weights, the sampler's steps, precision and kind of device.
    """
    model, conditions = source.model, source.conditions
    digest = hashlib.sha256()
    facts = {
        "format": _FORMAT,
        "torch": torch.__version__,
        "device": model.device.type,
        "precision": str(model.dtype),
        "sampler": [type(source.sampler).__name__, *_steps_of(source)],
        "inversion": source.settings.inversion,
        "free_u": source.settings.free_u,
        "compile": source.settings.compile,
        "eta": source.settings.eta,
        "schedule": {name: str(value) for name, value in model.scheduler_config.items()},
        "new": [source.new.start, source.new.stop],
        "controls": [one.strength for one in conditions.controls],
    }
    digest.update(json.dumps(facts, sort_keys=True).encode())
    for network in (model.unet, *(one.network for one in conditions.controls)):
        _add_weights(digest, network)
    tensors = [source.clean, *path, *(one.pictures for one in conditions.controls)]
    tensors += _distinct(conditions.embeddings) + _distinct(conditions.added.pooled)
    for tensor in tensors:
        _add(digest, tensor)
    return digest.hexdigest()


def packed(inversion: Inversion) -> Arrays:
    """What cannot be found again without the model."""
    name = _CORRECTIONS if inversion.corrections else _PATH
    kept = inversion.corrections or inversion.path
    return {name: torch.stack(list(kept)).cpu().numpy()}


def unpacked(arrays: Arrays, path: tuple[Tensor, ...], like: Tensor) -> Inversion | None:
    """The inversion that was `packed`; None where the arrays are of another shape.

    `path` is the one along which it went, if that is known before; `like` (f, c, h, w) the latents
    of the input.
    """
    name = _CORRECTIONS if path else _PATH
    found = arrays.get(name)
    if found is None or found.ndim != 1 + like.ndim or found.shape[1:] != tuple(like.shape):
        return None
    # Copied, as what is read from a file may not be written to.
    steps = tuple(torch.from_numpy(found.copy()).to(like).unbind())
    if not path:
        return Inversion(steps)
    return Inversion(path, steps) if len(steps) == len(path) - 1 else None


def _steps_of(source: BatchRun) -> list[float]:
    return [float(time) for time in source.sampler.steps.times]


def _distinct(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Without those that are one object with the one before, as words are that never change."""
    return [x for k, x in enumerate(tensors) if not k or x is not tensors[k - 1]]


def _add_weights(digest: Any, network: nn.Module) -> None:
    """Some of each parameter, brought from the device in one go."""
    looked_at: list[Tensor] = []
    for name, values in network.state_dict(keep_vars=True).items():
        digest.update(f"{name} {values.dtype} {tuple(values.shape)} ".encode())
        flat = values.detach().flatten()
        looked_at.append(flat[:: max(1, len(flat) // _LOOKED_AT)].float())
    _add(digest, torch.cat(looked_at))


def _add(digest: Any, tensor: Tensor) -> None:
    digest.update(f"{tuple(tensor.shape)} ".encode())
    digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
