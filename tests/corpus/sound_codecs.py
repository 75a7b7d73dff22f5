"""Codecs of sound."""

from __future__ import annotations

from tests.corpus.codecs import (
    SoundCodec,
    sound,
)

SOUND: dict[str, SoundCodec] = {
    "pcm_s16le": sound("pcm_s16le", "mkv mov mp4 avi nut mxf asf wtv"),
    "pcm_s16be": sound("pcm_s16be", "mkv mov nut mpg"),
    "pcm_s24le": sound("pcm_s24le", "mkv mov mp4 avi nut mxf"),
    "pcm_s32le": sound("pcm_s32le", "mkv mov avi nut"),
    "pcm_f32le": sound("pcm_f32le", "mkv mov mp4 avi nut"),
    "pcm_f64le": sound("pcm_f64le", "mkv mov avi nut"),
    "pcm_u8": sound("pcm_u8", "mkv mov avi nut"),
    "pcm_alaw": sound("pcm_alaw", "mov avi nut asf", rate=8000, channels=(1, 2)),
    "pcm_mulaw": sound("pcm_mulaw", "mov avi nut asf", rate=8000, channels=(1, 2)),
    "pcm_bluray": sound("pcm_bluray", "m2ts", channels=(1, 2)),
    "pcm_dvd": sound("pcm_dvd", "vob dvd", channels=(2,)),
    "aac": sound("aac", "mp4 mov m4v mkv avi flv f4v ts m2ts nut 3gp 3g2 asf ismv"),
    "mp3": sound("libmp3lame", "mp4 mov mkv avi flv ts mpg nut asf", channels=(1, 2)),
    "mp3-44k": sound("libmp3lame", "swf flv avi", rate=44100, channels=(1, 2)),
    "mp2": sound("mp2", "mpg vob dvd svcd ts m2ts mkv mov avi nut wtv", channels=(1, 2)),
    "mp2-44k": sound("mp2", "vcd svcd", rate=44100, channels=(1, 2)),
    "ac3": sound("ac3", "mp4 mov m4v mkv avi ts m2ts mpg vob dvd nut rm wtv", channels=(1, 2, 6)),
    "eac3": sound("eac3", "mp4 mov mkv ts m2ts nut", channels=(1, 2, 6)),
    "opus": sound("libopus", "webm mkv mp4 ogg ts nut flv"),
    "vorbis": sound("vorbis", "webm mkv ogg nut", channels=(2,)),
    "flac": sound("flac", "mkv mp4 ogg"),
    "alac": sound("alac", "mov mp4 m4v mkv", channels=(1, 2, 6)),
    "wavpack": sound("wavpack", "mkv nut", channels=(1, 2, 6)),
    "adpcm_ms": sound("adpcm_ms", "avi nut", rate=44100, channels=(1, 2)),
    "adpcm_ima_wav": sound("adpcm_ima_wav", "avi", rate=44100, channels=(1, 2)),
    "adpcm_ima_qt": sound("adpcm_ima_qt", "mov", rate=44100, channels=(1, 2)),
    "adpcm_swf": sound("adpcm_swf", "flv avi nut", rate=44100, channels=(1, 2)),
    "adpcm_yamaha": sound("adpcm_yamaha", "avi nut", rate=44100, channels=(1, 2)),
    "nellymoser": sound("nellymoser", "flv", rate=44100, channels=(1,)),
    "g722": sound("g722", "nut", rate=16000, channels=(1,)),
    "g726": sound("g726", "avi", rate=8000, channels=(1,), bit_rate=32000),
    "amr": sound("libopencore_amrnb", "3gp 3g2 mov nut", rate=8000, channels=(1,), bit_rate=12200),
    "wmav1": sound("wmav1", "asf avi", rate=44100, channels=(1, 2), bit_rate=128000),
    "wmav2": sound("wmav2", "asf avi", rate=44100, channels=(1, 2), bit_rate=128000),
    "dv-pcm": sound("pcm_s16le", "dv", channels=(2,)),
}
