"""Animated pictures are clips of as many frames as they have, by what they are."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fresco_media.clip import Clip
from fresco_media.colour.picture import ALPHA_UNREAD
from fresco_media.errors import ClipError
from fresco_media.stills.images import read_image
from fresco_media.stills.sequence import is_sequence_path
from fresco_media.video.animation import is_animated
from fresco_media.video.probe import probe
from fresco_media.video.profiled import PROFILE_CONVERTED
from PIL import Image as Pillow
from PIL import ImageCms

from tests.media import makers
from tests.media.odd_files import number_in, numbered

COUNT = 12


def write(path: Path, kind: str, durations: int | list[int] = 100, count: int = COUNT) -> Path:
    pictures = [Pillow.fromarray(numbered(index)) for index in range(count)]
    options = {"lossless": True} if kind == "WEBP" else {}
    pictures[0].save(
        path,
        format=kind,
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        **options,
    )
    return path


def save_animated(path: Path, kind: str, pictures: list[Pillow.Image], **options: Any) -> None:
    """An animation of a kind that Pillow names, ten pictures a second."""
    pictures[0].save(
        path, format=kind, save_all=True, append_images=pictures[1:], duration=100, **options
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.webp", "WEBP"),
        ("a.png", "PNG"),
        ("a.apng", "PNG"),
        ("a.gif", "GIF"),
        ("webp.png", "WEBP"),
        ("webp.gif", "WEBP"),
        ("gif.webp", "GIF"),
        ("gif.png", "GIF"),
        ("apng.mp4", "PNG"),
        ("shot_0001.png", "PNG"),
        ("shot_0001.webp", "WEBP"),
    ],
)
def test_an_animation_is_a_clip_of_all_its_pictures(tmp_path: Path, name: str, kind: str) -> None:
    path = write(tmp_path / name, kind)

    clip = Clip.open(path)
    frames = list(clip.frames())

    assert [number_in(frame.image) for frame in frames] == list(range(COUNT))
    assert clip.info.frame_rate == 10
    assert not clip.info.is_sequence
    assert [frame.time_s for frame in frames] == [Fraction(k, 10) for k in range(COUNT)]


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "GIF"])
def test_pictures_of_an_animation_last_as_long_as_each_says(tmp_path: Path, kind: str) -> None:
    durations = [100, 200, 50, 400, 100]

    clip = Clip.open(write(tmp_path / "a.bin", kind, durations, count=5))

    times = [float(time * clip.info.time_base) for time in clip.info.times]
    assert times == pytest.approx([0, 0.1, 0.3, 0.35, 0.75])
    assert clip.info.is_variable_rate


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "GIF"])
def test_any_picture_of_an_animation_can_be_had_at_once(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "a.bin", kind)
    probed = probe(path)
    assert probed is not None
    cursor = probed.open_cursor()

    shown = []
    for index in (7, 2, 11, 0, 5):
        _, frame = cursor.at(index)
        shown.append(number_in(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)))
    cursor.close()

    assert shown == [7, 2, 11, 0, 5]


@pytest.mark.parametrize(("name", "kind"), [("a.webp", "WEBP"), ("a.png", "PNG")])
def test_a_still_stays_a_sequence_of_pictures(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    Pillow.fromarray(numbered(3)).save(path, format=kind)

    assert not is_animated(path)
    assert is_sequence_path(path)
    assert Clip.open(path).info.is_sequence


def test_a_damaged_animation_is_a_clip_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.webp", "WEBP")
    path.write_bytes(path.read_bytes()[:400])

    with pytest.raises(ClipError):
        list(Clip.open(path).frames())


def test_an_animation_that_says_it_is_huge_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.webp", "WEBP")
    data = bytearray(path.read_bytes())
    # Width and height of the canvas, less one (VP8X).
    data[24:27] = (0xFFFF5F).to_bytes(3, "little")
    path.write_bytes(data)

    with pytest.raises(ClipError, match="more than the"):
        Clip.open(path)


def test_a_decoder_that_gives_up_on_an_animation_is_told_of_as_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*_: object, **__: object) -> None:
        raise RuntimeError("Failed to decode frame 0")

    path = write(tmp_path / "a.webp", "WEBP")
    monkeypatch.setattr("PIL.WebPImagePlugin.WebPImageFile.load", give_up)

    with pytest.raises(ClipError, match="damaged"):
        Clip.open(path)


def test_transparency_of_an_animation_is_told(tmp_path: Path) -> None:
    pictures = [
        Pillow.fromarray(np.dstack([numbered(k), np.full((48, 64), 100 + k, np.uint8)]))
        for k in range(3)
    ]
    path = tmp_path / "a.webp"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], lossless=True)

    clip = Clip.open(path)

    assert clip.info.has_alpha
    assert clip.info.frame_count == 3


def jpeg(index: int, size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(numbered(index, size)).save(file, "JPEG", quality=95, **options)
    return file.getvalue()


def with_mpf(photo: bytes) -> bytes:
    """A JPEG that says, as cameras do, that other pictures follow it."""
    return photo[:2] + b"\xff\xe2" + struct.pack(">H", 10) + b"MPF\0II*\0" + photo[2:]


@pytest.mark.parametrize("name", ["clip.mjpeg", "clip.mjpg", "clip.jpg", "shot_0001.jpg", "clip"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0, "restart_marker_blocks": 2}]
)
def test_one_jpeg_after_the_other_is_a_film(
    tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"".join(jpeg(index, **options) for index in range(COUNT)))

    clip = Clip.open(path)

    assert [number_in(frame.image) for frame in clip.frames()] == list(range(COUNT))


def test_jpegs_with_padding_between_them_are_a_film(tmp_path: Path) -> None:
    path = tmp_path / "clip.mjpeg"
    path.write_bytes(b"".join(jpeg(index) + bytes(7 * index) for index in range(COUNT)))

    clip = Clip.open(path)

    assert [number_in(frame.image) for frame in clip.frames()] == list(range(COUNT))


def test_jpegs_too_large_to_be_recognised_by_their_number_are_a_film(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1000, 1200, 3), np.uint8)
    path = tmp_path / "clip.mjpeg"
    with path.open("wb") as file:
        for index in range(3):
            noise[:300] = numbered(index, (1200, 300))
            Pillow.fromarray(noise).save(file, "JPEG", quality=95)

    clip = Clip.open(path)

    assert [number_in(frame.image[:300]) for frame in clip.frames()] == [0, 1, 2]
    assert any("holds no times" in warning for warning in clip.warnings)


@pytest.mark.parametrize(
    "data",
    [
        jpeg(3),
        with_mpf(jpeg(3)) + jpeg(4),
        jpeg(3) + jpeg(4, (32, 24)),
        jpeg(3) + b"a film follows" + jpeg(4),
        jpeg(3) + jpeg(4)[:40],
        jpeg(3) + b"\0\0\0\x18ftypmp42",
    ],
    ids=["alone", "named in it", "a small one", "something else", "cut short", "a film"],
)
def test_a_photo_with_something_behind_it_stays_a_photo(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)

    frames = list(Clip.open(path).frames())

    assert not is_animated(path)
    assert [number_in(frame.image) for frame in frames] == [3]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpegs_in_a_row_are_turned_as_their_exif_says(tmp_path: Path, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[274] = orientation
    photo, film = tmp_path / "photo.jpg", tmp_path / "film.mjpeg"
    photo.write_bytes(jpeg(5, exif=exif))
    film.write_bytes(jpeg(5, exif=exif) * 4)
    (wanted,) = Clip.open(photo).frames()

    clip = Clip.open(film)
    frames = list(clip.frames())

    assert len(frames) == 4
    assert frames[0].image.shape == wanted.image.shape
    assert np.abs(frames[0].image.astype(int) - wanted.image).max() < 8


def write_avif(path: Path, count: int, *, with_alpha: bool = False) -> None:
    if "AVIF" not in _saved():
        pytest.skip("this Pillow writes no AVIF")
    pictures = [Pillow.fromarray(numbered(index)) for index in range(count)]
    if with_alpha:
        for picture in pictures:
            picture.putalpha(255)
    more = {"append_images": pictures[1:], "save_all": True, "duration": 100} if count > 1 else {}
    pictures[0].save(path, "AVIF", quality=90, **more)


def _saved() -> set[str]:
    Pillow.init()
    return set(Pillow.SAVE)


@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize("name", ["clip.avif", "clip.avifs", "shot_0001.avif", "clip.png", "clip"])
def test_a_sequence_in_avif_is_a_film(tmp_path: Path, name: str, with_alpha: bool) -> None:
    path = tmp_path / name
    write_avif(path, COUNT, with_alpha=with_alpha)

    clip = Clip.open(path)

    assert [number_in(frame.image) for frame in clip.frames()] == list(range(COUNT))
    assert clip.info.frame_rate == 10
    assert clip.warnings == ((ALPHA_UNREAD,) if with_alpha else ())


@pytest.mark.parametrize("brand", [b"avis", b"avif"])
def test_a_sequence_in_avif_is_known_by_any_of_its_brands(tmp_path: Path, brand: bytes) -> None:
    path = tmp_path / "clip.avif"
    write_avif(path, COUNT)
    data = bytearray(path.read_bytes())
    data[8:12] = brand
    path.write_bytes(data)

    assert Clip.open(path).info.frame_count == COUNT


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_profile_of_an_animation_is_converted_as_that_of_a_still(
    tmp_path: Path, kind: str, mode: str
) -> None:
    Pillow.init()
    if kind not in Pillow.SAVE:
        pytest.skip(f"this Pillow writes no {kind}")
    if kind == "AVIF" and mode == "RGBA":
        pytest.skip("transparency of an animated AVIF is not read, which is told")
    shades = ((200, 60, 40), (60, 200, 40))
    alpha = (128,) if mode == "RGBA" else ()
    pictures = [Pillow.new(mode, (64, 48), (*shade, *alpha)) for shade in shades]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"quality": 100}
    path, still = tmp_path / "a.bin", tmp_path / f"still.{kind.lower()}"
    profile = makers.icc_profile(makers.P3)
    save_animated(path, kind, pictures, icc_profile=profile, **options)
    pictures[0].save(still, format=kind, icc_profile=profile, **options)

    clip = Clip.open(path)
    first, second = (frame.image[20, 20].astype(int) for frame in clip.frames())

    assert np.abs(first - read_image(still)[20, 20]).max() <= 3
    assert np.abs(first - np.array(shades[0]) * (128 / 255 if alpha else 1)).max() > 5
    assert second[1] > second[0]
    assert PROFILE_CONVERTED in clip.warnings
    assert clip.info.has_alpha == bool(alpha)
    if alpha:
        assert np.abs(next(clip.mattes()).astype(int) - 128).max() <= 2


def test_a_profile_that_is_srgb_changes_no_picture_of_an_animation(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pictures = [Pillow.fromarray(numbered(index)) for index in range(3)]
    save_animated(tmp_path / "a.png", "PNG", pictures, icc_profile=profile)

    shown = [frame.image for frame in Clip.open(tmp_path / "a.png").frames()]

    np.testing.assert_array_equal(np.stack(shown), np.stack([numbered(n) for n in range(3)]))


# Pillow 13 ends the process where it is to write the turn of an animated AVIF.
@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
@pytest.mark.parametrize("value", range(1, 9))
def test_an_animation_is_turned_as_a_still_is(tmp_path: Path, kind: str, value: int) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 255
    pictures = [Pillow.fromarray(picture), Pillow.fromarray(picture // 2)]
    exif = Pillow.Exif()
    exif[0x0112] = value
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    path, still = tmp_path / "a.bin", tmp_path / f"still.{kind.lower()}"
    save_animated(path, kind, pictures, exif=exif, **options)
    pictures[0].save(still, format=kind, exif=exif, **options)

    clip = Clip.open(path)
    shown, wanted = next(clip.frames()).image.astype(int), read_image(still)

    assert (clip.info.width, clip.info.height) == wanted.shape[1::-1]
    assert np.abs(shown - wanted).mean() < 4


def cornered(path: Path) -> Path:
    """An animation whose first picture tells by a corner of it how it is turned."""
    first = np.full((48, 64, 3), (200, 60, 40), np.uint8)
    first[:16, :24] = (30, 200, 60)
    pictures = [Pillow.fromarray(first), Pillow.fromarray(first[..., ::-1].copy())]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100, quality=100)
    return path


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


@pytest.mark.parametrize("brand", [b"avis", b"msf1"])
@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_an_animated_avif_is_turned_as_its_track_says(
    tmp_path: Path, brand: bytes, turn: int, axis: int | None
) -> None:
    Pillow.init()
    if "AVIF" not in Pillow.SAVE:
        pytest.skip("this Pillow writes no AVIF")
    path = cornered(tmp_path / "a.avif")
    plain = next(Clip.open(path).frames()).image
    data = path.read_bytes()
    # In the description of the track, what tells of colours and of coding makes room.
    at = data.index(b"colr", data.index(b"moov")) - 4
    length = 19 + 16
    assert data[at + 23 : at + 27] == b"ccst"
    stated = box(b"irot", bytes([turn]))
    stated += b"" if axis is None else box(b"imir", bytes([axis]))
    stated += box(b"free", bytes(length - len(stated) - 8))
    path.write_bytes(data[:8] + brand + data[12:at] + stated + data[at + length :])

    clip = Clip.open(path)
    seen = next(clip.frames()).image

    wanted = np.rot90(plain, turn)
    if axis is not None:
        wanted = wanted[::-1] if axis == 0 else wanted[:, ::-1]
    assert (clip.info.height, clip.info.width) == wanted.shape[:2]
    np.testing.assert_allclose(seen, wanted, atol=3)
