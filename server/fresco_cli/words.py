"""Numbers as a person reads them."""

from __future__ import annotations

from fresco_media.files.text import printable


def gigabytes(count: int) -> str:
    """A size of a disk or a memory."""
    return f"{count / 1e9:.1f} GB"


def megabytes(count: int) -> str:
    """A size of a file."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def moved_in(text: object) -> str:
    """Foreign text, of which no line can be taken for one of ours and no mark steers a terminal."""
    return "\n    ".join(printable(line, keep="\t") for line in str(text).split("\n"))
