"""What becomes of a sound track: copied or encoded, by container and by what players take.

The one table of this. Everything in it is tried with real packets (`rehearsal`) before it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import av

from fresco_media.sound.streams import codec_of

Policy = Literal["kept", "aac", "pcm"]
"""What sound is wanted: the source's own where it plays, AAC only, or samples without loss."""

COPY = "copy"

# What common players and editors take from each container. FFmpeg could store more.
_PLAYED = {
    "mp4": {"aac", "ac3", "eac3", "alac", "flac", "mp3", "opus"},
    "mov": {"aac", "ac3", "eac3", "alac", "mp3"},
    "matroska": {
        *("aac", "ac3", "eac3", "alac", "dts", "flac", "mlp", "mp2", "mp3", "opus", "truehd"),
        "vorbis",
    },
}
# Samples that MOV and Matroska hold as they are, and that players know.
_PCM = {
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
    *("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
}
# Codecs that lose nothing, or whose samples have a few bits each: as PCM nothing more is lost.
_EXACT_PREFIXES = ("pcm_", "adpcm_")
_EXACT = {
    *("alac", "als", "ape", "flac", "mlp", "s302m", "shorten", "truehd", "tta", "wavpack"),
    "wmalossless",
}
_AT_MOST_24_BITS = {"ape", "mlp", "s302m", "truehd", "tta", "wmalossless"}
# A decoder cannot begin with any packet of these.
_WHOLE_ONLY = {"mlp", "truehd"}
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1")
_ALAC_LAYOUTS = {"mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1(back)", "7.1(wide)"}
_UNSTATED_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1")
# How FLAC takes the channels where nothing else is stated, as MP4 keeps none of its statements.
_FLAC_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
# Samples in Matroska have no layout; players guess one of their number. Of three channels some
# guess 2.1 and others 3.0.
_NOT_GUESSED = 3
_FLAC_PCM = {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"}
# What the masks of both can say (Microsoft's WAVEFORMATEXTENSIBLE).
_IN_MASKS = {
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC"),
    *("TFL", "TFC", "TFR", "TBL", "TBC", "TBR"),
}
_WAVPACK_FORMATS = {"s16": "s16p", "s32": "s32p", "flt": "fltp"}
_AAC_BITS_PER_CHANNEL = 128_000


@dataclass(frozen=True, kw_only=True)
class TrackEncoding:
    """One way to keep a track: `codec` is an encoder's name or `COPY`.

    `rate` is in samples a second, `layout` and `sample_format` are FFmpeg's names. `is_exact` says
    that every sample of the source comes back, `is_placed` that the file says where each channel
    belongs, or that players guess it. From the byte `ends_at` of the source on the track is coded
    in another way and cannot be kept.
    """

    codec: str
    rate: int
    layout: str
    sample_format: str
    bit_rate: int = 0
    is_exact: bool = True
    is_placed: bool = True
    ends_at: int | None = None


def choices(
    stream: av.AudioStream,
    container: str,
    policy: Policy,
    *,
    is_lossless: bool = False,
    is_part: bool = False,
) -> list[TrackEncoding]:
    """The ways to keep `stream` in `container` ("mp4", "mov", "matroska"), the best first.

    `is_lossless` says that the pictures lose nothing, so that the sound should not either;
    `is_part` that the sound begins somewhere in the middle.
    """
    codec = codec_of(stream)
    found: list[TrackEncoding] = []
    is_wanted = policy == "kept" or (policy == "aac" and codec == "aac")
    may_copy = codec in _PLAYED[container] and not (is_part and _is_cut(codec, container))
    if is_wanted and may_copy and not _is_displaced(stream, codec, container):
        found.append(_same(stream, COPY))
    is_exact = loses_nothing(codec)
    if container != "mp4" and policy != "aac" and (is_exact or policy == "pcm"):
        pcm = _pcm_codec(stream, codec)
        layout = av.AudioLayout(stated_layout(stream.codec_context.layout))
        if pcm == codec and not is_stated(layout):
            # As many microphones as nobody has placed stay together only untouched.
            found.append(_same(stream, COPY))
        as_samples = _same(stream, pcm)
        if container == "matroska" and not _is_guessed(stream.codec_context.layout):
            found += _placed(as_samples)
            as_samples = replace(as_samples, is_placed=False)
        found.append(as_samples)
    if container == "mp4" and is_exact and is_lossless and policy == "kept":
        found += _alac(stream)
    in_aac = _aac_layout(stream)
    found.append(_aac(stream, in_aac))
    if in_aac not in {"mono", "stereo"}:
        found.append(_aac(stream, "stereo"))
    return found


def _is_cut(codec: str, container: str) -> bool:
    """Whether copied packets do not do for sound that begins in the middle of one.

    Matroska states how much of the first packets is not meant to be heard (`codec_delay`). Codecs
    that lose nothing are decoded and cut to the sample all the same, as not every player looks.
    """
    return codec in _WHOLE_ONLY or (container == "matroska" and codec in _EXACT)


def _is_displaced(stream: av.AudioStream, codec: str, container: str) -> bool:
    """Whether a copy would put channels where they do not belong."""
    layout = stream.codec_context.layout
    if codec != "flac" or container != "mp4" or not is_stated(layout):
        return False
    return not _is_one_of(layout, _FLAC_LAYOUTS)


def _is_guessed(layout: av.AudioLayout) -> bool:
    """Whether players find the places of channels from their number, or nobody has placed them."""
    if not is_stated(layout):
        return True
    return layout.nb_channels != _NOT_GUESSED and _is_one_of(layout, _UNSTATED_LAYOUTS)


def _is_one_of(layout: av.AudioLayout, by_count: tuple[str, ...]) -> bool:
    count = layout.nb_channels
    if count > len(by_count):
        return False
    return _places(layout) == _places(av.AudioLayout(by_count[count - 1]))


def _placed(samples: TrackEncoding) -> list[TrackEncoding]:
    """Codecs that hold the same samples and say where each channel belongs."""
    layout = av.AudioLayout(samples.layout)
    count = layout.nb_channels
    found: list[TrackEncoding] = []
    if not {channel.name for channel in layout.channels} <= _IN_MASKS:
        return found
    if samples.codec in _FLAC_PCM and count <= len(_FLAC_LAYOUTS):
        found.append(replace(samples, codec="flac"))
    # WavPack takes one channel for the middle and two for left and right.
    if count > 2 and samples.sample_format in _WAVPACK_FORMATS:
        form = _WAVPACK_FORMATS[samples.sample_format]
        found.append(replace(samples, codec="wavpack", sample_format=form))
    return found


def loses_nothing(codec: str) -> bool:
    """Whether every sample comes back from `codec`, or no more is lost by decoding it once."""
    return codec.startswith(_EXACT_PREFIXES) or codec in _EXACT


def stated_layout(layout: av.AudioLayout) -> str:
    """The name of `layout`; where the file states only a number of channels, the usual one."""
    count = layout.nb_channels
    if not is_stated(layout) and count <= len(_UNSTATED_LAYOUTS):
        return _UNSTATED_LAYOUTS[count - 1]
    return layout.name


def is_stated(layout: av.AudioLayout) -> bool:
    """Whether the file says where each channel belongs."""
    return not layout.name.endswith("channels") and not layout.name.startswith("ambisonic")


def _same(stream: av.AudioStream, codec: str) -> TrackEncoding:
    context = stream.codec_context
    sample_format = context.format.packed.name if context.format else "s16"
    return TrackEncoding(
        codec=codec,
        rate=context.sample_rate,
        layout=stated_layout(context.layout),
        sample_format=_PCM_FORMATS.get(codec, sample_format),
    )


_PCM_FORMATS = {
    **{"pcm_s16le": "s16", "pcm_s16be": "s16", "pcm_s24le": "s32", "pcm_s24be": "s32"},
    **{"pcm_s32le": "s32", "pcm_s32be": "s32", "pcm_f32le": "flt", "pcm_f32be": "flt"},
    **{"pcm_f64le": "dbl", "pcm_f64be": "dbl"},
}


def _pcm_codec(stream: av.AudioStream, codec: str) -> str:
    """The PCM that holds every sample of what `codec` decodes to, if it loses nothing."""
    if codec in _PCM:
        return codec
    if not loses_nothing(codec):
        return "pcm_s16le"
    # Decoders have no samples of 24 bits, and put them into larger ones.
    integers = "pcm_s24le" if codec in _AT_MOST_24_BITS else "pcm_s32le"
    known = {"flt": "pcm_f32le", "dbl": "pcm_f64le", "s32": integers, "s64": "pcm_s32le"}
    return known.get(stream.codec_context.format.packed.name, "pcm_s16le")


def _alac(stream: av.AudioStream) -> list[TrackEncoding]:
    same = _same(stream, "alac")
    if same.layout not in _ALAC_LAYOUTS or same.sample_format not in {"u8", "s16", "s32"}:
        return []
    return [replace(same, sample_format="s32p" if same.sample_format == "s32" else "s16p")]


def _aac(stream: av.AudioStream, layout: str) -> TrackEncoding:
    rate = aac_rate(stream.codec_context.sample_rate)
    channels = av.AudioLayout(layout).nb_channels
    return TrackEncoding(
        codec="aac",
        rate=rate,
        layout=layout,
        sample_format="fltp",
        bit_rate=min(_AAC_BITS_PER_CHANNEL, 4 * rate) * channels,
        is_exact=False,
    )


def aac_rate(rate: int) -> int:
    """The rate to encode AAC at that loses nothing of `rate` and that every player takes."""
    if rate > _AAC_RATES[-1]:
        return 44100 if rate % 44100 == 0 else 48000
    return next(known for known in _AAC_RATES if known >= rate)


def _aac_layout(stream: av.AudioStream) -> str:
    """The smallest layout of those that every player takes, with room for all channels."""
    layout = av.AudioLayout(stated_layout(stream.codec_context.layout))
    if not is_stated(layout):
        return "stereo"
    wanted = _places(layout)
    for name in _AAC_LAYOUTS:
        if wanted <= _places(av.AudioLayout(name)):
            return name
    return "5.1"


def _places(layout: av.AudioLayout) -> set[str]:
    # Players take the channels at the sides and those at the back for each other.
    # What was mixed down to two channels for players of two is left and right to all others.
    names = {{"DL": "FL", "DR": "FR"}.get(one.name, one.name) for one in layout.channels}
    if not names & {"BL", "BR"}:
        names = {{"SL": "BL", "SR": "BR"}.get(name, name) for name in names}
    return names
