"""Files that say that only a part of their pictures is to be seen."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresco_media.clip import Clip

from tests.media.makers import with_entry_atom
from tests.media.odd_files import Film, Muxing, mux

TOLD = (
    "the file says that only 44x32 of its 64x48 pixels are to be seen, which players keep to; here "
    "all of them are worked on and seen in the result, so crop the edges away first if they are "
    "not wanted"
)
# Matroska: 4 rows below, 12 above, 5 columns to the left and 15 to the right.
CROPPED = bytes.fromhex("54aa8104 54bb810c 54cc8105 54dd810f")
EBML, SEGMENT, SEEK_HEAD, CUES = (
    bytes.fromhex(one) for one in ("1a45dfa3", "18538067", "114d9b74", "1c53bb6b")
)
SEEK, SEEK_ID, SEEK_POSITION = (bytes.fromhex(one) for one in ("4dbb", "53ab", "53ac"))
TRACKS, TRACK, VIDEO = (bytes.fromhex(one) for one in ("1654ae6b", "ae", "e0"))


def elements(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The elements of EBML in `data`, which knows the sizes of all: names and contents."""
    at = 0
    while at < len(data):
        named = at + 9 - data[at].bit_length()
        begin = named + 9 - data[named].bit_length()
        bits = 7 * (begin - named)
        size = int.from_bytes(data[named:begin], "big") & ((1 << bits) - 1)
        yield data[at:named], data[begin : begin + size]
        at = begin + size


def element(name: bytes, content: bytes) -> bytes:
    """One, its size in eight bytes."""
    return name + (1 << 56 | len(content)).to_bytes(8, "big") + content


def cropped(name: bytes, content: bytes) -> bytes:
    """An element, in which every video is cropped."""
    if name in {TRACKS, TRACK}:
        content = b"".join(cropped(*one) for one in elements(content))
    return element(name, content + CROPPED if name == VIDEO else content)


def cropped_matroska(path: Path, *, is_at_end: bool) -> Path:
    """With the tracks where they were, or behind everything else, as `mkvpropedit` puts them."""
    mux(path, Film(), Muxing(sound_s=(0.0, 1.0)))
    (header, segment) = (content for _, content in elements(path.read_bytes()))
    parts = [one for one in elements(segment) if one[0] not in {SEEK_HEAD, CUES}]
    tracks = b"".join(cropped(*one) for one in parts if one[0] == TRACKS)
    if not is_at_end:
        body = b"".join(tracks if name == TRACKS else element(name, one) for name, one in parts)
    else:
        others = b"".join(element(*one) for one in parts if one[0] != TRACKS)
        place = len(others) + len(_listing(0))
        body = _listing(place) + others + tracks
    path.write_bytes(element(EBML, header) + element(SEGMENT, body))
    return path


def _listing(place: int) -> bytes:
    entry = element(SEEK_ID, TRACKS) + element(SEEK_POSITION, place.to_bytes(8, "big"))
    return element(SEEK_HEAD, element(SEEK, entry))


def with_aperture(path: Path, width: int, height: int) -> Path:
    """An MOV whose picture has this clean aperture."""
    mux(path, Film(), Muxing(sound_s=(0.0, 1.0)))
    aperture = struct.pack(">I4s8I", 40, b"clap", 2 * width, 2, height, 1, 0, 1, 0, 1)
    with_entry_atom(path, b"avc1", aperture)
    return path


@pytest.mark.parametrize("is_at_end", [False, True], ids=["in-place", "behind-the-packets"])
def test_the_part_that_a_matroska_file_shows_is_told(tmp_path: Path, is_at_end: bool) -> None:
    clip = Clip.open(cropped_matroska(tmp_path / "a.mkv", is_at_end=is_at_end))

    assert clip.warnings == (TOLD,)
    assert (clip.info.width, clip.info.height, len(list(clip.frames()))) == (64, 48, 30)


@pytest.mark.parametrize("name", ["a.mov", "a.mp4"])
def test_the_clean_aperture_of_a_movie_is_told(tmp_path: Path, name: str) -> None:
    assert Clip.open(with_aperture(tmp_path / name, 44, 32)).warnings == (TOLD,)


@pytest.mark.parametrize("size", [(64, 48), (80, 60), (0, 0)])
def test_an_aperture_that_hides_nothing_is_not_told(tmp_path: Path, size: tuple[int, int]) -> None:
    assert Clip.open(with_aperture(tmp_path / "a.mov", *size)).warnings == ()


@pytest.mark.parametrize("name", ["a.mkv", "a.mov", "a.mp4", "a.avi", "a.ts"])
def test_a_file_that_says_nothing_of_it_is_shown_whole(tmp_path: Path, name: str) -> None:
    path = mux(tmp_path / name, Film(b_frames=0), Muxing(sound_s=(0.0, 1.0)))

    assert not [text for text in Clip.open(path).warnings if "to be seen" in text]
