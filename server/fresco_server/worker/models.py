"""The model that is loaded: kept from one piece of work to the next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model

_LOGGER = logging.getLogger(__name__)
Key = tuple[Any, ...]


class Models:
    """Loads models onto one device and keeps the last; `holds` is told which."""

    def __init__(self, device: str, holds: Callable[[str | None], None]) -> None:
        self.device = device
        self._holds = holds
        self._key: Key | None = None
        self._model: Model | None = None

    def get(self, order: Mapping[str, Any], settings: Mapping[str, Any]) -> Model:
        """The model that an order names, with the ControlNet that its settings name.

        Raises:
            ModelError, InvalidSettings, OutOfDeviceMemory: it cannot be loaded.
        """
        source, control = order.get("source"), settings.get("control")
        loras = tuple((str(path), float(weight)) for path, weight in order.get("loras", ()))
        key = (source, order.get("control_source"), control, loras)
        if self._model is None or key != self._key:
            # The old one goes first: two may not fit.
            self._model = None
            _LOGGER.info("loading %s", source or "the bundled model")
            self._model = load_model(
                source,
                control=cast(Any, control),
                control_source=order.get("control_source"),
                loras=[Lora(Path(path), weight) for path, weight in loras],
                device=self.device,
            )
            self._key = key
            self._holds(source)
        return self._model
