"""How opaque a clip is, kept beside what is made of it, which knows no alpha."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fresco_media.clip import Clip
from fresco_media.types import Matte

from fresco_engine.checkpoint import Checkpoint
from fresco_engine.types import ClipAnalysed, Event, FrameMade, KeyframeMade


def matte_of(clip: Clip, index: int) -> Matte | None:
    """How opaque a frame is, (H, W) at the clip's size; None if it is so everywhere."""
    if not clip.info.has_alpha:
        return None
    return _unless_opaque(next(clip.mattes_at([index])))


class KeptMattes:
    """The mattes of what a run announces, in its checkpoint; none of frames that are opaque."""

    def __init__(self, clip: Clip, checkpoint: Checkpoint) -> None:
        self._clip = clip
        self._checkpoint = checkpoint
        # Each goes through the clip by itself, as keyframes are far ahead of frames.
        self._of_keyframes: Iterator[tuple[int, Matte]] = iter(())
        self._of_frames: Iterator[tuple[int, Matte]] = iter(())

    def keep(self, event: Event) -> None:
        """Keep that of the picture which an event is about to announce."""
        if isinstance(event, ClipAnalysed):
            self._of_keyframes = self._missing(event.keyframes)
            self._of_frames = self._missing(range(event.start, event.stop))
        elif isinstance(event, KeyframeMade):
            self._keep(event.index, self._of_keyframes)
        elif isinstance(event, FrameMade):
            self._keep(event.frame.index, self._of_frames)

    def _missing(self, indices: Sequence[int]) -> Iterator[tuple[int, Matte]]:
        if self._checkpoint.folder is None or not self._clip.info.has_alpha:
            return iter(())
        missing = [index for index in indices if not self._checkpoint.has("mattes", index)]
        return zip(missing, self._clip.mattes_at(missing), strict=False)

    def _keep(self, index: int, mattes: Iterator[tuple[int, Matte]]) -> None:
        if self._checkpoint.has("mattes", index):
            return
        # A frame may be left out, but none comes twice.
        found = next((matte for at, matte in mattes if at == index), None)
        matte = None if found is None else _unless_opaque(found)
        if matte is not None:
            self._checkpoint.save("mattes", index, matte)


def _unless_opaque(matte: Matte) -> Matte | None:
    return None if matte.min() == 255 else matte
