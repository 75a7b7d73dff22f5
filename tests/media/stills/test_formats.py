"""What is asked of a picture before it is decoded."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from fresco_media.errors import ClipUnreadable
from fresco_media.stills import formats
from fresco_media.stills.headers import read_header
from fresco_media.stills.reading import read_still
from PIL import Image as Pillow


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    check = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + check


def icons(*pictures: bytes) -> bytes:
    """An ICO whose list says of each picture that it is of 16 pixels by 16."""
    start = 6 + 16 * len(pictures)
    head = struct.pack("<3H", 0, 1, len(pictures))
    for picture in pictures:
        head += struct.pack("<4B2H2I", 16, 16, 0, 0, 1, 32, len(picture), start)
        start += len(picture)
    return head + b"".join(pictures)


def empty_png(width: int, height: int) -> bytes:
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND")


def bitmap(width: int, height: int) -> bytes:
    return struct.pack("<I2i2H6I", 40, width, 2 * height, 1, 1, 0, 0, 0, 0, 0, 0)


SMALL = empty_png(16, 16)


@pytest.mark.parametrize(
    "pictures",
    [
        (empty_png(40_000, 40_000),),
        (SMALL, empty_png(20_000, 20_000)),
        (bitmap(60_000, 60_000),),
        (bitmap(60_000, -60_000), SMALL),
    ],
    ids=["png", "png behind another", "bitmap", "bitmap from above"],
)
@pytest.mark.parametrize("name", ["a.ico", "a.png"])
def test_icons_that_are_huge_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: tuple[bytes, ...], name: str
) -> None:
    def must_not_open(*_: object, **__: object) -> None:
        raise AssertionError("it was opened")

    (tmp_path / name).write_bytes(icons(*pictures))
    monkeypatch.setattr(formats.Pillow, "open", must_not_open)

    for read in (read_header, read_still):
        with pytest.raises(ClipUnreadable, match="million pixels that are read"):
            read(tmp_path / name)


def test_icons_are_read_as_ever(tmp_path: Path) -> None:
    picture = np.full((64, 64, 3), (200, 120, 40), np.uint8)
    Pillow.fromarray(picture).save(tmp_path / "a.ico", sizes=[(16, 16), (64, 64)])

    assert read_header(tmp_path / "a.ico").size == (64, 64)
    np.testing.assert_array_equal(read_still(tmp_path / "a.ico").image, picture)


@pytest.mark.parametrize("data", [icons()[:6], icons(SMALL)[:20], icons(SMALL)[:30]])
def test_icons_cut_short_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.ico").write_bytes(data)

    with pytest.raises(ClipUnreadable):
        read_still(tmp_path / "a.ico")
