"""From decoded frames to what eyes and models see."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.colour.picture import OVER_BLACK, to_bgra, to_rgb
from fresco_media.colour.tags import tags_of, unreadable_colours
from fresco_media.errors import ClipUnreadable
from fresco_media.stills.sequence import SRGB
from fresco_media.types import ColourTags, Image
from numpy.typing import NDArray

MakeClip = Callable[..., Path]

TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def half_hidden(count: int) -> list[av.VideoFrame]:
    """Frames that are opaque blue at the right, and transparent with bright green at the left."""
    rgba = np.zeros((48, 64, 4), np.uint8)
    rgba[:, :32] = (90, 255, 90, 0)
    rgba[:, 32:] = (40, 0, 200, 255)
    return [av.VideoFrame.from_ndarray(rgba, format="rgba") for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "options"),
    [
        ("a.mov", "prores_ks", "yuva444p10le", {}),
        ("a.mov", "qtrle", "argb", {}),
        ("a.mov", "png", "rgba64be", {}),
        ("a.mkv", "ffv1", "bgra", {}),
        ("a.mkv", "ffv1", "yuva420p", {}),
        ("a.webm", "libvpx-vp9", "yuva420p", {"crf": "4", "b": "2M"}),
        ("a.webm", "libvpx", "yuva420p", {"auto-alt-ref": "0", "crf": "4", "b": "2M"}),
    ],
    ids=["prores4444", "qtrle", "png-16", "ffv1-rgb", "ffv1-yuv", "vp9", "vp8"],
)
def test_colours_under_transparency_are_never_seen(
    make_clip: MakeClip, name: str, codec: str, pixel_format: str, options: dict[str, str]
) -> None:
    pictures = [frame.reformat(format=pixel_format) for frame in half_hidden(8)]
    clip = Clip.open(
        make_clip(
            name,
            frame_count=8,
            codec=codec,
            pixel_format=pixel_format,
            options=options,
            pictures=pictures,
        )
    )

    whole = next(clip.frames_at([5])).image
    small = next(clip.frames_at([5], size=(9, 12))).image

    assert clip.info.has_alpha
    assert whole[:, :28].max() <= 2
    assert np.abs(whole[:, 36:].astype(int) - (40, 0, 200)).max() <= 8
    # The column in the middle is a mixture, in which no green may be.
    assert small[..., 1].max() <= 8
    assert clip.warnings == (OVER_BLACK,)


def test_a_seek_in_a_clip_with_alpha_beside_it_finds_the_same_frames(make_clip: MakeClip) -> None:
    shades = []
    for index in range(12):
        rgba = np.full((48, 64, 4), 20 * index, np.uint8)
        rgba[..., 3] = 255
        shades.append(av.VideoFrame.from_ndarray(rgba, format="rgba").reformat(format="yuva420p"))
    path = make_clip(
        "a.webm", codec="libvpx-vp9", pixel_format="yuva420p", options={"g": "4"}, pictures=shades
    )

    in_order = [frame.image for frame in Clip.open(path).frames()]
    picked = [frame.image for frame in Clip.open(path).frames_at([2, 9])]

    assert len(in_order) == 12
    np.testing.assert_array_equal(picked[0], in_order[2])
    np.testing.assert_array_equal(picked[1], in_order[9])


def pq_codes(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    power = (np.clip(nits, 0, None) / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg_codes(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    scene = (np.clip(nits, 0, None) / 1000) ** (1 / 1.2)
    upper = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)


def gamma_codes(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    return (nits / 203) ** (1 / 2.2)


PATCHES = {
    "white": (1.0, 1.0, 1.0),
    "grey": (0.18, 0.18, 0.18),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "skin": (0.42, 0.22, 0.15),
}


def deep_frame(codes: NDArray[np.float64], colour: ColourTags) -> av.VideoFrame:
    """A frame of one colour with 16 bits, tagged."""
    picture = np.broadcast_to(np.rint(codes * 65535), (16, 16, 3)).astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb48le")
    frame.color_primaries, frame.color_trc = colour.primaries, colour.transfer
    return frame


@pytest.mark.parametrize(
    ("transfer", "codes"), [(16, pq_codes), (18, hlg_codes)], ids=["pq", "hlg"]
)
@pytest.mark.parametrize("name", PATCHES)
def test_hdr_keeps_its_hues_and_its_whites_are_bright(
    name: str, transfer: int, codes: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> None:
    light = np.array(PATCHES[name])
    colour = ColourTags(primaries=9, transfer=transfer, matrix=0, is_full_range=True)

    shown = to_rgb(deep_frame(codes(203 * TO_BT2020 @ light), colour), (16, 16), colour, (16, 16))

    # SDR of the same light, and how much of it tone mapping has to leave.
    plain = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    seen = shown[8, 8].astype(float)
    share = seen.max() / plain.max()
    assert 0.72 < share <= 1.01
    assert np.abs(seen - share * plain).max() <= 12
    if light.min() == light.max():
        assert np.ptp(seen) <= 2


@pytest.mark.parametrize(("primaries", "transfer"), [(9, 14), (9, 1), (12, 13)])
def test_wide_gamuts_are_converted(primaries: int, transfer: int) -> None:
    colour = ColourTags(primaries=primaries, transfer=transfer, matrix=0, is_full_range=True)
    pale = (
        TO_BT2020
        if primaries == 9
        else np.array([[0.8225, 0.1775, 0], [0.0332, 0.9668, 0], [0.0171, 0.0724, 0.9105]])
    )
    light = pale @ np.array([0.8, 0.1, 0.1])
    codes = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)

    shown = to_rgb(deep_frame(codes, colour), (16, 16), colour, (16, 16))

    assert np.abs(shown[8, 8].astype(int) - (231, 89, 89)).max() <= 2


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ((9, 16, 9, 1), "HDR (PQ)"),
        ((9, 18, 9, 1), "HDR (HLG)"),
        ((9, 14, 9, 1), "BT.2020"),
        ((12, 1, 1, 1), "Display P3"),
        ((1, 8, 1, 1), "linear light"),
    ],
)
def test_a_conversion_is_told_before_the_work(
    make_clip: MakeClip, tags: tuple[int, int, int, int], said: str
) -> None:
    clip = Clip.open(make_clip("a.mkv", frame_count=2, pixel_format="yuv420p10le", tags=tags))

    assert said in clip.warnings[0]
    assert "BT.709" in clip.warnings[0]


@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (5, 6, 5, 2), (6, 6, 6, 1), (2, 2, 2, 0)])
def test_ordinary_colours_are_neither_converted_nor_told(
    make_clip: MakeClip, tags: tuple[int, int, int, int]
) -> None:
    assert Clip.open(make_clip("a.mp4", frame_count=2, tags=tags)).warnings == ()


@pytest.mark.parametrize(
    ("matrix", "name"),
    [(8, "YCgCo"), (10, "constant luminance"), (14, "ICtCp")],
)
def test_a_matrix_that_cannot_be_read_is_refused_with_what_to_do(
    make_clip: MakeClip, matrix: int, name: str
) -> None:
    path = make_clip("a.mkv", frame_count=2, tags=(9, 16, matrix, 1))

    with pytest.raises(ClipUnreadable, match=name):
        Clip.open(path)


def test_the_colours_of_dolby_vision_are_refused_wherever_they_come_from() -> None:
    frame = av.VideoFrame(16, 16, "yuv420p10le")
    frame.colorspace = 15

    assert "Dolby Vision" in (unreadable_colours(frame) or "")


@pytest.mark.parametrize("tag", ["aprn", "aprh"])
def test_what_a_sensor_saw_is_refused_with_what_to_do(tag: str) -> None:
    frame = av.VideoFrame(32, 32, "bayer_rggb16le")

    assert "ProRes RAW" in (unreadable_colours(frame, tag) or "")
    assert "export it" in (unreadable_colours(frame, tag) or "")
    assert unreadable_colours(av.VideoFrame(32, 32, "yuv422p10le"), "apch") is None


def dolby_vision(path: Path, tags: tuple[int, int, int, int]) -> Path:
    """An MP4 file whose track is marked as Dolby Vision, as telephones and shops do it."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(
            "libx265", rate=24, options={"x265-params": "log-level=none:bframes=0"}
        )
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.codec_tag = "dvh1"
        context.color_primaries, context.color_trc = tags[:2]
        context.colorspace, context.color_range = tags[2:]
        frames: list[av.VideoFrame] = []
        for index in range(2):
            frame = av.VideoFrame(64, 48, "yuv420p10le")
            frame.pts, frame.time_base = index, Fraction(1, 24)
            frame.color_primaries, frame.color_trc = tags[:2]
            frame.colorspace, frame.color_range = tags[2:]
            frames.append(frame)
        encoded = [packet for frame in (*frames, None) for packet in stream.encode(frame)]
        for place, packet in enumerate(encoded):
            # Of so few frames the encoder does not always say when they are to be decoded.
            packet.pts = packet.dts = place
            packet.time_base = Fraction(1, 24)
            output.mux(packet)
    return path


