"""A model that is loaded when it is needed, or not at all where a run can go on without."""

from __future__ import annotations

from collections.abc import Callable

from fresco_engine.checkpoint import StoredPlan
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import CheckpointMismatch

ModelSource = Model | Callable[[], Model]
"""A model, or what loads one when it is needed for the first time."""


class LazyModel:
    """The model of a run, loaded when it is called for the first time.

    `device` is where it will be loaded, if that is known.
    """

    def __init__(self, source: ModelSource, device: str | None = None) -> None:
        self._source = source
        self._device = device
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
        if self._device is not None:
            return self._device
        if self._model is None and self._expected is not None:
            return self._expected.device
        return str(self().device)
