"""What is asked of every clip of the corpus: of the engine, the desktop app and the writer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from zlib import crc32

import av.error
import numpy as np
from fresco_media.clip import Clip
from fresco_media.types import Frame
from fresco_media.writing.writer import open_writer

from tests.corpus import kinds, making, pictures, reading, sounds
from tests.corpus.items import Item
from tests.corpus.making import CannotWrite, Made
from tests.corpus.outcome import Outcome, Telling
from tests.corpus.pictures import Floats
from tests.corpus.reading import CannotRead

LEVELS = 2.0
"""How far colours may lie from what the codec's own samples stand for."""
WRITTEN_LEVELS = 4.0
"""The same after H.264 at the quality that the product writes."""
LAG_S = 0.001
_HDR = ("pq", "hlg")
_ACCUMULATING = ("apng", "mpg", "vob", "vcd", "svcd", "dvd")
"""Containers that store durations, or only some times: rounding adds up from frame to frame."""


@dataclass(frozen=True)
class Expected:
    """What FFmpeg shows of a clip, with the times at which it was written."""

    numbers: tuple[int, ...]
    times_s: tuple[Fraction, ...]
    tolerance_s: Fraction
    read_s: tuple[Fraction | None, ...]
    """Times as FFmpeg reads them, which count where the container has no place for others."""
    colours: tuple[Floats, ...]
    """The patches of every frame as they are seen."""
    size: tuple[int, int]
    aspect: Fraction
    sound: tuple[sounds.Heard, ...]


def check(item: Item, folder: Path) -> Outcome:
    """Make the clip of `item` in `folder`, which is empty, and check all that is asked of it."""
    outcome = Outcome(item.name)
    source = folder / "source"
    source.mkdir()
    try:
        made = making.make(item, source)
        expected = _expected(item, made)
    except (CannotWrite, CannotRead, av.error.FFmpegError) as error:
        outcome.status, outcome.sentence = "unwritable", str(error).replace(str(folder), "…")
        return outcome
    told = Telling(made.path, folder, outcome)
    with told.at_work("crash"):
        rate = kinds.RATES[item.rate] if item.container in kinds.PICTURES else None
        with told.refusing():
            clip = Clip.open(made.path, frame_rate=rate)
        if outcome.status != "refused":
            _check_clip(item, made, expected, clip, told)
    return outcome


def _expected(item: Item, made: Made) -> Expected:
    film = reading.film(made.path)
    margin = _margin(item)
    numbers = tuple(
        pictures.number_of(pictures.means(image, margin=margin)) for image in film.images
    )
    written = tuple(range(len(made.times_s)))
    if item.start == "negative" and item.container in kinds.HIDING:
        written = written[-len(numbers) :]
    if numbers != written:
        raise CannotRead(f"FFmpeg shows frames {numbers} of {written}")
    count = len(numbers) if item.container in _ACCUMULATING else 1
    tolerance_s = min(film.tick_s * count, kinds.period_s(item.rate) / 4)
    heard = tuple(reading.tracks(made.path)) if film.sound_count else ()
    longest_s = max((len(track.samples) / sounds.Heard.RATE for track in heard), default=0)
    if longest_s > 2 * sounds.LENGTH_S:
        raise CannotRead(f"FFmpeg hears {longest_s:.0f} s of {sounds.LENGTH_S} s of sound")
    height, width = pictures.turned(film.images[0], item.turn).shape[:2]
    is_on_side = width != film.images[0].shape[1]
    return Expected(
        numbers=numbers,
        times_s=made.times_s[-len(numbers) :],
        tolerance_s=tolerance_s + Fraction(1, 10**6),
        read_s=film.times_s,
        colours=tuple(
            pictures.stored_means(image, item.turn, margin=margin) for image in film.images
        ),
        size=(width, height),
        aspect=1 / film.sample_aspect if is_on_side else film.sample_aspect,
        sound=heard,
    )


def _margin(item: Item) -> float:
    # One sample of chroma there covers 4 pixels, so that neighbours reach far into a patch.
    return 0.42 if "41" in item.pixels else 0.3


