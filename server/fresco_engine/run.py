"""What stays the same while a clip is restyled, and what its two lanes hand to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fresco_media.clip import Clip
from fresco_media.images import WorkingSize
from fresco_media.types import Image

from fresco_engine.checkpoint import Checkpoint, StoredPlan
from fresco_engine.correspondence.flow import FlowEstimator
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import CheckpointMismatch
from fresco_engine.fallback import Ladder
from fresco_engine.interpolation.segment import Interpolator
from fresco_engine.pace import Pace
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import FrameQuality

ModelSource = Model | Callable[[], Model]
"""A model, or what loads one when it is needed for the first time."""


class LazyModel:
    """The model of a run, loaded when it is called for the first time."""

    def __init__(self, source: ModelSource) -> None:
        self._source = source
        self._model: Model | None = source if isinstance(source, Model) else None
        self._expected: StoredPlan | None = None

    def __call__(self) -> Model:
        """The model.

        Raises:
            CheckpointMismatch: it is another one than the run began with.
        """
        if self._model is None:
            assert not isinstance(self._source, Model)
            self._model = self._source()
        if self._expected is not None and self._expected.model != self._model.name:
            raise CheckpointMismatch(
                self._expected.model,
                f"this job began with this model and cannot go on with {self._model.name}; "
                "start a new job for it",
            )
        return self._model

    def expect(self, plan: StoredPlan) -> None:
        """Insist on the model that `plan` was made with."""
        self._expected = plan

    @property
    def name(self) -> str:
        """The model's name, known without loading it where the run goes on."""
        return self._expected.model if self._expected else self().name

    @property
    def device(self) -> str:
        """The device the model runs on; that of the run's beginning where none is loaded."""
        if self._model is None and self._expected is not None:
            return self._expected.device
        return str(self().device)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What stays the same for a whole run; `interpolator` is `None` for the usual one.

    `settings` are resolved, `size` is theirs. `estimator` and `interpolator` are called from
    several threads.
    """

    clip: Clip
    settings: RestyleSettings
    size: WorkingSize
    model: LazyModel
    estimator: FlowEstimator
    interpolator: Interpolator | None
    checkpoint: Checkpoint
    ladder: Ladder
    pace: Pace


@dataclass(frozen=True)
class Keyframe:
    """A translated keyframe at the padded working size."""

    index: int
    image: Image
    begins_shot: bool


@dataclass(frozen=True)
class MadeFrame:
    """A frame of the result at the padded working size; `is_reused` if it was stored already."""

    index: int
    image: Image
    is_keyframe: bool
    is_reused: bool
    quality: FrameQuality | None = None
