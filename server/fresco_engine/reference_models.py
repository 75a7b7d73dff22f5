"""The picture that settings take a look from: networks read it once, before the work begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from fresco_media.files.state import states_of

from fresco_engine.diffusion.memory import device_memory, release_device_memory
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import ModelError
from fresco_engine.reference_file import read_reference, reference_digest
from fresco_engine.settings import RestyleSettings

if TYPE_CHECKING:
    from fresco_media.types import Image

    from fresco_engine.diffusion.picture_prompt.prompt import PicturePrompt

_Key = tuple[str, Path, int]
# Looks ask again and again with other words or seeds, and the encoder takes seconds to load.
_LAST: WeakKeyDictionary[Model, tuple[_Key, PicturePrompt]] = WeakKeyDictionary()


class ReferencePicture:
    """The reference picture of a run; `model` is what it is shown to.

    Neither the adapter nor the image encoder is kept: what they said last is, with the model.
    """

    def __init__(self, path: Path, settings: RestyleSettings, model: Callable[[], Model]) -> None:
        self._path = path
        self._settings = settings
        self._model = model

    @classmethod
    def of(cls, settings: RestyleSettings, model: Callable[[], Model]) -> ReferencePicture | None:
        """That of settings; None where they have none, or it counts for nothing."""
        if settings.reference is None or settings.reference_scale == 0:
            return None
        return cls(Path(settings.reference), settings, model)

    def digest(self) -> str:
        """As `reference_digest`, of the picture that was read."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        return reference_digest(self._path)

    @cached_property
    def prompt(self) -> PicturePrompt:
        """What the picture says to the model.

        Raises:
            ClipError: it cannot be read.
            FileChanged: it was replaced while it was read.
            ModelError: the networks that read it are missing or unfit, with what to do.
            DiskFull: the hub's cache has no room for them.
            OutOfDeviceMemory: they do not fit on the device.
        """
        states = states_of([("reference", self._path)])
        self.digest()
        image = read_reference(self._path)
        for state in states:
            state.check()
        # What takes its time comes after: the picture may be saved again meanwhile.
        model = self._model()
        try:
            with quiet_libraries(), device_memory("reading the reference picture"):
                return self._read(image, model)
        except ModelError as error:
            error.field = "reference_model" if self._settings.reference_model else "reference"
            raise
        finally:
            release_device_memory()

    def _read(self, image: Image, model: Model) -> PicturePrompt:
        # They load parts of the libraries that take seconds.
        from fresco_engine.diffusion.picture_prompt.adapter import load_adapter
        from fresco_engine.diffusion.picture_prompt.encoder import PictureEncoder, load_encoder
        from fresco_engine.diffusion.picture_prompt.finding import find_adapter, find_encoder
        from fresco_engine.diffusion.picture_prompt.prompt import PicturePrompt

        path = find_adapter(self._settings.reference_model, model)
        key = (self.digest(), path, path.stat().st_mtime_ns)
        known = _LAST.get(model)
        if known is None or known[0] != key:
            adapter = load_adapter(path, model.unet)
            network = load_encoder(find_encoder(adapter, model), model.dtype)
            encoder = PictureEncoder(network.to(model.device))  # pyright: ignore[reportArgumentType, reportCallIssue]
            states = encoder.read(image, by_patch=adapter.reads_patches)
            said = PicturePrompt.of(model.unet, adapter.tokens(states), adapter.layers)
            known = _LAST[model] = key, said
        return replace(known[1], strength=self._settings.reference_scale)
