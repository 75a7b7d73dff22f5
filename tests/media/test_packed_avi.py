"""MPEG-4 in AVI as XviD and DivX write it: two pictures in a packet, and an empty one after it.

AVI stores no times for frames, and which picture is which FFmpeg only guesses from their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from fresco_media.clip import Clip
from fresco_media.video.probe import probe

from tests.media.odd_files import Film, mux, number_in

PICTURE = b"\0\0\1\xb6"
# A picture that is not coded: the one before it stays.
EMPTY = PICTURE + bytes([0b01_0_1_0000, 0b0_1_0_1_1111])
# By this FFmpeg knows that packets may hold two pictures.
PACKER = b"\0\0\1\xb2DivX503b1393p"
BIDIRECTIONAL = 2


def packed(folder: Path, film: Film, is_packed: Callable[[int], bool]) -> Path:
    """An AVI where the pairs of which `is_packed` says so share a packet."""
    with av.open(str(mux(folder / "plain.avi", film))) as file:
        pictures = [bytes(packet) for packet in file.demux(video=0) if packet.size]
        template = file.streams.video[0]
        with av.open(str(folder / "packed.avi"), "w") as output:
            stream = output.add_stream_from_template(template)
            stream.time_base = 1 / film.rate
            for place, content in enumerate(_packets(pictures, is_packed)):
                packet = av.Packet(content)
                packet.stream = stream
                packet.time_base, packet.duration = 1 / film.rate, 1
                packet.pts = packet.dts = place
                packet.is_keyframe = place == 0
                output.mux(packet)
    return folder / "packed.avi"


def _packets(pictures: list[bytes], is_packed: Callable[[int], bool]) -> Iterator[bytes]:
    pictures = [pictures[0].replace(PICTURE, PACKER + PICTURE, 1), *pictures[1:]]
    place = pairs = 0
    while place < len(pictures):
        one, *others = pictures[place : place + 2]
        if others and _kind(one) != BIDIRECTIONAL == _kind(others[0]):
            yield from (one + others[0], EMPTY) if is_packed(pairs) else (one, others[0])
            pairs += 1
            place += 2
        else:
            yield one
            place += 1


def _kind(picture: bytes) -> int:
    return picture[picture.index(PICTURE) + len(PICTURE)] >> 6


@pytest.mark.parametrize("b_frames", [1, 2])
@pytest.mark.parametrize(
    "is_packed",
    [
        lambda pair: True,
        lambda pair: pair % 2 == 0,
        lambda pair: pair > 4,
        lambda pair: pair < 3,
    ],
    ids=["all", "every-other", "late", "early"],
)
def test_pictures_that_share_a_packet_are_frames_in_order(
    tmp_path: Path, is_packed: Callable[[int], bool], b_frames: int
) -> None:
    path = packed(tmp_path, Film(codec="mpeg4", b_frames=b_frames), is_packed)

    clip = Clip.open(path)
    probed = probe(path)
    assert probed is not None
    cursor = probed.open_cursor()
    apart = [cursor.at((index * 11 + 5) % 30)[0] for index in range(30)]
    cursor.close()

    assert [number_in(frame.image) for frame in clip.frames()] == list(range(30))
    assert apart == [(index * 11 + 5) % 30 for index in range(30)]
    assert clip.info.frame_rate == Fraction(25)
    assert not clip.info.is_variable_rate
    assert clip.warnings == ()
