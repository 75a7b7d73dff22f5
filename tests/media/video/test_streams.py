"""Which of several video tracks is meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition
from fresco_media.clip import Clip
from fresco_media.colour.picture import ALPHA_UNREAD
from fresco_media.errors import NoVideoStream
from fresco_media.video.streams import choose_video

from tests.media.odd_files import number_in, numbered

SMALL, LARGE = (64, 48), (128, 96)


def write(path: Path, tracks: Sequence[tuple[tuple[int, int], int, Disposition | None]]) -> Path:
    """A file with tracks of a size, a first number and a flag each."""
    with av.open(str(path), "w") as output:
        streams: list[Any] = []
        for size, _, flag in tracks:
            stream: Any = output.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.disposition = flag.value if flag is not None else 0
            streams.append(stream)
        for place in range(6):
            for stream, (size, first, _) in zip(streams, tracks, strict=True):
                picture = numbered(first + place, size)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                output.mux(stream.encode(frame.reformat(format="yuv420p")))
        for stream in streams:
            output.mux(stream.encode(None))
    return path


DEFAULT = Disposition.default


@pytest.mark.parametrize(
    ("name", "tracks", "first", "sentence"),
    [
        (
            "default.mkv",
            [(LARGE, 0, None), (SMALL, 50, DEFAULT)],
            50,
            "the file holds 2 video tracks; the default one, 64x48, is used",
        ),
        (
            "largest.ts",
            [(SMALL, 0, None), (LARGE, 50, None), (SMALL, 90, None)],
            50,
            "the file holds 3 video tracks; the largest one, 128x96, is used",
        ),
        (
            "equal.ts",
            [(SMALL, 20, None), (SMALL, 50, None)],
            20,
            "the file holds 2 video tracks; the first one, 64x48, is used",
        ),
        (
            "flagged-twice.mkv",
            [(SMALL, 0, DEFAULT), (LARGE, 50, DEFAULT)],
            50,
            "the file holds 2 video tracks; the largest one, 128x96, is used",
        ),
    ],
    ids=["default", "largest", "equal", "both-default"],
)
def test_the_track_that_a_player_shows_is_used_and_the_others_are_told(
    tmp_path: Path,
    name: str,
    tracks: Sequence[tuple[tuple[int, int], int, Disposition | None]],
    first: int,
    sentence: str,
) -> None:
    clip = Clip.open(write(tmp_path / name, tracks))

    numbers = [number_in(frame.image) for frame in clip.frames()]

    assert numbers == list(range(first, first + 6))
    assert sentence in clip.warnings


def test_one_track_needs_no_words(tmp_path: Path) -> None:
    assert Clip.open(write(tmp_path / "one.mkv", [(SMALL, 0, DEFAULT)])).warnings == ()


@pytest.mark.parametrize(
    "flag",
    [
        Disposition.attached_pic,
        Disposition.dependent,
        Disposition.timed_thumbnails,
    ],
    ids=lambda flag: flag.name,
)
def test_auxiliary_tracks_are_no_clip(flag: Disposition) -> None:
    container: Any = _Container([_Stream(0, flag, LARGE), _Stream(1, DEFAULT, SMALL)])
    alone: Any = _Container([_Stream(0, flag, LARGE)])

    chosen, warnings = choose_video(container, Path("clip.mp4"))

    assert chosen.index == 1
    assert warnings == ()
    with pytest.raises(NoVideoStream, match="choose a video"):
        choose_video(alone, Path("clip.mp4"))


def test_a_photograph_beside_a_film_is_passed_over_and_one_alone_is_a_clip() -> None:
    still = _Stream(0, Disposition.still_image, LARGE)
    both: Any = _Container([still, _Stream(1, DEFAULT, SMALL)])
    alone: Any = _Container([still])

    assert choose_video(both, Path("clip.mp4"))[0].index == 1
    assert choose_video(alone, Path("photo.avif"))[0].index == 0


def test_a_track_of_an_unknown_kind_is_passed_over() -> None:
    unknown = _Stream(0, DEFAULT, LARGE)
    unknown.codec_context = None
    container: Any = _Container([unknown, _Stream(1, Disposition(0), SMALL)])

    chosen, warnings = choose_video(container, Path("clip.mov"))

    assert chosen.index == 1
    assert warnings == ("the file holds 2 video tracks; the largest one, 64x48, is used",)


class _Codec:
    name = "h264"

    def __init__(self, size: tuple[int, int]) -> None:
        self.width, self.height = size


class _Stream:
    """A stream with a flag that only some muxers can write."""

    def __init__(self, index: int, disposition: Disposition, size: tuple[int, int]) -> None:
        self.index, self.disposition = index, disposition
        self.frames, self.duration = 0, None
        self.codec_context: _Codec | None = _Codec(size)


class _Container:
    def __init__(self, video: Sequence[_Stream]) -> None:
        self.streams = _Streams(video)


class _Streams:
    def __init__(self, video: Sequence[_Stream]) -> None:
        self.video, self.audio = video, ()


@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize("container", ["mov", "mkv"])
def test_the_alpha_layer_of_hevc_which_is_not_read_is_told(
    tmp_path: Path, container: str, with_alpha: bool
) -> None:
    path = tmp_path / f"clip.{container}"
    write_hevc(tmp_path / "opaque.mov")
    with av.open(str(tmp_path / "opaque.mov")) as source, av.open(str(path), "w") as target:
        (video,) = source.streams.video
        written = target.add_stream_from_template(video)
        if with_alpha:
            written.codec_context.extradata = with_alpha_told(video.codec_context.extradata or b"")
        for packet in source.demux(video):
            if packet.dts is not None:
                packet.stream = written
                target.mux(packet)

    clip = Clip.open(path)

    assert len(list(clip.frames())) == 3
    assert clip.warnings == ((ALPHA_UNREAD,) if with_alpha else ())


def write_hevc(path: Path) -> None:
    with av.open(str(path), "w") as container:
        options = {"x265-params": "log-level=none:bframes=0"}
        stream = container.add_stream("libx265", rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="rgb24")
            container.mux(stream.encode(frame.reformat(96, 64)))
        container.mux(stream.encode(None))


def with_alpha_told(settings: bytes) -> bytes:
    """An `hvcC` record with one array more: the SEI unit that x265 and Apple's encoders write."""
    unit = bytes.fromhex("4e01a50400007f9080")
    array = bytes([39, 0, 1, 0, len(unit)]) + unit
    return settings[:22] + bytes([settings[22] + 1]) + settings[23:] + array


@pytest.mark.parametrize("pixel_format", ["bayer_rggb8", "bayer_bggr8", "bayer_grbg16le"])
def test_a_codec_whose_tag_is_no_letters_is_read(tmp_path: Path, pixel_format: str) -> None:
    path = tmp_path / "sensor.nut"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("rawvideo", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        for index in range(3):
            frame = av.VideoFrame(64, 48, pixel_format)
            plane = frame.planes[0]
            plane.update(bytes([100]) * plane.buffer_size)
            frame.pts = index
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    clip = Clip.open(path)

    assert clip.info.frame_count == 3
    assert all(abs(frame.image.astype(int) - 100).max() <= 2 for frame in clip.frames())
