"""The model that is loaded: kept from one piece of work to the next."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from fresco_engine.diffusion.execution import ExecutionChoice
from fresco_engine.diffusion.library import Library
from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.named_files import ModelPlaces, model_files
from fresco_engine.diffusion.prompting.files import named_loras
from fresco_engine.settings import ControlChoice
from fresco_media.files.state import stamps_of

from fresco_server.jobs.job import ModelOrder, Values
from fresco_server.worker.files import places_of

_LOGGER = logging.getLogger(__name__)
Marks = tuple[tuple[Path, tuple[int, int, int]], ...]
Key = tuple[ModelOrder, Any, tuple[Lora, ...], Marks, ExecutionChoice]


class Models:
    """Loads models onto one device and keeps the last; `holds` is told which."""

    def __init__(self, device: str, holds: Callable[[str | None], None]) -> None:
        self.device = device
        self._holds = holds
        self._key: Key | None = None
        self._model: Model | None = None

    def get(self, order: ModelOrder, settings: Values) -> Model:
        """The model that an order names, with the ControlNets and LoRAs that its settings name.

        Raises:
            ModelError, InvalidSettings, OutOfDeviceMemory: it cannot be loaded, or a prompt names
                files that are not there.
        """
        source, control = order.source, settings.get("control")
        library = Library.of(source, order.folders)
        given = (Lora(Path(path), weight) for path, weight in order.loras)
        loras = (*given, *named_loras(settings, library))
        # How strongly each binds is no part of the model. Folders are: a VAE or a ControlNet of the
        # same name may be another one there.
        kinds = control and ControlChoice.parse(control).kinds
        places = replace(places_of(order), loras=[lora.path for lora in loras])
        marks = _marks_of(places, control)
        execution = ExecutionChoice.of(settings)
        key = (replace(order, loras=()), kinds, loras, marks, execution)
        if self._model is None or key != self._key:
            # The old one goes first: two may not fit.
            self._model = None
            _LOGGER.info("loading %s", source or "the bundled model")
            self._model = load_model(
                source,
                control=control,
                control_source=order.control_source,
                loras=loras,
                vae=order.vae,
                folders=order.folders,
                device=self.device,
                execution=execution,
            )
            # What was replaced while it was read is read again the next time.
            self._key = key if _marks_of(places, control) == marks else None
            self._holds(source)
        return self._model


def _marks_of(places: ModelPlaces, control: str | None) -> Marks:
    """What tells the files of a model from others that may come to their places.

    Embeddings are none of them: they are read for every prompt.
    """
    files = {file.path for file in model_files(places, {"control": control})}
    found: list[tuple[Path, tuple[int, int, int]]] = []
    for path in sorted(files):
        with suppress(OSError):  # What is wrong with it is told as it is loaded.
            found.append((path, stamps_of(path.stat())))
    return tuple(found)
