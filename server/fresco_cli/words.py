"""Numbers as a person reads them."""

from __future__ import annotations

from fresco_media.files.text import printable

from fresco_cli.remedies import in_flags


def moved_in(text: object) -> str:
    """Foreign text, with our options for what it names.

    No line of it can be taken for one of ours, and no mark in it steers a terminal.
    """
    return "\n    ".join(printable(line, keep="\t") for line in in_flags(text).split("\n"))
