"""Reading a file as FFmpeg decodes it, with colours by formula: what the product is held against.

Nothing here is the product's: pictures come from PyAV's decoder and become RGB by the equations
of ITU-T H.273 in floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import av.container
import numpy as np
from PIL import Image as Pillow
from PIL import ImageSequence

from tests.corpus.pictures import FULL, Floats
from tests.corpus.sounds import Heard

# Weights of red and blue in luma (ITU-T H.273, table 4).
_WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
_PACKED = {
    **{"rgb24": (0, 1, 2), "bgr24": (2, 1, 0), "rgba": (0, 1, 2), "bgra": (2, 1, 0)},
    **{"rgb0": (0, 1, 2), "bgr0": (2, 1, 0), "argb": (1, 2, 3), "abgr": (3, 2, 1)},
    **{"0rgb": (1, 2, 3), "0bgr": (3, 2, 1), "rgb48": (0, 1, 2), "rgba64": (0, 1, 2)},
    **{"bgr48": (2, 1, 0), "bgra64": (2, 1, 0)},
}
"""Where red, green and blue stand in formats that hold them side by side."""
_FROM_BT2020 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
"""Linear light of BT.2020 by the primaries of BT.709 (ITU-R BT.2087)."""
_Piece = tuple[float, np.ndarray]
"""When samples begin, in seconds, and the samples at the common rate."""
_ROUNDED_S = 0.0012
"""Times that are so little off are rounded to milliseconds, twice perhaps."""
_SAMPLES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}


class CannotRead(Exception):
    """FFmpeg itself does not read back what it wrote, or this module knows no formula for it."""


@dataclass(frozen=True)
class Film:
    """The pictures of a file in the order they are shown, and what its header says."""

    images: tuple[Floats, ...]
    """Stored pictures, not turned: (height, width, 3), RGB, 0-255."""
    times_s: tuple[Fraction | None, ...]
    tick_s: Fraction
    sample_aspect: Fraction
    transfer: int
    sound_count: int


def film(path: Path) -> Film:
    """All pictures of the file at `path`, or of the folder.

    Raises:
        CannotRead: there are none, or there is no formula for their pixels.
    """
    if path.is_dir():
        return _stills(sorted(path.iterdir()))
    if path.suffix == ".webp":
        return _animation(path)
    with av.open(str(path)) as container:
        # AVIF has a still before the film that it stands for.
        stream = container.streams.video[-1]
        frames = list(_decoded(container, stream))
        if not frames:
            raise CannotRead("FFmpeg decodes no picture")
        base = stream.time_base or Fraction(1, 1000)
        return Film(
            images=tuple(_shown(frame) for frame in frames),
            times_s=tuple(None if frame.pts is None else frame.pts * base for frame in frames),
            tick_s=base,
            sample_aspect=stream.sample_aspect_ratio or Fraction(1),
            transfer=int(frames[0].color_trc),
            sound_count=len(container.streams.audio),
        )


def _stills(files: list[Path]) -> Film:
    films = [film(file) if file.suffix != ".webp" else _animation(file) for file in files]
    images = tuple(each.images[0] for each in films)
    if files[0].suffix == ".exr":
        images = tuple(_srgb(image) for image in images)
    return replace(films[0], images=images, times_s=(None,) * len(files))


def _shown(frame: av.VideoFrame) -> Floats:
    """`frame` as a screen of today shows it: by the primaries of BT.709."""
    coded = rgb(frame)
    is_hdr = int(frame.color_trc) in (16, 18)
    if int(frame.color_primaries) != 9 or is_hdr:
        return coded
    curved = coded / 255
    light = np.where(curved <= 0.04045, curved / 12.92, ((curved + 0.055) / 1.055) ** 2.4)
    return _srgb(light @ _FROM_BT2020.T * 255)


def _srgb(linear: Floats) -> Floats:
    """Light as the sRGB curve encodes it; both 0-255 (IEC 61966-2-1)."""
    light = np.clip(linear / 255, 0, 1)
    curved = 1.055 * light ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, curved) * 255


def _animation(path: Path) -> Film:
    """WebP, which FFmpeg writes but of which it reads stills only."""
    images: list[Floats] = []
    times: list[Fraction | None] = []
    with Pillow.open(path) as opened:
        time_ms = 0
        for frame in ImageSequence.Iterator(opened):
            images.append(np.asarray(frame.convert("RGB"), np.float64))
            times.append(Fraction(time_ms, 1000))
            time_ms += int(frame.info.get("duration", 0))
    return Film(tuple(images), tuple(times), Fraction(1, 1000), Fraction(1), 2, 0)


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[av.VideoFrame]:
    stream.codec_context.thread_type = "NONE"
    yield from container.decode(stream)


def rgb(frame: av.VideoFrame) -> Floats:
    """`frame` as (height, width, 3), 0-255, by its own matrix and range.

    Raises:
        CannotRead: its pixel format is not known here.
    """
    name = frame.format.name
    if name == "pal8":
        indices, palette = frame.to_ndarray(), np.frombuffer(bytes(frame.planes[1]), np.uint8)
        # On little-endian machines a palette entry is blue, green, red, alpha.
        return palette.reshape(256, 4)[_first(indices), 2::-1].astype(np.float64)
    if name.startswith("gbr"):
        green, blue, red = (_plane(frame, k) for k in range(3))
        return np.stack([red, green, blue], axis=-1) * _unit(frame)
    stem = name.removesuffix("le").removesuffix("be")
    if stem in _PACKED:
        return _packed(frame, stem)
    if stem in ("rgb555", "rgb565"):
        return _short(frame, stem)
    return _from_yuv(frame)


def _first(found: object) -> np.ndarray:
    return np.asarray(found[0] if isinstance(found, tuple) else found)


def _unit(frame: av.VideoFrame) -> float:
    """What one step of a full-range sample is on a scale of 0 to 255."""
    if "f32" in frame.format.name:
        return 255.0
    return 255.0 / (2 ** frame.format.components[0].bits - 1)


def _type(frame: av.VideoFrame) -> np.dtype:
    name = frame.format.name
    order = ">" if name.endswith("be") else "<"
    if "f32" in name:
        return np.dtype(f"{order}f4")
    return np.dtype(np.uint8 if frame.format.components[0].bits == 8 else f"{order}u2")


def _plane(frame: av.VideoFrame, number: int, step: int = 1) -> Floats:
    """The samples of a plane, `step` of them for each pixel: (height, width * step)."""
    plane = frame.planes[number]
    kind = _type(frame)
    rows = np.frombuffer(bytes(plane), kind)[: plane.height * (plane.line_size // kind.itemsize)]
    return rows.reshape(plane.height, -1)[:, : plane.width * step].astype(np.float64)


def _packed(frame: av.VideoFrame, stem: str) -> Floats:
    step = 3 if stem in ("rgb24", "bgr24", "rgb48", "bgr48") else 4
    samples = _plane(frame, 0, step).reshape(frame.height, frame.width, step)
    return samples[..., list(_PACKED[stem])] * _unit(frame)


def _short(frame: av.VideoFrame, stem: str) -> Floats:
    plane = frame.planes[0]
    order = ">" if frame.format.name.endswith("be") else "<"
    packed = np.frombuffer(bytes(plane), f"{order}u2").reshape(plane.height, -1)
    packed = packed[:, : plane.width].astype(np.int64)
    green = 5 if stem == "rgb555" else 6
    fields = [(5 + green, 5), (5, green), (0, 5)]
    channels = [(packed >> shift & (2**bits - 1)) / (2**bits - 1) for shift, bits in fields]
    return np.stack(channels, axis=-1) * 255


def _from_yuv(frame: av.VideoFrame) -> Floats:
    bits = frame.format.components[0].bits
    luma, *chroma = _yuv_planes(frame)
    is_full = int(frame.color_range) == FULL or frame.format.name.startswith("yuvj")
    scale = 2 ** (bits - 8)
    top = 2**bits - 1
    if not chroma:
        # FFmpeg writes and shows grey at full range, whatever range it is tagged with.
        return np.repeat(luma[..., None] / top * 255, 3, axis=-1)
    y = luma / top if is_full else (luma - 16 * scale) / (219 * scale)
    span = top if is_full else 224 * scale
    cb, cr = ((plane - 128 * scale) / span for plane in chroma)
    matrix = int(frame.colorspace)
    unstated = 6 if frame.height < 720 else 1
    red_weight, blue_weight = _WEIGHTS.get(matrix, _WEIGHTS[unstated])
    red = y + 2 * (1 - red_weight) * cr
    blue = y + 2 * (1 - blue_weight) * cb
    green = (y - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 1) * 255


def _yuv_planes(frame: av.VideoFrame) -> list[Floats]:
    """Y, Cb and Cr at full size; only Y of grey formats. Chroma is repeated, not smoothed."""
    name = frame.format.name
    if name == "uyvy422":
        samples = _plane(frame, 0, 2)
        parts = [samples[:, 1::2], samples[:, 0::4], samples[:, 2::4]]
    elif name in ("vyu444", "uyva"):
        step = len(name.removesuffix("444"))
        samples = _plane(frame, 0, step)
        parts = [samples[:, name.index(letter) :: step] for letter in "yuv"]
    elif name == "v30xle":
        words = np.frombuffer(bytes(frame.planes[0]), "<u4").reshape(frame.height, -1)
        words = words[:, : frame.width]
        parts = [(words >> shift & 1023).astype(np.float64) for shift in (12, 2, 22)]
    elif name in ("nv12", "nv21"):
        both = np.frombuffer(bytes(frame.planes[1]), np.uint8)
        both = both.reshape(frame.planes[1].height, -1)[:, : frame.width].astype(np.float64)
        parts = [_plane(frame, 0), both[:, 0::2], both[:, 1::2]]
        parts = parts if name == "nv12" else [parts[0], parts[2], parts[1]]
    elif name.startswith("ya"):
        return [_plane(frame, 0, 2)[:, 0::2]]
    elif name.startswith("gray"):
        return [_plane(frame, 0)]
    elif name.startswith("yuv") and len(frame.planes) >= 3:
        parts = [_plane(frame, k) for k in range(3)]
    else:
        raise CannotRead(f"no formula for {name}")
    return [parts[0], *(_at_full_size(part, frame.height, frame.width) for part in parts[1:])]


def _at_full_size(plane: Floats, height: int, width: int) -> Floats:
    rows = np.arange(height) * plane.shape[0] // height
    columns = np.arange(width) * plane.shape[1] // width
    return plane[rows[:, None], columns[None, :]]


def tracks(path: Path) -> list[Heard]:
    """Every sound track of the file, timed from its first picture, mixed to one channel."""
    with av.open(str(path)) as container:
        count = len(container.streams.audio)
        first_s = _first_picture_s(container) if count else Fraction(0)
    return [_track(path, number, first_s) for number in range(count)]


def _first_picture_s(container: av.container.InputContainer) -> Fraction:
    stream = container.streams.video[0]
    for frame in container.decode(stream):
        if frame.pts is not None and stream.time_base is not None:
            return frame.pts * stream.time_base
    return Fraction(0)


def _track(path: Path, number: int, first_s: Fraction) -> Heard:
    pieces: list[_Piece] = []
    with av.open(str(path)) as container:
        stream = container.streams.audio[number]
        latest_s: Fraction | None = None
        for frame in container.decode(stream):
            stamp = frame.pts
            begin_s = stamp * frame.time_base if stamp is not None and frame.time_base else latest_s
            begin_s = begin_s or Fraction(0)
            latest_s = begin_s + Fraction(frame.samples, frame.sample_rate)
            pieces.append((float(begin_s - first_s), _mono(frame)))
    if not pieces:
        raise CannotRead("a sound track cannot be decoded")
    pieces = _as_played(pieces)
    start_s = pieces[0][0]
    end_s = max(begin + len(samples) / Heard.RATE for begin, samples in pieces)
    timeline = np.zeros(round((end_s - start_s) * Heard.RATE) + 1, np.float32)
    for begin, samples in pieces:
        place = max(round((begin - start_s) * Heard.RATE), 0)
        timeline[place : place + len(samples)] = samples[: len(timeline) - place]
    return Heard(start_s, timeline)


def _as_played(pieces: list[_Piece]) -> list[_Piece]:
    """`pieces` where a player has them: what only rounded times set apart follows on.

    Such a run lies where the middle one of its times says.
    """
    placed: list[_Piece] = []
    run: list[np.ndarray] = []
    shifts: list[float] = []
    start_s = end_s = 0.0
    for begin_s, samples in pieces:
        if run and abs(begin_s - end_s) > _ROUNDED_S:
            placed.append((start_s + float(np.median(shifts)), np.concatenate(run)))
            run, shifts = [], []
        if not run:
            start_s = end_s = begin_s
        run.append(samples)
        shifts.append(begin_s - end_s)
        end_s += len(samples) / Heard.RATE
    return [*placed, (start_s + float(np.median(shifts)), np.concatenate(run))]


def _mono(frame: av.AudioFrame) -> np.ndarray:
    """The first channel of `frame` at the common rate, -1 to 1."""
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels > 1:
        # Side by side, since PyAV reads beyond the end of eight planes.
        frame = _interleaved(frame)
    samples = np.frombuffer(bytes(frame.planes[0]), _SAMPLES[frame.format.packed.name])
    one = samples[: frame.samples * channels : channels].astype(np.float32)
    kind = frame.format.packed.name
    if kind == "u8":
        one = one / 128 - 1
    elif kind.startswith("s"):
        one /= 2.0 ** (int(kind[1:]) - 1)
    length = round(len(one) * Heard.RATE / frame.sample_rate)
    places = np.arange(length) * frame.sample_rate / Heard.RATE
    return np.interp(places, np.arange(len(one)), one).astype(np.float32)


def _interleaved(frame: av.AudioFrame) -> av.AudioFrame:
    return av.AudioResampler(format=frame.format.packed).resample(frame)[0]
