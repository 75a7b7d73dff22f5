"""Where frames lie on the filmstrip: pure geometry, in pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fresco_gui.media.thumbnails import FrameSpan

HIGHEST_FRAME_PX = 160.0


@dataclass(frozen=True)
class Scale:
    """Frames `first` to `first + count - 1` on a strip `width` pixels wide, which can be zoomed."""

    first: int = 0
    count: int = 1
    width: int = 1
    zoom: float = 1.0
    """1 shows all frames."""
    offset: float = 0.0
    """The frame at the left edge, counted from `first`."""

    @property
    def frame_px(self) -> float:
        """Pixels by frame."""
        return self.width * self.zoom / self.count

    def x(self, index: float) -> float:
        """Where the frame begins."""
        return (index - self.first - self.offset) * self.frame_px

    def index(self, x: float) -> int:
        """The frame at `x`, the first or last one beyond the ends."""
        place = int(x / self.frame_px + self.offset)
        return self.first + min(max(place, 0), self.count - 1)

    def resized(self, width: int) -> Scale:
        """On a strip of another width."""
        return replace(self, width=max(width, 1)).kept_inside()

    def zoomed(self, factor: float, at: float) -> Scale:
        """Nearer or farther, with the frame at `at` staying there."""
        place = at / self.frame_px + self.offset
        highest = max(1.0, HIGHEST_FRAME_PX * self.count / self.width)
        zoom = min(max(self.zoom * factor, 1.0), highest)
        made = replace(self, zoom=zoom)
        return replace(made, offset=place - at / made.frame_px).kept_inside()

    def scrolled(self, pixels: float) -> Scale:
        """Moved to the right by as many pixels."""
        return replace(self, offset=self.offset + pixels / self.frame_px).kept_inside()

    def showing(self, index: int) -> Scale:
        """Moved just so far that the frame is seen."""
        x = self.x(index)
        if x < 0:
            return self.scrolled(x)
        return self.scrolled(max(0.0, x + min(self.frame_px, self.width) - self.width))

    def kept_inside(self) -> Scale:
        """With an offset that leaves nothing empty."""
        highest = self.count - self.width / self.frame_px
        return replace(self, offset=min(max(self.offset, 0.0), max(highest, 0.0)))

    def spans(self, thumbnail_px: float) -> tuple[FrameSpan, ...]:
        """The stretches of frames that visible thumbnails stand for, one beside the other.

        Their bounds do not depend on the offset, so that scrolling makes no new ones.
        """
        step = max(1, round(thumbnail_px / self.frame_px))
        place = int(self.offset) // step * step
        end = min(self.count, int(self.offset + self.width / self.frame_px) + 1)
        return tuple(
            FrameSpan(self.first + at, self.first + min(at + step, self.count))
            for at in range(place, end, step)
        )
