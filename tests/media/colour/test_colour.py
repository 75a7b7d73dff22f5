from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.colour.picture import to_rgb
from fresco_media.colour.tags import (
    encoded_tags,
    matrix_in_use,
    tags_of,
    to_yuv,
    unreadable_colours,
)
from fresco_media.types import ColourTags, Image
from numpy.typing import NDArray

WEIGHTS = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}


def reference_rgb(
    planes: list[NDArray[np.float64]], matrix: int, is_full: bool, bits: int
) -> NDArray[np.float64]:
    """RGB of full-size Y, Cb and Cr planes by the formulas of ITU-T H.273."""
    unit, top = 2 ** (bits - 8), 2**bits - 1
    y, cb, cr = planes
    luma = y / top if is_full else (y - 16 * unit) / (219 * unit)
    span = top if is_full else 224 * unit
    blue_shift, red_shift = (cb - 128 * unit) / span, (cr - 128 * unit) / span
    red_weight, blue_weight = WEIGHTS[matrix]
    red = luma + 2 * (1 - red_weight) * red_shift
    blue = luma + 2 * (1 - blue_weight) * blue_shift
    green = (luma - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    return np.stack([red, green, blue], axis=-1) * 255


def yuv_frame(pixel_format: str, bits: int) -> tuple[av.VideoFrame, list[NDArray[np.float64]]]:
    """A frame of smooth planes, and the planes at full size."""
    frame = av.VideoFrame(64, 48, pixel_format)
    across, down = np.meshgrid(np.linspace(0, 1, 64), np.linspace(0, 1, 48))
    smooth = [90 + 60 * across + 20 * down, 128 + 24 * (down - 0.5), 128 - 24 * (across - 0.5)]
    full = []
    for plane, values in zip(frame.planes, smooth, strict=True):
        rows, columns = 48 // plane.height, 64 // plane.width
        coarse = values.reshape(plane.height, rows, plane.width, columns).mean((1, 3))
        samples = np.rint(coarse * 2 ** (bits - 8)).astype(np.uint8 if bits == 8 else np.uint16)
        padded = np.zeros((plane.height, plane.line_size // samples.itemsize), samples.dtype)
        padded[:, : plane.width] = samples
        plane.update(padded.tobytes())
        full.append(values * 2 ** (bits - 8))
    return frame, full


@pytest.mark.parametrize("is_full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", sorted(WEIGHTS), ids=["bt709", "bt601", "bt2020"])
@pytest.mark.parametrize(
    ("pixel_format", "bits"),
    [("yuv420p", 8), ("yuv444p", 8), ("yuv420p10le", 10), ("yuv422p10le", 10)],
)
def test_decoding_follows_matrix_and_range_without_a_shift(
    pixel_format: str, bits: int, matrix: int, is_full: bool
) -> None:
    frame, planes = yuv_frame(pixel_format, bits)
    colour = ColourTags(matrix=matrix, is_full_range=is_full)

    rgb = to_rgb(frame, (64, 48), colour, (64, 48))

    difference = rgb - reference_rgb(planes, matrix, is_full, bits)
    inside = difference[2:-2, 2:-2]
    assert np.abs(inside).max() < 3
    assert np.abs(inside.mean(axis=(0, 1))).max() < 0.6


def through_h264(frame: av.VideoFrame, colour: ColourTags) -> av.VideoFrame:
    """`frame` after lossless H.264, which also tells the decoder where chroma lies."""
    encoded = BytesIO()
    with av.open(encoded, "w", format="matroska") as output:
        stream = output.add_stream("libx264", rate=24, options={"qp": "0"})
        context = stream.codec_context
        context.width, context.height = frame.width, frame.height
        context.pix_fmt = frame.format.name
        context.colorspace, context.color_range = colour.matrix, 1 + colour.is_full_range
        frame.colorspace, frame.color_range = colour.matrix, 1 + colour.is_full_range
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    encoded.seek(0)
    with av.open(encoded, "r") as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize("is_full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", sorted(WEIGHTS), ids=["bt709", "bt601", "bt2020"])
@pytest.mark.parametrize("is_subsampled", [False, True], ids=["444", "420"])
def test_a_picture_survives_many_passes_unchanged(
    reference_picture: Callable[..., Image], is_subsampled: bool, matrix: int, is_full: bool
) -> None:
    first = reference_picture(0, (64, 48))
    colour = ColourTags(matrix=matrix, is_full_range=is_full)
    image = first

    for _ in range(8):
        frame = to_yuv(image, colour, is_subsampled=is_subsampled)
        image = to_rgb(through_h264(frame, colour), (64, 48), colour, (64, 48))

    difference = image.astype(int) - first
    assert np.abs(difference).max() <= 3
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.2


@pytest.mark.parametrize(
    ("matrix", "height", "expected"),
    [(1, 480, 1), (6, 1080, 6), (2, 480, 6), (2, 720, 1), (0, 480, 1), (8, 480, 6)],
    ids=["stated-709", "stated-601", "unstated-sd", "unstated-hd", "rgb", "unsupported"],
)
def test_the_matrix_is_the_stated_one_or_the_players_guess(
    matrix: int, height: int, expected: int
) -> None:
    assert matrix_in_use(ColourTags(matrix=matrix), height) == expected


def test_an_unstated_matrix_stays_unstated_if_players_guess_the_same() -> None:
    tags = encoded_tags(ColourTags(), 480, 480)

    assert tags == ColourTags()


def test_an_unstated_matrix_is_stated_when_turning_changes_the_guess() -> None:
    tags = encoded_tags(ColourTags(), 540, 960)

    assert tags.matrix == 6


def test_rgb_sources_are_written_as_tagged_limited_range() -> None:
    srgb = ColourTags(primaries=1, transfer=13, matrix=0, is_full_range=True)

    tags = encoded_tags(srgb, 480, 480)

    assert tags == ColourTags(primaries=1, transfer=13, matrix=1, is_full_range=False)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ((1, 1, 1, 1), ColourTags(primaries=1, transfer=1, matrix=1)),
        ((9, 14, 9, 1), ColourTags(primaries=1, transfer=1, matrix=1)),
        ((5, 6, 5, 2), ColourTags(primaries=5, transfer=6, matrix=5, is_full_range=True)),
        ((2, 2, 2, 0), ColourTags()),
    ],
    ids=["bt709", "bt2020", "full-range", "unstated"],
)
def test_tags_are_those_of_the_pictures_that_are_handed_out(
    make_clip: Callable[..., Path], tags: tuple[int, int, int, int], expected: ColourTags
) -> None:
    path = make_clip("tagged.mp4", frame_count=2, tags=tags)

    assert Clip.open(path).info.colour == expected


@pytest.mark.parametrize("is_by_ffmpeg", [True, False], ids=["by FFmpeg", "by others"])
def test_only_dpx_of_others_in_a_film_is_the_linear_light_that_it_says(
    tmp_path: Path, is_by_ffmpeg: bool
) -> None:
    shade = np.full((24, 32, 3), 100, np.uint8)
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("dpx", rate=24)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "gbrp10le"
        frame = av.VideoFrame.from_ndarray(shade, format="rgb24").reformat(format="gbrp10le")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    data = bytearray(path.read_bytes())
    header = max(data.find(b"SDPX"), data.find(b"XPDS"))
    data[header + 801] = 2
    data[header + 160 : header + 164] = b"Lavc" if is_by_ffmpeg else b"Nuke"
    path.write_bytes(data)

    clip = Clip.open(path)
    (made,) = clip.frames()

    wanted = 100 if is_by_ffmpeg else 167
    assert abs(int(made.image[12, 16, 0]) - wanted) <= 2
    assert any("linear light" in one for one in clip.warnings) is not is_by_ffmpeg


BARE = {
    "libx264": "h264_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2",
    "libx265": "hevc_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2",
    "prores_ks": "prores_metadata=color_primaries=unknown:color_trc=unknown:colorspace=unknown",
}
"""How encoders' streams lose what they say of their colours."""


@pytest.mark.parametrize(
    "tags", [(1, 1, 1, 1), (6, 6, 6, 1), (12, 13, 1, 1), (9, 16, 9, 1)], ids=str
)
@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix"),
    [
        ("prores_ks", "yuv422p10le", ".mov"),
        ("prores_ks", "yuv422p10le", ".mkv"),
        ("libx264", "yuv420p", ".mov"),
        ("libx264", "yuv420p", ".mkv"),
        ("libx265", "yuv420p", ".mp4"),
        ("libx265", "yuv420p", ".mkv"),
    ],
)
def test_colours_that_only_the_container_states_count(
    make_clip: Callable[..., Path],
    tmp_path: Path,
    codec: str,
    pixel_format: str,
    suffix: str,
    tags: tuple[int, int, int, int],
) -> None:
    both = make_clip(
        name=f"both{suffix}", codec=codec, pixel_format=pixel_format, tags=tags, frame_count=3
    )
    bare = tmp_path / f"bare{suffix}"
    with av.open(str(both)) as source, av.open(str(bare), "w") as output:
        video = source.streams.video[0]
        copied = output.add_stream_from_template(video)
        remove = av.BitStreamFilterContext(BARE[codec], video, copied)
        for packet in source.demux(video):
            for changed in remove.filter(packet if packet.size else None):
                changed.stream = copied
                output.mux(changed)
    with av.open(str(bare)) as changed_file:
        frame = next(changed_file.decode(video=0))
    assert {int(frame.color_primaries), int(frame.colorspace)} <= {0, 2}

    wanted, found = Clip.open(both), Clip.open(bare)

    assert found.info.colour == wanted.info.colour
    assert found.warnings == wanted.warnings
    for one, other in zip(wanted.frames(), found.frames(), strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_what_the_stream_states_counts_more_than_what_its_container_does() -> None:
    frame = av.VideoFrame(32, 32, "yuv420p")
    frame.color_primaries, frame.color_trc, frame.colorspace = 2, 1, 1

    assert tags_of(frame, ColourTags(primaries=9, transfer=16, matrix=9)) == ColourTags(
        primaries=9, transfer=1, matrix=1
    )


def test_a_matrix_that_cannot_be_read_is_refused_though_only_the_container_states_it() -> None:
    frame = av.VideoFrame(32, 32, "yuv420p")
    frame.colorspace = 2

    assert "ICtCp" in (
        unreadable_colours(frame, container=ColourTags(primaries=9, transfer=16, matrix=14)) or ""
    )
    assert (
        unreadable_colours(frame, container=ColourTags(primaries=9, transfer=16, matrix=9)) is None
    )
