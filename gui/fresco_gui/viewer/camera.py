"""What part of a picture is seen, and how large: pure geometry, in device pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

Size = tuple[float, float]
Point = tuple[float, float]

LOWEST_ZOOM, HIGHEST_ZOOM = 0.02, 32.0


@dataclass(frozen=True)
class Placement:
    """Where the whole picture lies in its pane, which may be partly outside."""

    left: float
    top: float
    width: float
    height: float

    def to_picture(self, point: Point) -> Point:
        """A point of the pane as shares of the picture: 0 to 1 inside it."""
        return (point[0] - self.left) / self.width, (point[1] - self.top) / self.height


@dataclass(frozen=True)
class Camera:
    """Zoom and centre, the same for source and result whatever their sizes."""

    zoom: float | None = None
    """Device pixels by pixel of the source; None: as large as fits."""
    centre: Point = (0.5, 0.5)
    """What lies in the middle of the pane, as shares of the picture."""

    def scale(self, pane: Size, picture: Size) -> float:
        """Device pixels by pixel of the source."""
        if self.zoom is not None:
            return self.zoom
        return min(pane[0] / picture[0], pane[1] / picture[1])

    def place(self, pane: Size, picture: Size) -> Placement:
        """Where a picture of this size goes; one that fits is centred."""
        scale = self.scale(pane, picture)
        width, height = picture[0] * scale, picture[1] * scale
        left = _start(pane[0], width, self.centre[0])
        top = _start(pane[1], height, self.centre[1])
        return Placement(left, top, width, height)

    def zoomed(self, factor: float, at: Point, pane: Size, picture: Size) -> Camera:
        """Nearer or farther, with what is at the point `at` of the pane staying there."""
        before = self.place(pane, picture)
        share = before.to_picture(at)
        zoom = min(max(self.scale(pane, picture) * factor, LOWEST_ZOOM), HIGHEST_ZOOM)
        width, height = picture[0] * zoom, picture[1] * zoom
        centre = (
            share[0] + (pane[0] / 2 - at[0]) / width,
            share[1] + (pane[1] / 2 - at[1]) / height,
        )
        return Camera(zoom, centre).kept_inside(pane, picture)

    def panned(self, by: Point, pane: Size, picture: Size) -> Camera:
        """Moved so that the picture follows the pointer by as many device pixels."""
        now = self.place(pane, picture)
        centre = (self.centre[0] - by[0] / now.width, self.centre[1] - by[1] / now.height)
        return replace(self, centre=centre).kept_inside(pane, picture)

    def kept_inside(self, pane: Size, picture: Size) -> Camera:
        """With a centre that leaves no empty ground where the picture could be."""
        now = self.place(pane, picture)
        x = (pane[0] / 2 - now.left) / now.width
        y = (pane[1] / 2 - now.top) / now.height
        return replace(self, centre=(x, y))


def _start(pane: float, length: float, centre: float) -> float:
    if length <= pane:
        return (pane - length) / 2
    return min(0.0, max(pane - length, pane / 2 - centre * length))
