"""Numbers as a person reads them."""

from __future__ import annotations

from fresco_media.text import printable


def gigabytes(count: int) -> str:
    """A size of a disk or a memory."""
    return f"{count / 1e9:.1f} GB"


def megabytes(count: int) -> str:
    """A size of a file."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def clock(seconds: float) -> str:
    """Minutes and seconds: 1:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def span(seconds: float) -> str:
    """A span of time by its largest unit: 40 s, 5 min, 3 h, 2 days."""
    if seconds < 60:
        return f"{max(0, seconds):.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * 86400:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def moved_in(text: object) -> str:
    """Foreign text, of which no line can be taken for one of ours and no mark steers a terminal."""
    return "\n    ".join(printable(line, keep="\t") for line in str(text).split("\n"))
