"""Sound whose file puts the channels into an order of its own, as QuickTime does with 7.1."""

import gc
from pathlib import Path

import av
import numpy as np
import pytest
from fresco_media.sound.samples import BlockReader
from fresco_media.video import channels
from fresco_media.video.containers import open_input
from numpy.typing import NDArray

# kAudioChannelLayoutTag_MPEG_7_1_C: L R C LFE Ls Rs Rls Rrs.
_SIDES_BEFORE_BACKS = (128 << 16) | 8
LEVELS = [100, 200, 300, 400, 500, 600, 700, 800]


def _movie(path: Path) -> Path:
    with av.open(path, "w") as output:
        stream = output.add_stream("pcm_s16le", rate=48000)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.layout = "7.1"
        stream.codec_context.format = "s16"
        samples = np.tile(np.array(LEVELS, np.int16), (4800, 1)).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="7.1")
        frame.sample_rate = 48000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    # FFmpeg writes a set of channels; Apple's programs write a tag that stands for their order.
    data = path.read_bytes()
    tag = data.index(b"chan", data.index(b"moov")) + 8
    path.write_bytes(
        data[:tag] + _SIDES_BEFORE_BACKS.to_bytes(4, "big") + bytes(8) + data[tag + 12 :]
    )
    return path


def _first_samples(path: Path) -> tuple[str, NDArray[np.generic]]:
    with open_input(path) as file:
        stream = file.streams.audio[0]
        reader = BlockReader(stream)
        blocks = [block for packet in file.demux(stream) for block in reader.read(packet)]
        return reader.format.layout, blocks[0].samples[0]


def test_channels_in_an_order_of_the_file_come_out_in_the_usual_one(tmp_path: Path) -> None:
    movie = _movie(tmp_path / "surround.mov")

    layout, samples = _first_samples(movie)

    assert layout == "7.1"
    # FL FR FC LFE, then BL BR SL SR; the file has SL SR BL BR.
    assert samples.tolist() == [100, 200, 300, 400, 700, 800, 500, 600]


def test_the_layout_of_such_a_track_is_safe_to_ask_for_again_and_again(tmp_path: Path) -> None:
    movie = _movie(tmp_path / "surround.mov")

    with open_input(movie) as file:
        context = file.streams.audio[0].codec_context
        names = {context.layout.name for _ in range(50) if gc.collect(0) >= 0}

    assert names == {"7.1"}


def test_channels_without_a_usual_place_stay_as_many() -> None:
    assert channels._usual_layout(["FL", "UNK", "UNK"]) == "3 channels"  # pyright: ignore[reportPrivateUsage]
    assert channels._usual_layout(["FR", "FL"]) == "FL+FR"  # pyright: ignore[reportPrivateUsage]


def test_a_decoder_that_would_bring_such_an_order_back_is_not_used(tmp_path: Path) -> None:
    with open_input(_movie(tmp_path / "surround.mov")) as file:
        stream = file.streams.audio[0]
        assert channels.can_be_decoded(stream)

    with open_input(_aac(tmp_path / "surround.m4a")) as file:
        stream = file.streams.audio[0]
        assert channels.can_be_decoded(stream)
        stream.metadata["fresco_channels"] = "SL+SR+FL+FR"

        with pytest.raises(ValueError, match="order of its own"):
            BlockReader(stream)


def _aac(path: Path) -> Path:
    with av.open(path, "w") as output:
        stream = output.add_stream("aac", rate=48000)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.layout = "stereo"
        silence = np.zeros((2, 4800), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
        frame.sample_rate = 48000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path
