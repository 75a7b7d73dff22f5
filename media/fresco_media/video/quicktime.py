"""Atoms of QuickTime and MP4 files, and languages of their tracks, where FFmpeg writes none.

QuickTime has two kinds of language codes: Apple's own numbers, and, from 0x400 on, three letters
of ISO 639-2 in five bits each. FFmpeg's MOV muxer writes only the former, which lack many.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

_UNSPECIFIED = 0x7FFF
_MEDIA_HEADER = (b"moov", b"trak", b"mdia", b"mdhd")


def state_languages(path: Path, languages: list[str]) -> None:
    """Write the language of each track that states none; `languages` are in order of the tracks.

    Raises:
        OSError: the file cannot be changed.
    """
    with path.open("r+b") as file:
        for place, language in zip(list(atoms(file, *_MEDIA_HEADER)), languages, strict=False):
            packed = _packed(language)
            file.seek(place)
            version = file.read(1)[0]
            # Version and flags; creation, modification, timescale and duration; then the language.
            at = place + 4 + (28 if version else 16)
            file.seek(at)
            if packed is not None and struct.unpack(">H", file.read(2))[0] == _UNSPECIFIED:
                file.seek(at)
                file.write(struct.pack(">H", packed))


def _packed(language: str) -> int | None:
    code = language.lower()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        return None
    first, second, third = (ord(letter) - 0x60 for letter in code)
    return first << 10 | second << 5 | third


def atoms(file: BinaryIO, *path: bytes) -> Iterator[int]:
    """Where the content of each atom begins that lies in atoms of the kinds in `path`, in order.

    Raises:
        OSError: the file cannot be read.
    """
    return _atoms(file, 0, file.seek(0, 2), path)


def _atoms(file: BinaryIO, begin: int, end: int, path: Sequence[bytes]) -> Iterator[int]:
    at = begin
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        content = at + 8
        if size == 1:
            size, content = int.from_bytes(file.read(8), "big"), at + 16
        if size == 0:
            size = end - at
        if size < content - at:
            return
        if kind == path[0]:
            if len(path) == 1:
                yield content
            else:
                yield from _atoms(file, content, min(end, at + size), path[1:])
        at += size
