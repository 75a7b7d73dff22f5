"""The clip that looks are made of: a sheet of looks opens and decodes it once."""

from __future__ import annotations

from fresco_media.clip import Clip
from fresco_media.errors import FrescoError

from fresco_server.jobs.looks import LookOrder
from fresco_server.worker.media import open_clip


class LookedClip:
    """The clip of the last look, with the frame that it was of, for the next one."""

    def __init__(self) -> None:
        self._clip: Clip | None = None
        self._key: tuple[str, str | None] | None = None

    def open(self, order: LookOrder) -> Clip:
        """The clip of an order: the one at hand, if it is that and has the frame.

        Raises:
            ClipError, InvalidSettings: it cannot be used.
        """
        key = order.clip, order.frame_rate
        if self._clip is None or self._key != key or not _serves(self._clip, order.index):
            self._clip = None
            self._clip, self._key = open_clip(*key).remembering(), key
        return self._clip


def _serves(clip: Clip, index: int) -> bool:
    """Whether it is what it was when it was opened; a folder may have more pictures by now."""
    if clip.info.is_sequence or index >= clip.info.frame_count:
        return False
    try:
        clip.check()
    except FrescoError:
        return False
    return True
