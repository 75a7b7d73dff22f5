"""The pictures by which models show their styles, as they are sent."""

from __future__ import annotations

from pathlib import Path

_MOST_BYTES = 64 << 10
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n")


def style_picture(path: str) -> bytes:
    """The JPEG or PNG file at `path`; nothing if it is none, too big to be sent, or not there."""
    if not path:
        return b""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError):
        return b""
    return data if len(data) <= _MOST_BYTES and data.startswith(_BEGINNINGS) else b""
