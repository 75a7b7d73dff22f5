"""Where each channel of a sound track belongs is known in the result too."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media.hearing import RATE, Track, rewritten, write_sounding

LAYOUTS = ("3.0", "2.1", "quad", "3.1", "5.0", "4.1", "hexagonal", "6.1", "octagonal", "7.1(wide)")


def layout_in(path: Path) -> str:
    """As other players see it, which know what FFmpeg says of the file."""
    with av.open(str(path)) as container:
        layout = container.streams.audio[0].codec_context.layout
        channels = [channel.name for channel in layout.channels]
        return layout.name if "NONE" in channels else "+".join(sorted(channels))


def names(layout: str) -> str:
    return "+".join(sorted(channel.name for channel in av.AudioLayout(layout).channels))


def codec_in(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.audio[0].codec_context.name


def with_channels(path: Path, layout: str, codec: str = "pcm_s16le") -> Path:
    """A clip with sound in which every channel has a level of its own."""
    silent = write_sounding(path.with_name(f"silent{path.suffix}"), seconds=1)
    with av.open(str(silent)) as source, av.open(str(path), "w") as output:
        pictures = output.add_stream_from_template(source.streams.video[0])
        sound = output.add_stream(codec, rate=RATE)
        assert isinstance(sound, av.AudioStream)
        sound.codec_context.layout = layout
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = pictures
                output.mux(packet)
        count = av.AudioLayout(layout).nb_channels
        levels = np.tile(np.arange(1, count + 1, dtype=np.int16) * 1000, (RATE, 1))
        frame = av.AudioFrame.from_ndarray(levels.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = RATE
        frame.pts = 0
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return path


def levels_in(path: Path) -> NDArray[np.float64]:
    """What each channel holds in the middle, as a share of the most that there can be."""
    with av.open(str(path)) as container:
        frame = next(container.decode(audio=0))
        resampled = av.AudioResampler("flt", frame.layout, RATE).resample(frame)[0]
        return resampled.to_ndarray().reshape(-1, frame.layout.nb_channels)[-10].astype(float)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_samples_in_mkv_keep_the_places_of_their_channels(tmp_path: Path, layout: str) -> None:
    source = with_channels(tmp_path / "a.mov", layout)

    said = rewritten(source, tmp_path / "b.mkv")

    count = av.AudioLayout(layout).nb_channels
    # Players find the places of five and of seven from their number.
    wanted = f"{count} channels" if layout in ("5.0", "6.1") else names(layout)
    assert layout_in(tmp_path / "b.mkv") == wanted
    np.testing.assert_allclose(
        levels_in(tmp_path / "b.mkv"), np.arange(1, count + 1) * 1000 / 32768, atol=1e-6
    )
    assert not [sentence for sentence in said if "sound" in sentence]


@pytest.mark.parametrize(
    ("codec", "kept_in"),
    [
        ("pcm_s16be", "flac"),
        ("pcm_s24le", "flac"),
        ("pcm_s32le", "wavpack"),
        ("pcm_f32le", "wavpack"),
    ],
)
def test_samples_of_every_depth_keep_their_places(tmp_path: Path, codec: str, kept_in: str) -> None:
    source = with_channels(tmp_path / "a.mov", "3.0", codec)

    said = rewritten(source, tmp_path / "b.mkv")

    assert codec_in(tmp_path / "b.mkv") == kept_in
    assert layout_in(tmp_path / "b.mkv") == names("3.0")
    np.testing.assert_array_equal(levels_in(tmp_path / "b.mkv"), levels_in(source))
    assert not [sentence for sentence in said if "sound" in sentence]


@pytest.mark.parametrize("layout", ["7.1.4", "5.1.4"])
def test_more_than_eight_channels_keep_their_places(tmp_path: Path, layout: str) -> None:
    source = with_channels(tmp_path / "a.mov", layout)

    rewritten(source, tmp_path / "b.mkv")

    assert layout_in(tmp_path / "b.mkv") == layout_in(source)
    np.testing.assert_array_equal(levels_in(tmp_path / "b.mkv"), levels_in(source))


@pytest.mark.parametrize(
    ("layout", "codec"),
    [("3.0", "pcm_f64le"), ("hexadecagonal", "pcm_s16le"), ("LFE", "pcm_f32le")],
)
def test_places_that_no_codec_keeps_are_told(tmp_path: Path, layout: str, codec: str) -> None:
    source = with_channels(tmp_path / "a.mov", layout, codec)

    said = rewritten(source, tmp_path / "b.mkv")

    assert codec_in(tmp_path / "b.mkv") == codec
    assert any("places of its channels" in sentence and ".mov" in sentence for sentence in said)
    assert rewritten(source, tmp_path / "c.mov") == ()


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1", "7.1"])
def test_samples_whose_places_players_guess_stay_as_they_are(tmp_path: Path, layout: str) -> None:
    source = with_channels(tmp_path / "a.mov", layout)

    assert rewritten(source, tmp_path / "b.mkv") == ()
    assert codec_in(tmp_path / "b.mkv") == "pcm_s16le"


def test_channels_that_nobody_placed_stay_so(tmp_path: Path) -> None:
    source = write_sounding(tmp_path / "a.mkv", Track(codec="pcm_s16le", layout="3.0"))

    rewritten(source, tmp_path / "b.mkv")

    assert codec_in(tmp_path / "b.mkv") == "pcm_s16le"


@pytest.mark.parametrize("layout", ["2.1", "4.0", "hexagonal"])
def test_flac_whose_places_mp4_does_not_hold_is_not_copied_there(
    tmp_path: Path, layout: str
) -> None:
    source = with_channels(tmp_path / "a.mkv", layout, "flac")

    rewritten(source, tmp_path / "b.mkv")
    said = rewritten(source, tmp_path / "c.mp4")

    assert codec_in(tmp_path / "b.mkv") == "flac"
    assert layout_in(tmp_path / "b.mkv") == names(layout)
    assert codec_in(tmp_path / "c.mp4") != "flac"
    assert any("encoded anew as AAC" in sentence and ".mkv" in sentence for sentence in said)


def test_flac_whose_places_are_its_usual_ones_is_copied_into_mp4(tmp_path: Path) -> None:
    source = with_channels(tmp_path / "a.mkv", "5.1", "flac")

    assert rewritten(source, tmp_path / "b.mp4") == ()
    assert codec_in(tmp_path / "b.mp4") == "flac"


@pytest.mark.parametrize("layout", ["3.0", "quad", "4.1"])
def test_a_part_of_flac_keeps_the_places_of_its_channels(tmp_path: Path, layout: str) -> None:
    source = with_channels(tmp_path / "a.mkv", layout, "flac")

    rewritten(source, tmp_path / "b.mkv", 4, 20)

    assert layout_in(tmp_path / "b.mkv") == names(layout)
