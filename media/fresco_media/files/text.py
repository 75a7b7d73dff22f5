"""Texts of strangers (titles, names of files, sentences of libraries) as they may be shown."""

from __future__ import annotations

import logging
import unicodedata

# Marks that turn the direction of what follows, so that a name reads as another one.
_DIRECTION = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}
_INVISIBLE = {0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB}
_UNSAFE_KINDS = ("Cc", "Cs", "Zl", "Zp")


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with what it counts: 1 frame, 2 frames; `plural` where it is more than an s."""
    return f"{count} {noun}" if count == 1 else f"{count} {plural or noun + 's'}"


def sized(count: float) -> str:
    """A number of bytes in the unit in which it is no less than 1: 1.5 GB, 20 MB, 512 B."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.{1 if count < 10 * size else 0}f} {unit}"
    return f"{count:.0f} B"


def printable(text: object, *, keep: str = "") -> str:
    r"""`text` without what makes terminals, logs and eyes see something else.

    Control characters, line ends, lone surrogates and marks that turn the direction of writing
    are shown as escapes, such as \x1b or \u202e; those in `keep` stay. Everything else, joiners
    of letters and of emoji included, stays as it is.
    """
    string = str(text)
    if string.isascii() and string.isprintable():
        return string
    return "".join(
        _escaped(letter) if _is_unsafe(letter) and letter not in keep else letter
        for letter in string
    )


def printable_json(document: str) -> str:
    r"""A JSON document of the same meaning in which such characters are escapes (\u001b)."""
    if document.isascii() and "\x7f" not in document:
        return document
    return "".join(
        f"\\u{ord(letter):04x}" if ord(letter) > 0x7E and _is_unsafe(letter) else letter
        for letter in document
    )


def _is_unsafe(letter: str) -> bool:
    code = ord(letter)
    return code in _DIRECTION or code in _INVISIBLE or unicodedata.category(letter) in _UNSAFE_KINDS


def _escaped(letter: str) -> str:
    code = ord(letter)
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(letter)
    if short is not None:
        return short
    # Bytes of names that are no text come as such surrogates.
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class PrintableFormatter(logging.Formatter):
    """Log lines in which nothing foreign can begin a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the lines of a traceback moved in."""
        message = printable(record.getMessage())
        plain = logging.makeLogRecord({**record.__dict__, "msg": message, "args": None})
        first, *more = super().format(plain).split("\n")
        return "\n".join([first, *(f"    {printable(line)}" for line in more)])
