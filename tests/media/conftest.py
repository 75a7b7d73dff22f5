"""Small clips of every awkward kind, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import av.container
import cv2
import numpy as np
import pytest
from fresco_media.types import Image

SAMPLE_RATE = 48000


def picture(index: int, size: tuple[int, int] = (64, 48)) -> Image:
    """A smooth coloured picture that differs clearly from those of other indices."""
    width, height = size
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    shade = 0.25 + 0.5 * ((index * 0.37) % 1)
    channels = [0.25 + 0.5 * across, shade + 0.1 * down, 0.75 - 0.5 * across * down]
    return np.rint(np.stack(channels, axis=-1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class Recipe:
    """How to make a clip; `stamps` are ticks of `time_base`, one for each frame."""

    frame_count: int = 12
    rate: Fraction = Fraction(24)
    size: tuple[int, int] = (64, 48)
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    stamps: Sequence[int] | None = None
    time_base: Fraction | None = None
    sound: Sequence[str] = ()
    rotation: int = 0
    sample_aspect: Fraction = Fraction(1)
    tags: tuple[int, int, int, int] = (2, 2, 2, 0)
    pictures: Sequence[av.VideoFrame] | None = None


MakeClip = Callable[..., Path]


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """`make_clip(name, **recipe)` writes a clip into the test's folder and returns its path."""

    def make(name: str, **choices: object) -> Path:
        path = tmp_path / name
        write_recipe(path, Recipe(**choices))  # type: ignore[arg-type]
        return path

    return make


def write_recipe(path: Path, recipe: Recipe) -> None:
    """Write the clip that `recipe` describes."""
    with av.open(str(path), "w") as output:
        video = _video_stream(output, recipe)
        sounds = [_sound_stream(output, name) for name in recipe.sound]
        stamps = recipe.stamps or range(recipe.frame_count)
        base = recipe.time_base or 1 / recipe.rate
        for index, stamp in enumerate(stamps):
            frame = _frame(recipe, index)
            frame.pts, frame.time_base = stamp, base
            output.mux(video.encode(frame))
            for sound in sounds:
                _add_sound(output, sound, index, recipe.rate)
        output.mux(video.encode(None))
        for sound in sounds:
            output.mux(sound.encode(None))


def _video_stream(output: av.container.OutputContainer, recipe: Recipe) -> av.VideoStream:
    options = dict(recipe.options)
    if recipe.codec.startswith("libx264"):
        options = {"preset": "ultrafast", "crf": "1", "bf": "2", "g": "6", **options}
    stream = output.add_stream(recipe.codec, rate=recipe.rate, options=options)
    assert isinstance(stream, av.VideoStream)
    context = stream.codec_context
    context.width, context.height = recipe.size
    context.pix_fmt = recipe.pixel_format
    context.sample_aspect_ratio = recipe.sample_aspect
    context.color_primaries, context.color_trc = recipe.tags[:2]
    context.colorspace, context.color_range = recipe.tags[2:]
    if recipe.time_base is not None:
        context.time_base = recipe.time_base
    if recipe.rotation:
        stream.set_display_rotation(recipe.rotation)
    return stream


def _sound_stream(output: av.container.OutputContainer, name: str) -> av.AudioStream:
    stream = output.add_stream(name, rate=SAMPLE_RATE, layout="mono")
    assert isinstance(stream, av.AudioStream)
    return stream


def _frame(recipe: Recipe, index: int) -> av.VideoFrame:
    if recipe.pictures is not None:
        frame = recipe.pictures[index]
    else:
        rgb = av.VideoFrame.from_ndarray(picture(index, recipe.size), format="rgb24")
        frame = rgb.reformat(format=recipe.pixel_format)
    frame.color_primaries, frame.color_trc = recipe.tags[:2]
    frame.colorspace, frame.color_range = recipe.tags[2:]
    return frame


def _add_sound(
    output: av.container.OutputContainer, stream: av.AudioStream, index: int, rate: Fraction
) -> None:
    count = round(SAMPLE_RATE / rate)
    noise = np.random.default_rng(index).normal(0, 0.2, (1, count)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = index * count
    output.mux(stream.encode(frame))


@pytest.fixture
def make_images(tmp_path: Path) -> Callable[..., Path]:
    """`make_images(folder, numbers, size=, name=)` writes numbered pictures, returns the folder."""

    def make(
        folder: str,
        numbers: Sequence[int],
        size: tuple[int, int] = (64, 48),
        name: str = "shot_%04d.png",
    ) -> Path:
        path = tmp_path / folder
        path.mkdir(parents=True, exist_ok=True)
        for number in numbers:
            bgr = cv2.cvtColor(picture(number, size), cv2.COLOR_RGB2BGR)
            suffix = Path(name).suffix
            (path / (name % number)).write_bytes(cv2.imencode(suffix, bgr)[1].tobytes())
        return path

    return make


@pytest.fixture
def reference_picture() -> Callable[..., Image]:
    """The picture that a made clip shows at an index."""
    return picture
