"""The corpus as a list: which combinations of values are made, each under a name of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache

from tests.corpus import kinds
from tests.corpus.pairs import Axis, Pair, combinations
from tests.corpus.pictures import is_rgb

SILENCE = "silent"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One clip of the corpus, by its value on every axis."""

    container: str
    codec: str
    pixels: str
    rate: str
    sound: str
    channels: str
    shape: str
    turn: str
    colour: str
    aspect: str
    start: str
    group: str

    @property
    def name(self) -> str:
        """A name that says all of it, made of what a shell and every file system take."""
        words = [*asdict(self).values()]
        return "-".join(word.replace(" ", "").replace("/", ".").replace(":", "x") for word in words)


AXES: tuple[Axis, ...] = (
    ("container", (*kinds.MUXERS, *kinds.PICTURES)),
    ("codec", tuple(kinds.VIDEO)),
    ("pixels", tuple(sorted({name for codec in kinds.VIDEO.values() for name in codec.formats}))),
    ("rate", tuple(kinds.RATES)),
    ("sound", (SILENCE, *kinds.SOUND)),
    ("channels", (SILENCE, *kinds.LAYOUTS)),
    ("shape", (SILENCE, *kinds.SHAPES)),
    ("turn", kinds.TURNS),
    ("colour", tuple(kinds.COLOURS)),
    ("aspect", tuple(kinds.ASPECTS)),
    ("start", kinds.STARTS),
    ("group", kinds.GROUPS),
)

COVERED: tuple[Pair, ...] = (
    ("container", "codec"),
    ("codec", "pixels"),
    ("container", "sound"),
    ("container", "rate"),
    ("container", "start"),
    ("container", "group"),
    ("container", "shape"),
    ("container", "channels"),
    ("container", "turn"),
    ("container", "aspect"),
    ("codec", "group"),
    ("pixels", "colour"),
    ("sound", "channels"),
    ("sound", "shape"),
    ("rate", "start"),
    ("rate", "group"),
    ("rate", "shape"),
    ("start", "shape"),
    ("start", "group"),
    ("turn", "aspect"),
)
"""Pairs of axes of which every possible combination of two values occurs in some item."""


@cache
def all_items() -> tuple[Item, ...]:
    """Every item, in an order that stays."""
    return tuple(Item(**chosen) for chosen in combinations(AXES, COVERED, fits))


@cache
def suite_items() -> tuple[Item, ...]:
    """The first items of `all_items` that together have every value of every axis."""
    values = {item: frozenset(asdict(item).items()) for item in all_items()}
    missing = set[tuple[str, str]]().union(*values.values())
    chosen: list[Item] = []
    while missing:
        best = max(values, key=lambda item: len(missing & values[item]))
        chosen.append(best)
        missing -= values[best]
    return tuple(chosen)


def fits(first: tuple[str, str], second: tuple[str, str]) -> bool:
    """Whether two values, each with its axis, can be had in one file."""
    for one, other in ((first, second), (second, first)):
        rule = _RULES.get((one[0], other[0]))
        if rule is not None and not rule(one[1], other[1]):
            return False
    return True


def _codec_in_container(codec: str, container: str) -> bool:
    return container in kinds.VIDEO[codec].containers


def _pixels_of_codec(codec: str, pixels: str) -> bool:
    return pixels in kinds.VIDEO[codec].formats


def _group_of_codec(codec: str, group: str) -> bool:
    return group in kinds.VIDEO[codec].groups


def _rate_of_codec(codec: str, rate: str) -> bool:
    return not kinds.VIDEO[codec].rates or rate in kinds.VIDEO[codec].rates


def _sound_in_container(sound: str, container: str) -> bool:
    if sound == SILENCE:
        return True
    return container not in kinds.SILENT and container in kinds.SOUND[sound].containers


def _channels_of_sound(sound: str, channels: str) -> bool:
    if SILENCE in (sound, channels):
        return sound == channels
    is_counted = kinds.CHANNELS[channels] in kinds.SOUND[sound].channels
    return is_counted and (channels != "no layout" or sound.startswith("pcm"))


def _channels_in_container(container: str, channels: str) -> bool:
    if container == "flv":
        # FFmpeg does not read back what it writes there of more channels.
        return channels in (SILENCE, "mono", "stereo")
    return channels != "no layout" or container in kinds.LAYOUTLESS


def _shape_of_sound(sound: str, shape: str) -> bool:
    return (sound == SILENCE) == (shape == SILENCE)


def _rate_in_container(container: str, rate: str) -> bool:
    if rate == "variable":
        return container in kinds.TIMED
    if container in kinds.FEW_RATES and rate not in kinds.FEW_RATES[container]:
        return False
    codecs = (codec for codec in kinds.VIDEO.values() if container in codec.containers)
    return any(not codec.rates or rate in codec.rates for codec in codecs)


def _start_in_container(container: str, start: str) -> bool:
    return start == "zero" or start in kinds.STARTS_OF.get(container, ())


def _group_in_container(container: str, group: str) -> bool:
    return group in kinds.GROUPS_OF.get(container, kinds.GROUPS)


def _start_of_codec(codec: str, start: str) -> bool:
    # FFmpeg's decoders of these do not come well through frames that are hidden.
    return codec not in ("rpza", "mpeg1") or start != "negative"


def _rate_at_start(rate: str, start: str) -> bool:
    return rate != "1 frame" or start != "negative"


def _shape_in_container(container: str, shape: str) -> bool:
    return shape in (SILENCE, "whole") or shape in kinds.SHAPES_OF.get(container, ())


def _turn_in_container(container: str, turn: str) -> bool:
    if turn.startswith("mirrored"):
        return container in kinds.MIRRORING
    return turn == "upright" or container in kinds.TURNING


def _aspect_in_container(container: str, aspect: str) -> bool:
    return aspect == "1:1" or container in kinds.ANAMORPHIC


def _colour_of_pixels(pixels: str, colour: str) -> bool:
    if is_rgb(pixels):
        return colour in ("unstated", "srgb")
    if pixels.startswith("yuvj"):
        return colour in ("bt601 full", "bt709 full")
    return colour != "srgb"


def _shape_at_start(shape: str, start: str) -> bool:
    return start != "late picture" or shape in ("whole", "two tracks")


def _sound_at_start(sound: str, start: str) -> bool:
    return start != "late picture" or sound != SILENCE


def _rate_of_group(group: str, rate: str) -> bool:
    return rate != "1 frame" or group == "intra"


_RULES = {
    ("codec", "container"): _codec_in_container,
    ("codec", "pixels"): _pixels_of_codec,
    ("codec", "group"): _group_of_codec,
    ("codec", "rate"): _rate_of_codec,
    ("sound", "container"): _sound_in_container,
    ("sound", "channels"): _channels_of_sound,
    ("container", "channels"): _channels_in_container,
    ("sound", "shape"): _shape_of_sound,
    ("container", "rate"): _rate_in_container,
    ("container", "group"): _group_in_container,
    ("codec", "start"): _start_of_codec,
    ("rate", "start"): _rate_at_start,
    ("container", "start"): _start_in_container,
    ("container", "shape"): _shape_in_container,
    ("container", "turn"): _turn_in_container,
    ("container", "aspect"): _aspect_in_container,
    ("pixels", "colour"): _colour_of_pixels,
    ("shape", "start"): _shape_at_start,
    ("sound", "start"): _sound_at_start,
    ("group", "rate"): _rate_of_group,
}
