"""What a result does not take over of its clip is said before the work."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import av.container
import numpy as np
import pytest
from av.stream import Disposition
from fresco_media.clip import Clip
from fresco_media.writing.container_facts import timecode_in
from fresco_media.writing.encode import Encoder, Target

_MS = Fraction(1, 1000)
_EDITOR = "to the result in your editor"


def write_film(path: Path, *extras: str) -> Path:
    """Three frames with a timecode, subtitles, an attached file or chapters beside them."""
    with av.open(str(path), "w") as output:
        codec = "mpeg2video" if path.suffix == ".mxf" else "libx264"
        stream = output.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        _add(output, extras)
        texts = _subtitles(path.with_suffix(".srt")) if "subtitles" in extras else None
        subtitles = output.add_stream_from_template(texts.streams[0]) if texts else None
        cover = _cover(output) if "cover" in extras else None
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 + index, np.uint8))
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if cover is not None:
            shade = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8))
            output.mux(cover.encode(shade))
        for packet in texts.demux() if texts else ():
            if packet.size and subtitles is not None:
                packet.stream = subtitles
                output.mux(packet)
    return path


def _subtitles(path: Path) -> av.container.InputContainer:
    path.write_text("1\n00:00:00,000 --> 00:00:00,100\nhello\n", encoding="utf-8")
    return av.open(str(path))


def _cover(output: av.container.OutputContainer) -> av.VideoStream:
    cover = output.add_stream("png", rate=25)
    assert isinstance(cover, av.VideoStream)
    cover.width, cover.height, cover.pix_fmt = 32, 32, "rgb24"
    cover.disposition = Disposition.attached_pic
    return cover


def _add(output: av.container.OutputContainer, extras: tuple[str, ...]) -> None:
    if "timecode" in extras:
        output.metadata["timecode"] = "01:00:00:00"
    if "zero" in extras:
        output.metadata["timecode"] = "00:00:00:00"
    if "file" in extras:
        output.add_attachment("font.ttf", "font/ttf", b"font")
    if "chapters" in extras:
        output.set_chapters(
            [{"id": 1, "start": 0, "end": 100, "time_base": _MS, "metadata": {"title": "one"}}]
        )


@pytest.mark.parametrize(
    ("name", "extras", "said"),
    [
        ("a.mov", ("timecode",), f"the clip's timecode is not taken over; add it {_EDITOR}"),
        ("a.mxf", ("timecode",), f"the clip's timecode is not taken over; add it {_EDITOR}"),
        ("a.mp4", ("cover",), f"the clip's cover picture is not taken over; add it {_EDITOR}"),
        ("a.mkv", ("file",), f"the clip's attached files are not taken over; add them {_EDITOR}"),
        ("a.mkv", ("subtitles",), f"the clip's subtitles are not taken over; add them {_EDITOR}"),
        (
            *("a.mkv", ("subtitles", "file")),
            f"the clip's subtitles and attached files are not taken over; add them {_EDITOR}",
        ),
    ],
)
def test_what_is_left_out_is_said_before_the_work(
    tmp_path: Path, name: str, extras: tuple[str, ...], said: str
) -> None:
    source = write_film(tmp_path / name, *extras)

    encoder = Encoder(Clip.open(source).info, Target(tmp_path / "b.mp4", "mp4", "h264"), 0, 3)
    encoder.close()

    assert encoder.warnings == (said,)


@pytest.mark.parametrize(
    ("name", "start", "kept"),
    [("a.mov", 0, "01:00:00:00"), ("a.mov", 2, "01:00:00:02"), ("a.mxf", 1, "01:00:00:01")],
)
def test_a_mov_keeps_the_timecode_of_its_frames(
    tmp_path: Path, name: str, start: int, kept: str
) -> None:
    clip = Clip.open(write_film(tmp_path / name, "timecode"))

    encoder = Encoder(clip.info, Target(tmp_path / "b.mov", "mov", "h264"), start, 3)
    for frame in clip.frames(start, 3):
        encoder.write(frame)
    encoder.finish()

    assert encoder.warnings == ()
    with av.open(str(tmp_path / "b.mov")) as container:
        assert timecode_in(container) == kept


def half_counted(path: Path, rate: int, timecode: str, counted: int) -> Path:
    """A film whose timecode counts so many of its frames a second, as cameras of 50p and 60p do."""
    with av.open(str(path), "w") as output:
        codec = "mpeg2video" if path.suffix == ".mxf" else "libx264"
        stream = output.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        output.metadata["timecode"] = timecode
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 + index, np.uint8))
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    if path.suffix == ".mxf":
        # The tag of the rounded base and its length; FFmpeg writes it into every component.
        wanted, place = struct.pack(">3H", 0x1502, 2, rate), data.find(b"\x15\x02\x00\x02")
        while place >= 0:
            assert data[place : place + 6] == wanted
            data[place + 4 : place + 6] = counted.to_bytes(2, "big")
            place = data.find(b"\x15\x02\x00\x02", place + 1)
    else:
        place = data.index(b"tmcd", data.rindex(b"stsd")) + 4 + 8 + 4
        assert data[place + 12] == rate
        data[place + 4 : place + 13] = struct.pack(">2IB", counted * 1000, 1000, counted)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "rate", "counted", "stored", "start", "kept"),
    [
        # The same number of frames is twice the time once half as many are counted.
        ("a.mov", 60, 30, "00:30:00:20", 0, "01:00:00:40"),
        ("a.mov", 60, 30, "00:30:00:20", 10, "01:00:00:50"),
        ("a.mp4", 50, 25, "00:30:00:24", 3, "01:00:01:01"),
        ("a.mov", 48, 24, "00:30:00:10", 0, "01:00:00:20"),
        ("a.mov", 60, 60, "01:00:00:20", 5, "01:00:00:25"),
        ("a.mxf", 50, 25, "01:00:00:20", 0, "02:00:00:40"),
    ],
)
def test_a_timecode_that_counts_every_second_frame_names_the_same_moment(
    tmp_path: Path, name: str, rate: int, counted: int, stored: str, start: int, kept: str
) -> None:
    clip = Clip.open(half_counted(tmp_path / name, rate, stored, counted))

    encoder = Encoder(clip.info, Target(tmp_path / "b.mov", "mov", "h264"), start, 40)
    for frame in clip.frames(start, 40):
        encoder.write(frame)
    encoder.finish()

    with av.open(str(tmp_path / "b.mov")) as container:
        assert timecode_in(container) == kept


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        *((name, extras) for name in ("a.mp4", "a.mkv", "a.mov") for extras in ((), ("chapters",))),
        ("a.mxf", ("zero",)),
    ],
)
def test_nothing_is_said_of_what_is_taken_over(
    tmp_path: Path, name: str, extras: tuple[str, ...]
) -> None:
    source = write_film(tmp_path / name, *extras)

    encoder = Encoder(Clip.open(source).info, Target(tmp_path / "b.mp4", "mp4", "h264"), 0, 3)
    encoder.close()

    assert encoder.warnings == ()


@pytest.mark.parametrize("result", ["b.mp4", "b.mov", "b.mkv"])
@pytest.mark.parametrize("source", ["a.mkv", "a.mov"])
@pytest.mark.parametrize("language", ["ukr", "eng"])
def test_title_and_language_of_the_pictures_are_taken_over(
    tmp_path: Path, source: str, result: str, language: str
) -> None:
    path = tmp_path / source
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata.update({"title": "Kamera A", "language": language})
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 + index, np.uint8))
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    clip = Clip.open(path)
    suffixes = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
    output_path = tmp_path / result
    target = Target(output_path, suffixes[output_path.suffix], "h264")
    encoder = Encoder(clip.info, target, 0, clip.info.frame_count)
    for one in clip.frames():
        encoder.write(one)
    encoder.finish()

    with av.open(str(output_path)) as file, av.open(str(path)) as given:
        found, before = (one.streams.video[0].metadata for one in (file, given))
    assert found.get("language", "und") == before.get("language", "und")
    titles = [one.get("title") or one.get("name") for one in (found, before)]
    assert titles == ["Kamera A", "Kamera A"]