def _check_clip(item: Item, made: Made, expected: Expected, clip: Clip, told: Telling) -> None:
    frames = list(clip.frames())
    told.warn(clip.warnings)
    _check_frames(item, expected, clip, frames, told)
    _check_times(item, expected, clip, told)
    if len(frames) == len(expected.numbers):
        with told.at_work("access"):
            _check_random_access(clip, frames, told)
        with told.at_work("app"):
            _check_app(item, made, clip, frames, told)
        with told.at_work("written"):
            _check_round_trip(item, expected, clip, frames, told)


def _check_frames(
    item: Item, expected: Expected, clip: Clip, frames: Sequence[Frame], told: Telling
) -> None:
    if (clip.info.frame_count, len(frames)) != (len(expected.numbers),) * 2:
        told.fail(
            "count",
            f"{clip.info.frame_count} announced and {len(frames)} given of {len(expected.numbers)}",
        )
    if (clip.info.width, clip.info.height) != expected.size:
        told.fail("size", f"{clip.info.width}x{clip.info.height}, not {expected.size}")
        return
    if clip.info.sample_aspect != expected.aspect:
        told.fail("aspect", f"{clip.info.sample_aspect}, not {expected.aspect}")
    seen = [_shown(item, frame.image) for frame in frames]
    numbers = tuple(_number(item, shown) for shown in seen)
    if numbers != expected.numbers:
        told.fail("order", f"frames {numbers}, not {expected.numbers}")
    elif item.colour in _HDR:
        _check_greys(item, seen, expected.colours, told)
    else:
        _check_colours("colour", seen, expected.colours, LEVELS, told)


def _shown(item: Item, image: np.ndarray) -> Floats:
    return pictures.shown_means(image, item.turn, margin=_margin(item))


def _number(item: Item, shown: Floats) -> int:
    return pictures.number_of(pictures.unturned(shown, item.turn))


def _check_colours(
    kind: str, seen: Sequence[Floats], wanted: Sequence[Floats], levels: float, told: Telling
) -> None:
    differences = [np.abs(a - b).max() for a, b in zip(seen, wanted, strict=True)]
    worst = int(np.argmax(differences))
    if differences[worst] > levels:
        place = np.unravel_index(
            np.abs(seen[worst] - wanted[worst]).max(axis=-1).argmax(), seen[worst].shape[:2]
        )
        told.fail(
            kind,
            f"frame {worst} differs by {differences[worst]:.1f} levels, "
            f"{seen[worst][place].round(1).tolist()} not {wanted[worst][place].round(1).tolist()}",
        )


def _check_greys(
    item: Item, seen: Sequence[Floats], coded: Sequence[Floats], told: Telling
) -> None:
    """High dynamic range may be mapped in many ways, but grey stays as grey as the codec has it."""
    worst = _worst_tint(item, seen)
    # Mapping tones stretches the little colour that a codec leaves in grey.
    if worst > 4 * LEVELS + 4 * _worst_tint(item, coded):
        told.fail("colour", f"greys of an HDR clip are coloured by {worst:.1f} levels")


def _worst_tint(item: Item, seen: Sequence[Floats]) -> float:
    upright = [pictures.unturned(shown, item.turn) for shown in seen]
    return max(float(np.ptp(shown[place])) for shown in upright for place in pictures.GREYS)


def _check_times(item: Item, expected: Expected, clip: Clip, told: Telling) -> None:
    info = clip.info
    if item.container in kinds.UNTIMED or info.frame_count != len(expected.times_s):
        return
    worst = _worst_time_s([time * info.time_base for time in info.times], expected)
    if worst > expected.tolerance_s:
        told.fail("times", f"{float(worst):.4f} s beside where a frame was written")
    if item.rate in ("variable", "1 frame"):
        return
    length_s = expected.times_s[-1] - expected.times_s[0]
    read_s = [time for time in expected.read_s if time is not None]
    rates = [kinds.RATES[item.rate]]
    if len(read_s) == len(expected.times_s):
        rates.append((len(read_s) - 1) / (read_s[-1] - read_s[0]))
    error = min(abs(info.frame_rate / rate - 1) for rate in rates)
    if error > 2 * expected.tolerance_s / length_s:
        told.fail("rate", f"{info.frame_rate}, not {item.rate}")


