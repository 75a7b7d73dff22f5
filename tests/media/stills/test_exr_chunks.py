"""OpenEXR files that were cut off, and windows that do not begin at the corner."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.errors import ClipUnreadable
from fresco_media.stills.headers import read_header
from fresco_media.stills.reading import read_still
from numpy.typing import NDArray

from tests.media import makers

_KINDS = {"uint32": 0, "float16": 1, "float32": 2}
LIGHT = (0.5, 0.25, 0.1)
LEVELS = [188, 137, 89]
SIZE = (32, 24)


@dataclass(frozen=True)
class Layout:
    """How an uncompressed file is laid out: windows (first and last column and row), tiles, parts;
    `is_counted` says whether its writer lived to fill in where the blocks are.
    """

    data: tuple[int, int, int, int] = (0, 0, 31, 23)
    display: tuple[int, int, int, int] = (0, 0, 31, 23)
    tile: int = 0
    parts: int = 1
    is_counted: bool = True


def planes(kind: str = "float32", size: tuple[int, int] = SIZE) -> dict[str, NDArray[Any]]:
    """One colour in every pixel."""
    return {
        name: np.full(size[::-1], value, kind)
        for name, value in zip(("R", "G", "B"), LIGHT, strict=True)
    }


def written(channels: dict[str, NDArray[Any]], layout: Layout | None = None) -> bytes:
    """An OpenEXR file, byte by byte."""
    layout = layout or Layout()
    flags = (0x200 if layout.tile and layout.parts == 1 else 0) | 0x1000 * (layout.parts > 1)
    head = struct.pack("<II", 20000630, 2 | flags)
    for part in range(layout.parts):
        head += _header(channels, layout, part) + b"\0"
    head += b"\0" if layout.parts > 1 else b""
    blocks = [block for part in range(layout.parts) for block in _blocks(channels, layout, part)]
    places, at = b"", len(head) + 8 * len(blocks)
    for block in blocks:
        places += struct.pack("<Q", at if layout.is_counted else 0)
        at += len(block)
    return head + places + b"".join(blocks)


def _header(channels: dict[str, NDArray[Any]], layout: Layout, part: int) -> bytes:
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iI2i", _KINDS[str(plane.dtype)], 0, 1, 1)
        for name, plane in sorted(channels.items())
    )
    attributes = [
        ("channels", "chlist", listed + b"\0"),
        ("compression", "compression", b"\0"),
        ("dataWindow", "box2i", struct.pack("<4i", *layout.data)),
        ("displayWindow", "box2i", struct.pack("<4i", *layout.display)),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", b"\0" * 8),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    ]
    if layout.tile:
        attributes.append(("tiles", "tiledesc", struct.pack("<2IB", layout.tile, layout.tile, 0)))
    if layout.parts > 1:
        kind = b"tiledimage" if layout.tile else b"scanlineimage"
        attributes += [("name", "string", b"%d" % part), ("type", "string", kind)]
    return b"".join(
        f"{name}\0{kind}\0".encode() + struct.pack("<I", len(body)) + body
        for name, kind, body in attributes
    )


def _blocks(channels: dict[str, NDArray[Any]], layout: Layout, part: int) -> list[bytes]:
    height, width = next(iter(channels.values())).shape
    before = struct.pack("<I", part) if layout.parts > 1 else b""

    def pixels(rows: range, left: int, right: int) -> bytes:
        return b"".join(
            plane[row, left:right].tobytes()
            for row in rows
            for _, plane in sorted(channels.items())
        )

    if not layout.tile:
        return [
            before + struct.pack("<iI", layout.data[1] + row, len(body)) + body
            for row in range(height)
            for body in [pixels(range(row, row + 1), 0, width)]
        ]
    blocks: list[bytes] = []
    for top in range(0, height, layout.tile):
        for left in range(0, width, layout.tile):
            rows = range(top, min(height, top + layout.tile))
            body = pixels(rows, left, min(width, left + layout.tile))
            where = (left // layout.tile, top // layout.tile, 0, 0, len(body))
            blocks.append(before + struct.pack("<5I", *where) + body)
    return blocks


def _light(compression: str) -> bytes:
    noise = np.random.default_rng(1).random((48, 64, 3)).astype(np.float32)
    return makers.exr(noise, compression=compression)


FILES: dict[str, Callable[[], bytes]] = {
    "none": lambda: _light("none"),
    "zip1": lambda: _light("zip1"),
    "zip16": lambda: _light("zip16"),
    "rle": lambda: _light("rle"),
    "half": lambda: written(planes("float16")),
    "tiles": lambda: written(planes(), Layout(tile=16)),
    "parts": lambda: written(planes(), Layout(parts=2)),
    "of a writer that died": lambda: written(planes(), Layout(is_counted=False)),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0.2, 0.48])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, name: str, kept: float) -> None:
    whole = FILES[name]()
    (tmp_path / "a.exr").write_bytes(whole)
    (tmp_path / "b.exr").write_bytes(whole[: int(len(whole) * kept)])

    assert read_still(tmp_path / "a.exr").image.any()
    with pytest.raises(ClipUnreadable, match="damaged"):
        read_still(tmp_path / "b.exr")


@pytest.mark.parametrize("name", ["none", "zip16", "rle", "tiles", "half"])
def test_a_file_that_lacks_its_last_bytes_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.exr").write_bytes(FILES[name]()[:-2])

    with pytest.raises(ClipUnreadable, match="damaged"):
        read_still(tmp_path / "a.exr")


@pytest.mark.parametrize("name", ["none", "zip16", "tiles"])
def test_a_file_whose_end_was_never_filled_in_is_refused(tmp_path: Path, name: str) -> None:
    whole = FILES[name]()
    half = len(whole) // 2
    (tmp_path / "a.exr").write_bytes(whole[:half].ljust(len(whole), b"\0"))

    with pytest.raises(ClipUnreadable, match="damaged"):
        read_still(tmp_path / "a.exr")


@pytest.mark.parametrize("compression", ["zip1", "zip16"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_with_a_damaged_block_is_refused(
    tmp_path: Path, compression: str, share: float
) -> None:
    # Noise gets no smaller and is stored as it is, where damage cannot be told from pixels.
    steps = np.repeat(np.arange(1, 49, dtype=np.float32)[:, None, None], 64, axis=1)
    light = np.repeat(steps, 3, axis=2) / np.float32(48)
    data = bytearray(makers.exr(light.astype(np.float32), compression=compression))
    place = int(len(data) * share)
    data[place : place + 10] = b"\xff" * 10
    (tmp_path / "a.exr").write_bytes(data)

    with pytest.raises(ClipUnreadable, match="damaged"):
        read_still(tmp_path / "a.exr")


@pytest.mark.parametrize("compression", ["none", "zip1", "zip16", "rle"])
def test_what_is_black_in_a_whole_file_is_read(tmp_path: Path, compression: str) -> None:
    light = np.zeros((48, 64, 3), np.float32)
    light[20:24] = 0.5
    (tmp_path / "a.exr").write_bytes(makers.exr(light, compression=compression))

    image = read_still(tmp_path / "a.exr").image

    assert not image[:20].any()
    assert (image[20:24] == 188).all()


def test_a_sequence_in_which_a_file_was_cut_off_is_refused_at_that_file(tmp_path: Path) -> None:
    whole = FILES["zip1"]()
    (tmp_path / "f_0001.exr").write_bytes(whole)
    (tmp_path / "f_0002.exr").write_bytes(whole[: len(whole) * 6 // 10])

    with pytest.raises(ClipUnreadable, match="f_0002"):
        list(Clip.open(tmp_path).frames())


@pytest.mark.parametrize(
    ("layout", "seen"),
    [
        (Layout((100, 50, 131, 73), (100, 50, 131, 73)), (0, 0, 32, 24)),
        (Layout((100, 50, 131, 73), (100, 50, 131, 73), tile=16), (0, 0, 32, 24)),
        (Layout((100, 50, 131, 73), (100, 50, 131, 73), parts=2), (0, 0, 32, 24)),
        (Layout((100, 50, 131, 73), (100, 50, 131, 73), is_counted=False), (0, 0, 32, 24)),
        (Layout((-10, -20, 21, 3), (-10, -20, 21, 3)), (0, 0, 32, 24)),
        (Layout((5, 6, 36, 29), (0, 0, 39, 29)), (5, 6, 37, 30)),
        (Layout((-5, -6, 26, 17), (0, 0, 31, 23)), (0, 0, 27, 18)),
        (Layout((-5, -6, 26, 17), (0, 0, 31, 23), tile=16), (0, 0, 27, 18)),
        (Layout((15, 16, 46, 39), (10, 10, 29, 29)), (5, 6, 20, 20)),
        (Layout((0, 0, 31, 23), (40, 0, 71, 23)), (0, 0, 0, 0)),
    ],
)
@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_the_display_window_is_what_is_shown(
    tmp_path: Path, layout: Layout, seen: tuple[int, int, int, int], kind: str
) -> None:
    alpha = {"A": np.ones(SIZE[::-1], kind)}
    (tmp_path / "a.exr").write_bytes(written(planes(kind) | alpha, layout))

    still = read_still(tmp_path / "a.exr")

    left, top, right, bottom = layout.display
    width, height = right - left + 1, bottom - top + 1
    expected = np.zeros((height, width), bool)
    expected[seen[1] : seen[3], seen[0] : seen[2]] = True
    assert read_header(tmp_path / "a.exr").size == (width, height)
    assert still.image.shape == (height, width, 3)
    assert (still.image[expected] == LEVELS).all()
    assert not still.image[~expected].any()
    covered = np.full((height, width), 255, np.uint8) if still.alpha is None else still.alpha
    np.testing.assert_array_equal(covered > 0, expected)


def test_whole_numbers_are_refused_with_what_to_do(tmp_path: Path) -> None:
    channels = {name: np.ones(SIZE[::-1], np.uint32) for name in "RGB"}
    (tmp_path / "a.exr").write_bytes(written(channels))

    for read in (read_header, read_still):
        with pytest.raises(ClipUnreadable, match=r"whole numbers.*export it as half or float"):
            read(tmp_path / "a.exr")
