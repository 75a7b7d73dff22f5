"""The subject that settings name in words: a network that is loaded when it is first asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from fresco_settings import marked

from fresco_engine.correspondence.subject.estimator import BoolMap, SubjectFrames
from fresco_engine.correspondence.subject.found import FoundSubject
from fresco_engine.diffusion.detectors.places import WHOLE, DetectorPart, find_part, not_here
from fresco_engine.diffusion.memory import device_memory
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import ModelError, ModelNotFound

FOLDER = "subject"
"""Below `detectors`."""
PART = DetectorPart(hub_id="CIDAS/clipseg-rd64-refined", files=WHOLE, megabytes=603)


class NamedSubject:
    """Finds in the frames of a batch what `words` name.

    `model` says where the network may lie and where it is to run.
    """

    def __init__(self, words: str, model: Callable[[], Model]) -> None:
        self.words = words
        self._model = model

    def masks(self, frames: SubjectFrames) -> BoolMap:
        """As `FoundSubject`; raises as `load`."""
        return self._found.masks(frames)

    def load(self) -> None:
        """Has the network here before the work begins.

        Raises:
            ModelNotFound: its files are nowhere, with where to get them and where to put them.
            ModelCorrupt, WrongModelKind: they are damaged or those of another network.
            InvalidSettings: it reads fewer words.
            DiskFull: the hub's cache has no room for them.
            OutOfDeviceMemory: it does not fit on the device.
        """
        _ = self._found

    @cached_property
    def _found(self) -> FoundSubject:
        model = self._model()
        try:
            folder = find_part(FOLDER, PART, model.detectors)
            with quiet_libraries(), device_memory("loading what finds the subject"):
                # It loads a part of the library that takes seconds.
                from fresco_engine.diffusion.detectors.named_subject import NamedSubjectDetector

                return FoundSubject(NamedSubjectDetector.load(folder, self.words, model.device))
        except ModelNotFound as error:
            missing = ModelNotFound(
                self.words, f"{not_here(FOLDER, [PART])}, or leave out {marked('subject')}"
            )
            missing.field = "subject"
            raise missing from error
        except ModelError as error:
            error.field = "subject"
            raise
