"""The corpus's own instruments see what they are there to see."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.corpus import pictures, reading, sounds
from tests.corpus.sounds import Heard


def heard(delay_s: float = 0.0, start_s: float = 0.0) -> Heard:
    samples = np.roll(sounds.chirps(Heard.RATE), round(delay_s * Heard.RATE))
    return Heard(start_s, samples)


@pytest.mark.parametrize("delay_s", [-0.05, -0.0015, 0.0, 0.0005, 0.12])
def test_a_delay_of_sound_is_measured_for_every_chirp(delay_s: float) -> None:
    lags = sounds.lags_s(heard(), heard(delay_s))

    assert lags == pytest.approx([delay_s, delay_s], abs=1e-4)


def test_a_later_start_counts_as_well_as_later_samples() -> None:
    lags = sounds.lags_s(heard(), heard(start_s=0.02))

    assert lags == pytest.approx([0.02, 0.02], abs=1e-4)


def test_a_chirp_that_is_missing_is_told() -> None:
    half = heard()
    half.samples[len(half.samples) // 2 :] = 0

    assert sounds.lags_s(heard(), half)[1] is None


@pytest.mark.parametrize("turn", ["upright", "90", "180", "270", "mirrored", "mirrored 90"])
@pytest.mark.parametrize("index", range(12))
def test_a_picture_tells_its_number_however_it_is_turned(index: int, turn: str) -> None:
    stored = pictures.picture(index, (80, 64)).astype(float)

    seen = pictures.shown_means(pictures.turned(stored, turn), turn)

    assert pictures.number_of(pictures.unturned(seen, turn)) == index
    np.testing.assert_allclose(seen, pictures.stored_means(stored, turn))


@pytest.mark.parametrize("other", ["90", "180", "270", "mirrored", "mirrored 90"])
def test_a_picture_turned_wrongly_has_other_patches(other: str) -> None:
    stored = pictures.picture(5, (80, 80)).astype(float)

    wrong = pictures.means(pictures.turned(stored, other))

    assert np.abs(wrong - pictures.means(stored)).max() > 50


@pytest.mark.parametrize(
    ("pixel_format", "samples", "expected"),
    [
        ("yuv444p", (16, 128, 128), (0, 0, 0)),
        ("yuv444p", (235, 128, 128), (255, 255, 255)),
        ("yuv444p10le", (940, 512, 512), (255, 255, 255)),
        ("yuvj444p", (255, 128, 128), (255, 255, 255)),
        ("gbrp", (10, 20, 30), (30, 10, 20)),
        ("gray", (77,), (77, 77, 77)),
    ],
)
def test_samples_become_the_colours_that_the_standard_says(
    pixel_format: str, samples: tuple[int, ...], expected: tuple[int, int, int]
) -> None:
    frame = av.VideoFrame(16, 16, pixel_format)
    for plane, value in zip(frame.planes, samples, strict=True):
        kind = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
        plane.update(np.full(plane.buffer_size // kind().itemsize, value, kind).tobytes())

    rgb = reading.rgb(frame)

    np.testing.assert_allclose(rgb, np.broadcast_to(expected, rgb.shape), atol=1e-9)


def test_red_by_bt709_is_not_red_by_bt601() -> None:
    frame = pictures.frame(0, (80, 64), "yuv444p", (1, 1, 1, 1))

    as_written = pictures.means(reading.rgb(frame))
    frame.colorspace = 6
    misread = pictures.means(reading.rgb(frame))

    assert np.abs(as_written - pictures.patches(0)).max() < 2
    assert np.abs(misread - pictures.patches(0)).max() > 5


def test_a_frame_that_is_gone_from_a_film_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "short.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=24)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 80, 64, "yuv420p"
        for index in (0, 1, 3, 2):
            frame = pictures.frame(index, (80, 64), "yuv420p", (2, 2, 2, 0))
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    film = reading.film(path)

    assert [pictures.number_of(pictures.means(image)) for image in film.images] == [0, 1, 3, 2]