def test_dolby_vision_without_a_common_picture_is_refused(tmp_path: Path) -> None:
    path = dolby_vision(tmp_path / "profile5.mp4", (2, 2, 2, 2))

    with pytest.raises(ClipUnreadable, match="profile 5"):
        Clip.open(path)


def test_dolby_vision_is_read_by_its_base_layer(tmp_path: Path) -> None:
    clip = Clip.open(dolby_vision(tmp_path / "profile8.mp4", (9, 18, 9, 1)))

    assert "HDR (HLG)" in clip.warnings[0]
    assert next(clip.frames()).image.shape == (48, 64, 3)


def joined(path: Path, sizes: list[tuple[int, int]]) -> Path:
    """A transport stream whose pictures change their size every six frames."""
    with path.open("wb") as whole:
        for part, size in enumerate(sizes):
            piece = path.with_name(f"piece{part}.ts")
            with av.open(str(piece), "w", format="mpegts") as output:
                stream = output.add_stream("libx264", rate=25, options={"bf": "0", "crf": "4"})
                assert isinstance(stream, av.VideoStream)
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
                for index in range(6):
                    grey = np.full((size[1], size[0], 3), 200, np.uint8)
                    frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
                    frame.pts, frame.time_base = part * 6 + index, Fraction(1, 25)
                    output.mux(stream.encode(frame))
                output.mux(stream.encode(None))
            whole.write(piece.read_bytes())
    return path


