"""The values of every axis of the corpus, and which of them can be had together."""

from __future__ import annotations

from fractions import Fraction

from tests.corpus.delivery import DELIVERY
from tests.corpus.editing import EDITING
from tests.corpus.sound_codecs import SOUND

__all__ = ["SOUND"]

VIDEO = {**DELIVERY, **EDITING}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


RAW_STREAMS = _words("h264 hevc obu mpeg1video mpeg2video h261 h263 mjpeg dnxhd dirac")
"""Files that are nothing but coded pictures: no clock, no sound."""
PICTURES = tuple(
    f"pictures.{kind}" for kind in ("png", "jpg", "webp", "jp2", "tga", "tif", "bmp", "dpx", "exr")
)
SILENT = frozenset((*RAW_STREAMS, *PICTURES, "ivf", "avif", "apng", "gif", "webp", "y4m"))
"""Containers that hold no sound."""

MUXERS = {
    **{name: name for name in ("mp4", "mov", "avi", "flv", "f4v", "mxf", "nut", "3gp", "3g2")},
    **{name: name for name in (*RAW_STREAMS, "ivf", "avif", "apng", "gif", "webp", "asf", "rm")},
    **{name: name for name in ("swf", "wtv", "film_cpk", "dv", "vob", "vcd", "svcd")},
    **{"mkv": "matroska", "webm": "webm", "ts": "mpegts", "m2ts": "mpegts", "mpg": "mpeg"},
    **{"m4v": "ipod", "ismv": "ismv", "dvd": "dvd", "ogg": "ogg", "y4m": "yuv4mpegpipe"},
}
"""FFmpeg's name of each container; those of pictures are "image2"."""

RATES: dict[str, Fraction] = {
    "24": Fraction(24),
    "25": Fraction(25),
    "30000/1001": Fraction(30000, 1001),
    "60000/1001": Fraction(60000, 1001),
    "120": Fraction(120),
    "12": Fraction(12),
    "12000/1001": Fraction(12000, 1001),
    "variable": Fraction(1000),
    "1 frame": Fraction(25),
}
VARIABLE_MS = (0, 33, 67, 133, 150, 250, 283, 400, 433, 466, 533, 600)
"""When the frames of a clip of variable rate are shown."""

LAYOUTS = {"mono": "mono", "stereo": "stereo", "5.1": "5.1", "7.1": "7.1", "no layout": "2C"}
SHAPES = ("whole", "late start", "early end", "hole", "two tracks")

COLOURS: dict[str, tuple[int, int, int, int]] = {
    "unstated": (2, 2, 2, 0),
    "bt601": (6, 6, 6, 1),
    "bt601 full": (5, 6, 5, 2),
    "bt709": (1, 1, 1, 1),
    "bt709 full": (1, 1, 1, 2),
    "bt2020": (9, 14, 9, 1),
    "pq": (9, 16, 9, 1),
    "hlg": (9, 18, 9, 1),
    "srgb": (1, 13, 0, 2),
}
"""Primaries, transfer, matrix (ITU-T H.273) and range (1 limited, 2 full)."""

TURNS = ("upright", "90", "180", "270", "mirrored", "mirrored 90")
ASPECTS: dict[str, Fraction] = {
    "1:1": Fraction(1),
    "4:3": Fraction(4, 3),
    "10:11": Fraction(10, 11),
}
STARTS = ("zero", "later", "late picture", "negative", "wrapping")
GROUPS = ("intra", "ipp", "b-frames", "open-gop", "interlaced")

CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8, "no layout": 2}
TIMED = _words("mp4 mov m4v mkv webm flv f4v ts m2ts nut 3gp 3g2 asf ismv")
"""Containers that store a time with every frame."""
_MXF_RATES = _words("24 25 30000/1001 60000/1001")
_GIF_RATES = ("24", "25", "12", "12000/1001", "30000/1001")
FEW_RATES: dict[str, tuple[str, ...]] = {
    "mxf": (*_MXF_RATES, "1 frame"),
    "gif": (*_GIF_RATES, "1 frame"),
    "webp": ("25", "1 frame"),
    "dv": ("25", "30000/1001"),
    "h263": ("24", "25", "30000/1001", "12", "12000/1001", "1 frame"),
}
_MOVABLE = ("later", "late picture", "negative")
STARTS_OF: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_words("mp4 mov m4v mkv webm nut flv f4v 3gp asf"), _MOVABLE),
    **dict.fromkeys(_words("ts m2ts mpg"), (*_MOVABLE, "wrapping")),
    **dict.fromkeys(_words("vob wtv 3g2 ismv"), ("late picture",)),
    "ogg": ("later", "late picture"),
}
GROUPS_OF = {"asf": ("intra", "ipp")}
"""ASF stores one time for each picture, that of decoding."""
UNTIMED = (*RAW_STREAMS, *PICTURES)
"""Containers whose times and rates are what one says they are."""
HIDING = _words("mp4 mov m4v 3gp")
"""Containers that hide what comes before zero."""
_ANY_SHAPE = ("late start", "early end", "hole", "two tracks")
SHAPES_OF: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_words("mp4 mov m4v mkv webm nut ts m2ts 3gp asf"), _ANY_SHAPE),
    **dict.fromkeys(_words("flv f4v ogg"), ("late start", "early end", "hole")),
    **dict.fromkeys(_words("mpg vob wtv avi"), ("early end", "two tracks")),
    "mxf": ("two tracks",),
    "rm": ("early end",),
}
MIRRORING = _words("mp4 mov m4v 3gp 3g2 f4v")
TURNING = (*MIRRORING, "mkv")
ANAMORPHIC = _words("mp4 mov m4v mkv webm nut avi asf 3gp mxf ts mpg y4m h264 hevc flv")


LAYOUTLESS = _words("mov mkv avi nut mxf asf")
"""Containers that take PCM without a word about where its channels belong."""
SUFFIXES = {
    **{"asf": "wmv", "film_cpk": "cpk", "apng": "png", "dirac": "drc"},
    **{"vcd": "mpg", "svcd": "mpg", "dvd": "mpg", "mpeg1video": "m1v", "mpeg2video": "m2v"},
}
"""Endings of file names that are not the container's name."""


def period_s(rate: str) -> Fraction:
    """The seconds from one frame to the next, a usual one where they vary."""
    return Fraction(1, 25) if rate == "variable" else 1 / RATES[rate]
