"""Colour profiles of films are converted as those of pictures."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.colour import profiles
from fresco_media.stills.images import read_image
from fresco_media.video.profiled import BY_PROFILE
from PIL import Image as Pillow

from tests.media.makers import ADOBE_RGB, P3, SRGB, icc_profile, with_entry_atom

CONVERTED = "the clip's colour profile is converted, and the result is BT.709"
COLOURS = np.full((48, 64, 3), (200, 60, 40), np.uint8)


def with_profile(path: Path, entry: bytes, profile: bytes) -> Path:
    """The movie at `path` with an ICC profile in its description."""
    body = b"prof" + profile
    with_entry_atom(path, entry, struct.pack(">I4s", len(body) + 8, b"colr") + body)
    return path


@pytest.mark.parametrize(
    ("codec", "entry", "pixels"),
    [("libx264", b"avc1", "yuv444p"), ("prores_ks", b"apch", "yuv422p10le")],
)
@pytest.mark.parametrize("primaries", [P3, ADOBE_RGB], ids=["p3", "adobe"])
def test_the_profile_of_a_movie_is_converted(
    make_clip: Callable[..., Path], codec: str, entry: bytes, pixels: str, primaries: object
) -> None:
    options = {"profile": "3"} if codec == "prores_ks" else {}
    path = make_clip("a.mov", frame_count=2, codec=codec, pixel_format=pixels, options=options)
    plain = next(Clip.open(path).frames()).image
    profile = icc_profile(primaries)  # type: ignore[arg-type]

    clip = Clip.open(with_profile(path, entry, profile))
    first = next(clip.frames()).image

    wanted = profiles.to_srgb(Pillow.fromarray(plain), profile)
    assert wanted is not None
    assert np.abs(first.astype(int) - wanted).max() <= 3
    assert np.abs(first.astype(int) - plain).max() > 10
    assert CONVERTED in clip.warnings
    assert clip.info.colour == BY_PROFILE


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mov", "png"), ("a.mov", "mjpeg"), ("a.avi", "mjpeg")]
)
def test_a_film_of_stills_has_the_colours_of_the_stills(
    tmp_path: Path, name: str, codec: str
) -> None:
    kind = {"png": "PNG", "mjpeg": "JPEG"}[codec]
    quality = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    still = tmp_path / "still"
    Pillow.fromarray(COLOURS).save(still, kind, icc_profile=icc_profile(P3), **quality)
    with av.open(str(tmp_path / name), "w") as output:
        stream = output.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "rgb24" if kind == "PNG" else "yuvj444p"
        for index in range(2):
            packet = av.Packet(still.read_bytes())
            packet.stream, packet.is_keyframe, packet.pts, packet.dts = stream, True, index, index
            packet.time_base = Fraction(1, 10)
            output.mux(packet)

    clip = Clip.open(tmp_path / name)

    assert np.abs(next(clip.frames()).image.astype(int) - read_image(still)).max() <= 3
    assert CONVERTED in clip.warnings


def camera_curve() -> list[int]:
    codes = np.linspace(0, 1, 1024)
    light = np.where(codes < 0.081, codes / 4.5, ((codes + 0.099) / 1.099) ** (1 / 0.45))
    return np.rint(light * 65535).astype(int).tolist()


def test_a_profile_that_only_says_bt709_changes_nothing(make_clip: Callable[..., Path]) -> None:
    path = make_clip("a.mov", frame_count=2, tags=(1, 1, 1, 1))
    plain = Clip.open(path)
    before = next(plain.frames()).image

    clip = Clip.open(with_profile(path, b"avc1", icc_profile(SRGB, table=camera_curve())))

    np.testing.assert_array_equal(next(clip.frames()).image, before)
    assert clip.warnings == plain.warnings == ()


def test_hdr_stays_hdr_whatever_profile_is_beside_it(make_clip: Callable[..., Path]) -> None:
    path = make_clip("a.mov", frame_count=2, tags=(9, 16, 9, 1))
    plain = Clip.open(path)
    before = next(plain.frames()).image

    clip = Clip.open(with_profile(path, b"avc1", icc_profile(P3)))

    np.testing.assert_array_equal(next(clip.frames()).image, before)
    assert clip.warnings == plain.warnings


def test_a_damaged_profile_costs_nothing_but_itself(make_clip: Callable[..., Path]) -> None:
    path = make_clip("a.mov", frame_count=2)
    before = next(Clip.open(path).frames()).image

    clip = Clip.open(with_profile(path, b"avc1", b"no profile" * 30))

    np.testing.assert_array_equal(next(clip.frames()).image, before)
    assert clip.warnings == ()