def _worst_time_s(times_s: Sequence[Fraction], expected: Expected) -> Fraction:
    """How far any frame's time, counted from the first, is from where it was written.

    Where FFmpeg reads other times than were written, the container had no place for those.
    """
    read_s = [time for time in expected.read_s if time is not None]
    wanted = [expected.times_s, read_s] if len(read_s) == len(times_s) else [expected.times_s]
    return min(_worst_difference(times_s, each) for each in wanted)


def _worst_difference(times_s: Sequence[Fraction], wanted_s: Sequence[Fraction]) -> Fraction:
    return max(
        abs((found - times_s[0]) - (wanted - wanted_s[0]))
        for found, wanted in zip(times_s, wanted_s, strict=True)
    )


def _check_random_access(clip: Clip, frames: Sequence[Frame], told: Telling) -> None:
    for index in _scattered(len(frames)):
        (alone,) = clip.frames(index, index + 1)
        if not np.array_equal(alone.image, frames[index].image):
            told.fail("access", f"frame {index} alone is not frame {index} of all")


def _scattered(count: int) -> Iterator[int]:
    """Places to jump to, backwards and forwards."""
    yield from dict.fromkeys((count - 1, 0, count // 2, max(count // 2 - 1, 0), min(1, count - 1)))


def _check_app(item: Item, made: Made, clip: Clip, frames: Sequence[Frame], told: Telling) -> None:
    try:
        from tests.corpus import app
    except ImportError:  # Qt lacks libraries of the system
        return
    rate = kinds.RATES[item.rate] if item.container in kinds.PICTURES else None
    order = (*range(len(frames)), *_scattered(len(frames)))
    for difference in app.differences(made.path, rate, clip, frames, order):
        told.fail("app", difference)


def _check_round_trip(
    item: Item, expected: Expected, clip: Clip, frames: Sequence[Frame], told: Telling
) -> None:
    suffix = ("mp4", "mkv", "mov")[crc32(item.name.encode()) % 3]
    output = told.folder / f"result.{suffix}"
    writer = None
    with told.refusing():
        writer = open_writer(output, clip)
    if writer is None:
        return
    with writer:
        for frame in frames:
            writer.write(frame)
        told.warn(writer.warnings)
    written = reading.film(output)
    kind = f"written as {suffix}"
    numbers = tuple(_number(item, _shown(item, image)) for image in written.images)
    if numbers != expected.numbers:
        told.fail(kind, f"frames {numbers}, not {expected.numbers}")
        return
    _check_written(item, kind, expected, written, frames, told)
    with told.at_work(kind):
        _check_sound(kind, expected.sound, output, told)


def _check_written(
    item: Item,
    kind: str,
    expected: Expected,
    written: reading.Film,
    frames: Sequence[Frame],
    told: Telling,
) -> None:
    times_s = [time for time in written.times_s if time is not None]
    worst = _worst_time_s(times_s, expected)
    if item.container not in kinds.UNTIMED and worst > expected.tolerance_s + written.tick_s:
        told.fail(kind, f"times {float(worst):.4f} s beside where a frame was written")
    height, width = written.images[0].shape[:2]
    shape = Fraction(width, height) * written.sample_aspect
    wanted = Fraction(*expected.size) * expected.aspect
    if abs(shape / wanted - 1) > Fraction(2, 100):
        told.fail(kind, f"shown {float(shape):.3f} wide by 1 high, not {float(wanted):.3f}")
    if item.colour not in _HDR:
        seen = [_shown(item, image) for image in written.images]
        given = [_shown(item, frame.image) for frame in frames]
        _check_colours(f"{kind}, colour", seen, given, WRITTEN_LEVELS, told)


def _check_sound(kind: str, before: Sequence[sounds.Heard], output: Path, told: Telling) -> None:
    after = reading.tracks(output)
    if len(after) != len(before):
        told.fail(kind, f"{len(after)} sound tracks of {len(before)}")
        return
    for number, (source, result) in enumerate(zip(before, after, strict=True)):
        for chirp, lag in enumerate(sounds.lags_s(source, result)):
            if lag is None:
                told.fail(kind, f"chirp {chirp} of sound track {number} is gone")
            elif abs(lag) > LAG_S:
                told.fail(
                    kind, f"chirp {chirp} of sound track {number} comes {1000 * lag:.2f} ms late"
                )