def bars(image: Image) -> tuple[int, int]:
    """Columns at the left and rows at the top that are black."""
    lit = image.max(axis=2) > 100
    return int(lit.any(axis=0).argmax()), int(lit.any(axis=1).argmax())


@pytest.mark.parametrize(
    ("second", "size", "expected"),
    [
        ((64, 128), (128, 64), (48, 0)),
        ((256, 64), (128, 64), (0, 16)),
        ((64, 32), (128, 64), (0, 0)),
        ((64, 128), (64, 32), (24, 0)),
    ],
    ids=["tall", "wide", "smaller", "scaled"],
)
def test_pictures_of_another_size_are_fitted_and_never_squeezed(
    tmp_path: Path, second: tuple[int, int], size: tuple[int, int], expected: tuple[int, int]
) -> None:
    clip = Clip.open(joined(tmp_path / "a.ts", [(128, 64), second]))

    images = [frame.image for frame in clip.frames(size=size)]

    assert {image.shape for image in images} == {(size[1], size[0], 3)}
    assert bars(images[0]) == (0, 0)
    across, down = bars(images[-1])
    assert abs(across - expected[0]) <= 1
    assert abs(down - expected[1]) <= 1
    assert f"changes from 128x64 to {second[0]}x{second[1]}" in clip.warnings[-1]


@pytest.mark.parametrize("pixel_format", ["yuv420p", "rgb24", "rgba", "yuva444p10le"])
@pytest.mark.parametrize("transfer", [1, 18], ids=["sdr", "hlg"])
def test_the_viewer_gets_the_pixels_of_the_model(
    reference_picture: Callable[..., Image], pixel_format: str, transfer: int
) -> None:
    frame = av.VideoFrame.from_ndarray(reference_picture(1), format="rgb24")
    frame = frame.reformat(format=pixel_format)
    frame.color_trc = transfer
    out = np.zeros((24, 32, 4), np.uint8)

    to_bgra(frame, (32, 24), tags_of(frame), (64, 48), out)

    rgb = to_rgb(frame, (32, 24), tags_of(frame), (64, 48))
    assert np.abs(out[..., 2::-1].astype(int) - rgb).max() <= 1


@pytest.mark.parametrize("pixel_format", ["gray", "rgb24", "rgba", "gbrp", "ya8"])
def test_greys_of_8_bits_in_a_wide_gamut_stay_what_they_are(pixel_format: str) -> None:
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(16, axis=0)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(levels), format="rgb24")
    frame = frame.reformat(format=pixel_format)
    colour = ColourTags(primaries=9, transfer=14, matrix=0, is_full_range=True)
    plain = to_rgb(frame, (256, 16), SRGB, (256, 16))

    shown = to_rgb(frame, (256, 16), colour, (256, 16))

    assert shown[8, 255].tolist() == [255, 255, 255]
    np.testing.assert_array_equal(shown, plain)
