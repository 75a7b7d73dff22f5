"""Whatever sound a clip has, its result plays, in sync to the millisecond, with all its tracks."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
import pytest
from av.stream import Disposition
from fresco_media.clip import Clip
from fresco_media.sound.choices import aac_rate
from fresco_media.writing.encode import Encoder, Target

from tests.media.hearing import (
    FPS,
    RATE,
    Heard,
    Track,
    heard,
    late_ms,
    loudness,
    rewritten,
    signal,
    write_sounding,
)

HALF_S = 13 / 25


def codecs_in(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.codec_context.name for stream in container.streams.audio]


def time_of(path: Path, index: int) -> Fraction:
    info = Clip.open(path).info
    return info.times[index] * info.time_base


def tracks_in(path: Path) -> list[tuple[str, str, Disposition]]:
    """Title, language and flags of every sound track."""
    with av.open(str(path)) as container:
        return [
            (
                stream.metadata.get("title") or stream.metadata.get("name", ""),
                stream.metadata.get("language", ""),
                stream.disposition,
            )
            for stream in container.streams.audio
        ]


@pytest.mark.parametrize(
    ("name", "video", "track"),
    [
        ("pcm.mkv", "libx264", Track(codec="pcm_s16le")),
        ("pcm.avi", "mjpeg", Track(codec="pcm_s16le", rate=44100)),
        ("five.mkv", "libx264", Track(codec="pcm_s16le", layout="5.1")),
        ("eight.mov", "libx264", Track(codec="pcm_s16be", layout="7.1")),
        ("quad.mov", "libx264", Track(codec="pcm_s24le", layout="quad")),
        ("sixteen.mov", "libx264", Track(codec="pcm_s16le", layout="hexadecagonal")),
        ("studio.mov", "libx264", Track(codec="pcm_s24le", rate=192_000)),
        ("float.mov", "libx264", Track(codec="pcm_f32le", layout="mono")),
        ("bytes.avi", "mjpeg", Track(codec="pcm_u8", rate=11025, layout="mono")),
        ("disc.m2ts", "libx264", Track(codec="pcm_bluray")),
        ("cctv.avi", "mjpeg", Track(codec="pcm_mulaw", rate=8000, layout="mono")),
        ("phone.mov", "libx264", Track(codec="pcm_alaw", rate=8000, layout="mono")),
        ("camera.avi", "mjpeg", Track(codec="adpcm_ima_wav", rate=22050, layout="mono")),
        ("old.avi", "mjpeg", Track(codec="adpcm_ms", rate=11025)),
        ("old.mov", "libx264", Track(codec="adpcm_ima_qt", rate=44100, layout="mono")),
        ("two.wmv", "wmv2", Track(codec="wmav2", rate=44100)),
        ("one.wmv", "wmv2", Track(codec="wmav1", rate=22050, layout="mono")),
        ("web.flv", "flv", Track(codec="nellymoser", rate=22050, layout="mono")),
        ("phone.3gp", "libx264", Track(codec="libopencore_amrnb", rate=8000, layout="mono")),
        ("tv.mkv", "libx264", Track(codec="mp2")),
        ("true.mkv", "libx264", Track(codec="tta", rate=44100)),
        ("pack.mkv", "libx264", Track(codec="wavpack", rate=44100)),
        ("tape.mxf", "mpeg2video", Track(codec="pcm_s16le")),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_sound_that_few_players_take_in_mp4_is_encoded_in_sync_and_told(
    tmp_path: Path, name: str, video: str, track: Track
) -> None:
    source = write_sounding(tmp_path / name, track, video=video)
    begins_s, part_s = (float(time_of(source, index)) for index in (0, 13))
    zero_s = begins_s if begins_s >= 1 else 0
    expected = heard(source, seconds=2.5 + zero_s)

    said = rewritten(source, tmp_path / "whole.mp4")
    rewritten(source, tmp_path / "part.mp4", 13, 40)

    assert "encoded anew as AAC" in said[0]
    assert codecs_in(tmp_path / "whole.mp4") == ["aac"]
    whole, part = heard(tmp_path / "whole.mp4"), heard(tmp_path / "part.mp4")
    played, cut = (expected[round(start_s * RATE) :] for start_s in (zero_s, part_s))
    assert abs(late_ms(whole, played, 0.1, 0.4)) <= 1
    assert abs(late_ms(whole, played, 1.4, 1.8)) <= 1
    assert abs(late_ms(part, cut, 0.1, 0.4)) <= 1
    assert abs(late_ms(part, cut, 0.6, 1.0)) <= 1
    assert loudness(part, 0.0, 0.04) > 0.02
    assert loudness(part, 27 / 25 + 0.05, 2) < 0.01


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
@pytest.mark.parametrize(
    ("name", "track"),
    [
        ("a.mov", Track(codec="pcm_s16be")),
        ("a.mov", Track(codec="pcm_s24le", rate=96_000, layout="5.1")),
        ("a.mkv", Track(codec="flac", rate=44_100)),
        ("a.mkv", Track(codec="pcm_f64le", layout="mono")),
    ],
    ids=["s16be", "s24le", "flac", "f64le"],
)
def test_samples_without_loss_stay_without_loss_in_mov_and_mkv(
    tmp_path: Path, name: str, track: Track, suffix: str
) -> None:
    source = write_sounding(tmp_path / name, track)

    said = rewritten(source, tmp_path / f"b{suffix}")
    rewritten(source, tmp_path / f"part{suffix}", 13, 40)

    assert said == ()
    before, after = heard(source), heard(tmp_path / f"b{suffix}")
    assert abs(before - after).max() < 1e-4
    part = heard(tmp_path / f"part{suffix}")
    assert abs(late_ms(part, before[round(HALF_S * 48_000) :], 0.2, 1.0)) <= 1


def write_samples(
    path: Path, codec: str, sample_format: str, samples: Heard, **options: str
) -> Path:
    """A second of pictures and these samples, (n,) from -2 to 2 at 48 kHz, in both channels."""
    with av.open(str(path), "w") as output:
        picture = output.add_stream("libx264", rate=25)
        assert isinstance(picture, av.VideoStream)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = output.add_stream(codec, rate=RATE, options=options)
        assert isinstance(sound, av.AudioStream)
        sound.codec_context.layout, sound.codec_context.format = "stereo", sample_format
        for index in range(25):
            shade = np.full((48, 64, 3), 40 + index, np.uint8)
            output.mux(picture.encode(av.VideoFrame.from_ndarray(shade)))
        both = np.stack([samples, samples]).astype(np.float32)
        step = int(options.get("frame_size", 960))
        for begin in range(0, len(samples), step):
            block = np.ascontiguousarray(both[:, begin : begin + step])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = RATE, begin
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
        output.mux(picture.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_samples_beyond_full_scale_stay_there_whatever_held_them(
    tmp_path: Path, suffix: str
) -> None:
    source = write_samples(tmp_path / "a.mkv", "wavpack", "fltp", 3 * signal(1.0))

    said = rewritten(source, tmp_path / f"b{suffix}")

    assert said == ()
    assert codecs_in(tmp_path / f"b{suffix}") == ["pcm_f32le"]
    before, after = heard(source, seconds=1), heard(tmp_path / f"b{suffix}", seconds=1)
    assert abs(before).max() > 1.7
    assert abs(before - after).max() < 1e-6


def test_packets_shorter_than_the_stamps_of_their_file_are_all_kept(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "disc.mkv", "flac", "s16", signal(1.0), frame_size="40")

    said = rewritten(source, tmp_path / "b.mkv")

    assert said == ()
    assert codecs_in(tmp_path / "b.mkv") == ["flac"]
    assert packets_in(tmp_path / "b.mkv") == packets_in(source)


def packets_in(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(one) for one in container.demux(container.streams.audio[0]) if one.size]


@pytest.mark.parametrize(
    ("layout", "rate", "is_told"),
    [("stereo", RATE, False), ("mono", RATE, True), ("stereo", 44_100, True)],
)
def test_aac_that_changes_on_the_way_is_encoded_anew(
    tmp_path: Path, layout: str, rate: int, is_told: bool
) -> None:
    first = write_sounding(tmp_path / "1.ts", Track(codec="aac"))
    second = write_sounding(tmp_path / "2.ts", Track(codec="aac", layout=layout, rate=rate, seed=2))
    source = tmp_path / "a.ts"
    source.write_bytes(first.read_bytes() + second.read_bytes())

    said = rewritten(source, tmp_path / "b.mp4")

    assert any("its channels or its rate change" in text for text in said) == is_told
    after = heard(tmp_path / "b.mp4", seconds=4)
    for number, begin_s in ((1, 0.5), (2, 2.5)):
        played = np.concatenate([np.zeros(round((begin_s - 0.5) * RATE)), signal(2.0, seed=number)])
        assert abs(late_ms(after, played, begin_s, begin_s + 1)) <= 60


def test_more_channels_than_players_take_are_mixed_down_and_told(tmp_path: Path) -> None:
    source = write_sounding(tmp_path / "a.mov", Track(codec="pcm_s16le", layout="hexadecagonal"))

    (said,) = rewritten(source, tmp_path / "b.mp4")

    assert "encoded anew as AAC, with 16 channels mixed down to" in said


def test_a_track_that_cannot_be_decoded_is_told(tmp_path: Path) -> None:
    whole = Track(codec="mp2", damages=lambda _: True)
    source = write_sounding(tmp_path / "a.mkv", whole)

    said = rewritten(source, tmp_path / "b.mp4")

    assert any("cannot be decoded, so it is silent in the result" in text for text in said)


def test_sixteen_microphones_that_nobody_placed_stay_sixteen_in_mov(tmp_path: Path) -> None:
    source = write_sounding(tmp_path / "a.mkv", Track(codec="pcm_s16le", layout="hexadecagonal"))

    rewritten(source, tmp_path / "b.mov")
    rewritten(source, tmp_path / "b.mp4")

    with av.open(str(tmp_path / "b.mov")) as container:
        assert container.streams.audio[0].codec_context.layout.nb_channels == 16
    assert abs(late_ms(heard(tmp_path / "b.mp4"), signal(2.0), 0.2, 1.8)) <= 1


def test_a_lossless_mp4_loses_nothing_of_its_sound_either(tmp_path: Path) -> None:
    source = write_sounding(tmp_path / "a.mov", Track(codec="pcm_s16le"))

    said = rewritten(source, tmp_path / "b.mp4", codec="lossless")

    assert codecs_in(tmp_path / "b.mp4") == ["alac"]
    assert said == ()
    assert abs(heard(source) - heard(tmp_path / "b.mp4")).max() < 1e-4


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["aac", "pcm_s16le", "flac"])
def test_every_track_keeps_title_language_and_flags(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    tracks = [
        Track(codec=codec, metadata={"title": "Game", "language": "eng"}, seconds=1),
        Track(
            codec=codec,
            metadata={"title": "Mikrofon", "language": "deu"},
            flags=Disposition.default,
            seconds=1,
        ),
        Track(codec=codec, metadata={"language": "ukr"}, seconds=1),
        Track(codec=codec, metadata={"title": "日本語"}, seconds=1),
    ]
    source = write_sounding(tmp_path / "obs.mkv", *tracks, seconds=1)

    rewritten(source, tmp_path / f"b{suffix}")

    found = tracks_in(tmp_path / f"b{suffix}")
    assert [title for title, _, _ in found] == ["Game", "Mikrofon", "", "日本語"]
    assert [language or "und" for _, language, _ in found] == ["eng", "deu", "ukr", "und"]
    defaults = [bool(flags & Disposition.default) for _, _, flags in found]
    assert defaults == [False, True, False, False]


def test_flags_of_commentary_and_forced_tracks_are_kept(tmp_path: Path) -> None:
    flags = [Disposition.default, Disposition.comment, Disposition.forced, Disposition.original]
    tracks = [Track(codec="libopus", flags=flag, seconds=1) for flag in flags]
    source = write_sounding(tmp_path / "a.mkv", *tracks, seconds=1)

    rewritten(source, tmp_path / "b.mkv")

    assert [flag for _, _, flag in tracks_in(tmp_path / "b.mkv")] == flags


def test_titles_that_mp4_keeps_as_names_and_handlers_arrive(tmp_path: Path) -> None:
    titled = Track(codec="aac", metadata={"title": "Regie"}, seconds=1)
    handled = Track(codec="aac", metadata={"handler_name": "Lavalier 2"}, seconds=1)
    nameless = Track(codec="aac", seconds=1)
    source = write_sounding(tmp_path / "a.mp4", titled, handled, nameless, seconds=1)

    rewritten(source, tmp_path / "b.mkv")

    assert [title for title, _, _ in tracks_in(tmp_path / "b.mkv")] == ["Regie", "Lavalier 2", ""]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["pcm_s16le", "aac", "libopus", "mp2", "pcm_s24le"])
def test_a_hole_stays_a_hole(tmp_path: Path, codec: str, suffix: str) -> None:
    track = Track(codec=codec, keeps=lambda time_s: not 0.6 <= time_s < 1.2)
    source = write_sounding(tmp_path / "a.mkv", track)

    rewritten(source, tmp_path / f"b{suffix}")
    rewritten(source, tmp_path / f"part{suffix}", 10, 45)

    after = heard(tmp_path / f"b{suffix}")
    assert loudness(after, 0.7, 1.15) < 0.01
    assert abs(late_ms(after, signal(2.0), 0.1, 0.5)) <= 1
    assert abs(late_ms(after, signal(2.0), 1.4, 1.8)) <= 1
    part = heard(tmp_path / f"part{suffix}")
    assert loudness(part, 0.3, 0.75) < 0.01
    assert abs(late_ms(part, signal(2.0)[round(0.4 * 48_000) :], 1.0, 1.35)) <= 1


def test_one_lost_packet_moves_nothing_that_comes_later(tmp_path: Path) -> None:
    track = Track(
        codec="libopencore_amrnb",
        rate=8000,
        layout="mono",
        keeps=lambda time_s: abs(time_s - 0.8) > 0.005,
    )
    source = write_sounding(tmp_path / "a.3gp", track)

    rewritten(source, tmp_path / "b.mp4")

    assert abs(late_ms(heard(tmp_path / "b.mp4"), heard(source), 1.0, 1.8)) <= 1


@pytest.mark.parametrize(
    ("name", "codec", "suffix"),
    [("a.mkv", "mp2", ".mp4"), ("a.mkv", "flac", ".mov"), ("a.mov", "alac", ".mkv")],
)
def test_damaged_packets_leave_silence_and_shift_nothing(
    tmp_path: Path, name: str, codec: str, suffix: str
) -> None:
    track = Track(codec=codec, damages=lambda time_s: 0.6 <= time_s < 1.0)
    source = write_sounding(tmp_path / name, track)

    rewritten(source, tmp_path / f"b{suffix}")

    after = heard(tmp_path / f"b{suffix}")
    assert abs(late_ms(after, signal(2.0), 0.1, 0.5)) <= 1
    assert abs(late_ms(after, signal(2.0), 1.3, 1.8)) <= 1


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["pcm_s16le", "aac", "libopus", "mp2"])
def test_sound_that_begins_late_and_ends_early_does_so_in_the_result(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    late = Track(codec=codec, begins_s=0.5, seconds=0.9)
    source = write_sounding(tmp_path / "a.mkv", Track(codec=codec, seed=2), late)

    rewritten(source, tmp_path / f"b{suffix}")

    after, expected = heard(tmp_path / f"b{suffix}", 1), heard(source, 1)
    assert loudness(after, 0, 0.45) < 0.01
    assert abs(late_ms(after, expected, 0.7, 1.3)) <= 1
    assert loudness(after, 1.55, 2.4) < 0.01
    assert abs(late_ms(heard(tmp_path / f"b{suffix}", 0), signal(2.0, seed=2), 0.1, 1.8)) <= 1


def test_sound_that_begins_after_the_part_is_silent_in_it(tmp_path: Path) -> None:
    late = Track(codec="pcm_s16le", begins_s=1.5, seconds=0.5)
    source = write_sounding(tmp_path / "a.mkv", late)

    rewritten(source, tmp_path / "b.mp4", 0, 20)

    assert loudness(heard(tmp_path / "b.mp4"), 0, 2.5) < 0.01
    assert Clip.open(tmp_path / "b.mp4").info.frame_count == 20


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "pcm_s16le", "mp2"])
def test_a_track_without_any_sound_in_the_part_is_silent_or_told(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    late = Track(codec=codec, begins_s=1.5, seconds=0.5)
    source = write_sounding(tmp_path / "a.mkv", late, Track(codec="aac", seed=2))

    said = rewritten(source, tmp_path / f"b{suffix}", 0, 20)

    is_copied = any("sound track 1 holds no sound there" in text for text in said)
    assert is_copied or len(codecs_in(tmp_path / f"b{suffix}")) == 2
    assert not any("read back" in text for text in said)
    after = heard(tmp_path / f"b{suffix}", len(codecs_in(tmp_path / f"b{suffix}")) - 1)
    assert abs(late_ms(after, signal(2.0, seed=2), 0.1, 0.7)) <= 1


def test_rates_that_aac_knows_are_kept_and_others_become_the_next_one() -> None:
    rates = [7000, 8000, 11025, 11000, 22254, 44100, 48000, 88200, 96000, 192000]

    assert [aac_rate(rate) for rate in rates] == [
        *(8000, 8000, 11025, 11025, 24000, 44100, 48000, 44100, 48000, 48000)
    ]


def test_sound_that_cannot_be_kept_at_all_is_left_out_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_sounding(tmp_path / "a.mkv", Track(codec="aac", metadata={"title": "Mic"}))
    monkeypatch.setattr("fresco_media.sound.rehearsal.choices", lambda *_, **__: [])

    clip = Clip.open(source)
    encoder = Encoder(clip.info, Target(tmp_path / "b.mp4", "mp4", "h264"), 0, 50)
    said = encoder.warnings
    for frame in clip.frames():
        encoder.write(frame)
    encoder.finish()

    assert "sound track 1 (Mic) (aac) can be neither copied nor encoded" in said[0]
    assert codecs_in(tmp_path / "b.mp4") == []
    assert Clip.open(tmp_path / "b.mp4").info.frame_count == 50


def test_a_source_that_is_cut_off_during_the_work_costs_no_picture(tmp_path: Path) -> None:
    path = write_sounding(tmp_path / "a.mkv", Track(codec="pcm_s16le"), Track(codec="aac"))
    clip = Clip.open(path)
    frames = list(clip.frames())
    encoder = Encoder(clip.info, Target(tmp_path / "b.mp4", "mp4", "h264"), 0, 50)

    for frame in frames[:20]:
        encoder.write(frame)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)
    for frame in frames[20:]:
        encoder.write(frame)
    encoder.finish()

    assert Clip.open(tmp_path / "b.mp4").info.frame_count == 50
    assert len(codecs_in(tmp_path / "b.mp4")) == 2


def test_packets_that_the_muxer_refuses_later_cost_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_sounding(tmp_path / "a.mkv", Track(codec="libopus"))
    from fresco_media.sound.tracks import CopiedTrack

    write = CopiedTrack.write

    def refusing(self: CopiedTrack, packet: av.Packet) -> None:
        if (packet.pts or 0) * packet.time_base > 1:
            raise av.error.InvalidDataError(1094995529, "invalid data")
        write(self, packet)

    monkeypatch.setattr(CopiedTrack, "write", refusing)
    said = rewritten(source, tmp_path / "b.mp4")

    assert said == ("sound track 1 has a damaged part that is missing in the result",)
    assert Clip.open(tmp_path / "b.mp4").info.frame_count == 50
    assert abs(late_ms(heard(tmp_path / "b.mp4"), signal(2.0), 0.1, 0.9)) <= 1


def test_title_date_and_chapters_of_a_file_are_kept(tmp_path: Path) -> None:
    path = write_sounding(
        tmp_path / "a.mkv",
        Track(codec="aac"),
        metadata={"title": "Ferien", "creation_time": "2024-05-06T07:08:09Z"},
    )
    marked = _with_chapters(path, tmp_path / "marked.mkv")

    rewritten(marked, tmp_path / "b.mp4", 13, 40)

    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.metadata["title"] == "Ferien"
        assert container.metadata["creation_time"].startswith("2024-05-06T07:08:09")
        found = [
            (chapter["metadata"]["title"], float(chapter["start"] * (chapter["time_base"] or 1)))
            for chapter in container.chapters()
        ]
    assert found == [("one", 0.0), ("two", pytest.approx(0.48))]


def _with_chapters(source: Path, output: Path) -> Path:
    shutil.copy(source, output)
    with av.open(str(source)) as read, av.open(str(output), "w") as written:
        written.metadata.update(read.metadata)
        written.set_chapters(
            [
                {
                    "id": number,
                    "start": 1000 * (number - 1),
                    "end": 1000 * number,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": title},
                }
                for number, title in enumerate(("one", "two"), start=1)
            ]
        )
        streams = {
            stream.index: written.add_stream_from_template(stream) for stream in read.streams
        }
        for packet in read.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                written.mux(packet)
    return output


@pytest.mark.parametrize("codec", ["pcm_s16le", "mp2"])
def test_what_is_true_of_several_tracks_is_said_once(tmp_path: Path, codec: str) -> None:
    alike = [Track(codec=codec, seed=number, metadata={"title": "Mic"}) for number in range(4)]
    source = write_sounding(tmp_path / "a.mkv", *alike)

    (said,) = rewritten(source, tmp_path / "b.mp4", 0, 20)

    assert said.startswith("sound tracks 1 to 4 are encoded anew as AAC, because few players take")


def test_tracks_that_differ_are_told_of_by_their_numbers(tmp_path: Path) -> None:
    codecs = ("pcm_s16le", "aac", "pcm_s16le", "mp2")
    source = write_sounding(tmp_path / "a.mkv", *(Track(codec=codec) for codec in codecs))

    said = rewritten(source, tmp_path / "b.mp4", 0, 20)

    pcm, mp2 = (text for text in said if "sound track" in text)
    assert pcm.startswith("sound tracks 1 and 3 are encoded anew")
    assert mp2.startswith("sound track 4 is encoded anew")


def test_several_tracks_without_sound_in_the_part_are_told_of_together(tmp_path: Path) -> None:
    late = Track(codec="aac", begins_s=1.5, seconds=0.5)
    source = write_sounding(tmp_path / "a.mkv", Track(codec="aac"), late, late)

    said = rewritten(source, tmp_path / "b.mkv", 0, 20)

    assert said == ("sound tracks 2 and 3 hold no sound there, so the result is without them",)


@pytest.mark.parametrize("codec", ["flac", "alac", "pcm_s24le"])
@pytest.mark.parametrize("start", [7, 13])
def test_sound_that_loses_nothing_begins_to_the_sample_in_a_part(
    tmp_path: Path, codec: str, start: int
) -> None:
    source = write_sounding(tmp_path / "a.mkv", Track(codec=codec))

    said = rewritten(source, tmp_path / "b.mkv", start, 40)

    after = heard(tmp_path / "b.mkv")
    assert abs(late_ms(after, signal(2.0)[round(start / FPS * RATE) :], 0.1, 0.7)) <= 0.5
    assert loudness(after, 0, 0.02) > 0.01
    assert not said


@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "ac3", "libopus"])
def test_sound_that_is_copied_into_a_part_begins_within_a_packet(
    tmp_path: Path, codec: str
) -> None:
    source = write_sounding(tmp_path / "a.mkv", Track(codec=codec))

    rewritten(source, tmp_path / "b.mkv", 7, 40)

    after = heard(tmp_path / "b.mkv")
    assert codecs_in(tmp_path / "b.mkv") == codecs_in(source)
    assert abs(late_ms(after, signal(2.0)[round(7 / FPS * RATE) :], 0.1, 0.7)) <= 1.1
    assert loudness(after, 0.05, 0.07) > 0.01


@pytest.mark.parametrize("codec", ["libmp3lame", "ac3"])
@pytest.mark.parametrize("start", [1, 13, 24])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_of_an_avi_that_is_copied_into_a_part_is_in_step(
    tmp_path: Path, codec: str, start: int, suffix: str
) -> None:
    source = write_sounding(tmp_path / "a.avi", Track(codec=codec), video="mpeg4")
    wave = signal(2.0)
    own_ms = late_ms(heard(source), wave, 1.2, 1.8)

    rewritten(source, tmp_path / f"b{suffix}", start, 45)

    after = heard(tmp_path / f"b{suffix}")
    assert codecs_in(tmp_path / f"b{suffix}") == codecs_in(source)
    part_ms = late_ms(after, wave[round(time_of(source, start) * RATE) :], 0.2, 0.7)
    assert abs(part_ms - own_ms) <= 1.1
