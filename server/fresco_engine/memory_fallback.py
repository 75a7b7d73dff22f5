"""What to change when the device's memory is full, or when it is known that it would be.

The autoencoder's tiles, the batch, then the working size, once each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fresco_engine.checkpoint import Adjustments, Checkpoint
from fresco_engine.diffusion.latents import can_be_tiled
from fresco_engine.diffusion.memory import device_room
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import OutOfDeviceMemory
from fresco_engine.settings import RestyleSettings

_SMALLEST_SIZE = 256
_MULTIPLE = 8
_SMALLEST_BATCH = 3
"""A new keyframe beside two anchors."""
_ROOMY_BYTES = 2048
"""For each frame, pixel and byte of precision: four times what batches of SD 1.5 and XL take."""
_SCRATCH = 0.1
"""Share of the free memory that is left to what kernels take for themselves."""


class MemoryFallback:
    """The steps a run may go down, and those it has gone down already, also before it was killed.

    `settings` are those wanted; `adjusted` and `batch_size` are what is to be used.
    """

    def __init__(self, settings: RestyleSettings, checkpoint: Checkpoint) -> None:
        self._wanted = settings
        self._checkpoint = checkpoint
        self._adjustments = checkpoint.adjustments()
        self._is_planned = False

    @property
    def batch_size(self) -> int:
        """How many keyframes may be translated together."""
        return self._adjustments.batch_size or self._wanted.batch_size

    def reload(self) -> None:
        """Know what somebody else has lowered for this run."""
        self._adjustments = self._checkpoint.adjustments()

    def adjusted(self, settings: RestyleSettings) -> RestyleSettings:
        """`settings` with what was lowered."""
        return self._adjustments.applied(settings)

    def adapted(self, model: Model) -> Model:
        """`model` as it is to work."""
        return replace(model, is_tiled=True) if self._adjustments.is_tiled else model

    def plan(
        self, model: Model, settings: RestyleSettings, height: int, width: int
    ) -> tuple[str, ...]:
        """Before the first batch, change what the device has no room for; one sentence each.

        Raises as `fitting`.
        """
        free = device_room(model.device)
        if free is None or self._is_planned:
            return ()
        self._is_planned = True
        wanted = replace(settings, batch_size=self.batch_size)
        found = fitting(self.adapted(model), wanted, height, width, free)
        if found == Adjustments():
            return ()
        before = set(self.notes())
        self._save(
            replace(
                self._adjustments,
                batch_size=found.batch_size or self._adjustments.batch_size,
                is_tiled=found.is_tiled or self._adjustments.is_tiled,
            )
        )
        return tuple(note for note in self.notes() if note not in before)

    def notes(self) -> Iterator[str]:
        """What was lowered, one sentence each."""
        if self._adjustments.is_tiled:
            yield _TILE_NOTE
        if self._adjustments.batch_size is not None:
            yield _batch_note(self._adjustments.batch_size)
        if self._adjustments.size is not None:
            yield _size_note(self._adjustments.size, self._wanted.size)

    def tile(self, model: Model, height: int, width: int) -> str | None:
        """Let the autoencoder work in tiles from now on; None if that is so or helps nothing."""
        if self._adjustments.is_tiled or not can_be_tiled(model, height, width):
            return None
        self._save(replace(self._adjustments, is_tiled=True))
        return _TILE_NOTE

    def lower_batch(self, frames: int) -> str | None:
        """Go on with smaller batches after one of `frames` failed; None if that was tried."""
        lower = smaller_batch(frames)
        if self._adjustments.batch_size is not None or lower is None:
            return None
        self._save(replace(self._adjustments, batch_size=lower))
        return _batch_note(lower)

    @property
    def restart_reason(self) -> str | None:
        """Why to begin anew at a smaller size; None if that was tried."""
        lower = smaller_size(self._wanted.size)
        if self._adjustments.size is not None or lower is None:
            return None
        return _size_note(lower, self._wanted.size)

    def lower_size(self) -> None:
        """Forget what is stored and begin anew at a smaller size."""
        # In this order no moment is a bad one to die: at worst the step is taken again.
        self._checkpoint.clear()
        self._save(replace(self._adjustments, size=smaller_size(self._wanted.size)))
        self._is_planned = False

    def _save(self, adjustments: Adjustments) -> None:
        self._checkpoint.save_adjustments(adjustments)
        self._adjustments = adjustments


_TILE_NOTE = (
    "the device has too little memory for whole pictures, so the autoencoder works on one part "
    "after the other"
)


def fitting(
    model: Model, settings: RestyleSettings, height: int, width: int, free: int
) -> Adjustments:
    """What has to be changed for a batch to have room in `free` bytes beside the weights.

    `settings` are resolved, the padded size is in pixels.

    Raises:
        OutOfDeviceMemory: not even one keyframe has room.
    """
    wanted = settings.batch_size
    if free > _ROOMY_BYTES * model.dtype.itemsize * wanted * height * width:
        return Adjustments()  # To count takes seconds.
    from fresco_engine.diffusion.cost import working_bytes

    room = round((1 - _SCRATCH) * free)
    least = min(_SMALLEST_BATCH, wanted)

    def needed(frames: int) -> int:
        return working_bytes(model, settings, frames=frames, height=height, width=width)

    if (whole := needed(wanted)) <= room:
        return Adjustments()
    if (taken := needed(least)) > room and can_be_tiled(model, height, width):
        model = replace(model, is_tiled=True)
        whole, taken = needed(wanted), needed(least)
    if taken > room:
        if (alone := needed(1)) > free:
            raise OutOfDeviceMemory("planning the first batch", alone, free)
        return Adjustments(batch_size=1, is_tiled=model.is_tiled)
    if whole <= room:
        return Adjustments(is_tiled=model.is_tiled)
    # What a batch takes grows with its frames.
    more = int((wanted - least) * (room - taken) / (whole - taken))
    return Adjustments(batch_size=least + more, is_tiled=model.is_tiled)


def _batch_note(batch_size: int) -> str:
    together = "keyframes are translated together" if batch_size > 1 else "keyframe at a time"
    return f"the device has too little memory, so from now on only {batch_size} {together}"


def _size_note(lower: int, wanted: int) -> str:
    return (
        f"the device has too little memory, so the model works at a size of {lower} instead of "
        f"{wanted}, from the beginning"
    )


def smaller_batch(frames: int) -> int | None:
    """Half as many frames; never 2, which leave no room beside two anchors. None below 2."""
    if frames < 2:
        return None
    if frames <= _SMALLEST_BATCH:
        return 1
    return max(_SMALLEST_BATCH, frames // 2)


def smaller_size(size: int) -> int | None:
    """Three quarters of a short side, as a multiple of 8; None where that is too small."""
    lower = size * 3 // 4 // _MULTIPLE * _MULTIPLE
    return lower if lower >= _SMALLEST_SIZE else None
