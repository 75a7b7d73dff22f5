"""Animated pictures are clips of as many frames as they have, by what they are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fresco_media.animation import is_animated
from fresco_media.clip import Clip
from fresco_media.errors import ClipError
from fresco_media.probe import probe
from fresco_media.sequence import is_sequence_path
from PIL import Image as Pillow

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
