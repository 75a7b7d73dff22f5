"""Markers and the colours that there are."""

from __future__ import annotations

from typing import Any

from tests.fakes.resolve.objects import Wrapper, is_whole
from tests.fakes.resolve.state import Marker

COLORS = frozenset(
    [
        "Orange",
        "Apricot",
        "Yellow",
        "Lime",
        "Olive",
        "Green",
        "Teal",
        "Navy",
        "Blue",
        "Purple",
        "Violet",
        "Pink",
        "Tan",
        "Beige",
        "Brown",
        "Chocolate",
    ]
)
"""Of clips."""
MARKER_COLORS = frozenset(
    [
        "Blue",
        "Cyan",
        "Green",
        "Yellow",
        "Red",
        "Pink",
        "Purple",
        "Fuchsia",
        "Rose",
        "Lavender",
        "Sky",
        "Mint",
        "Lemon",
        "Sand",
        "Cocoa",
        "Cream",
    ]
)


class Marked(Wrapper):
    """Something that can have markers; their frames are relative to its start."""

    def _markers(self) -> dict[int, Marker]:
        return self._subject.markers

    def AddMarker(
        self,
        frame: int,
        color: str,
        name: str,
        note: str,
        duration: int,
        custom_data: str = "",
    ) -> bool:
        markers = self._markers()
        if not is_whole(frame, duration) or frame < 0 or duration < 1 or frame in markers:
            return False
        if color not in MARKER_COLORS:
            return False
        markers[frame] = Marker(color, name, note, duration, custom_data)
        return True

    def GetMarkers(self) -> dict[float, dict[str, Any]]:
        return {float(frame): _told(marker) for frame, marker in self._markers().items()}

    def GetMarkerByCustomData(self, data: str) -> dict[str, Any]:
        return next(
            (_told(marker) for marker in self._markers().values() if marker.customData == data), {}
        )

    def DeleteMarkerAtFrame(self, frame: int) -> bool:
        return self._markers().pop(frame, None) is not None

    def DeleteMarkerByCustomData(self, data: str) -> bool:
        markers = self._markers()
        for frame, marker in list(markers.items()):
            if marker.customData == data:
                del markers[frame]
                return True
        return False


def _told(marker: Marker) -> dict[str, Any]:
    return {
        "color": marker.color,
        "duration": float(marker.duration),
        "note": marker.note,
        "name": marker.name,
        "customData": marker.customData,
    }
