"""The sample clip is what it says, and its true motion explains its pictures."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from fresco_engine.sample import FlowPair, ground_truth, sample_clip_path
from numpy.typing import NDArray

PAIRS = ground_truth()
NEIGHBOURS = [pair for pair in PAIRS if abs(pair.second_index - pair.first_index) == 1]
DISTANT = [pair for pair in PAIRS if pair.second_index - pair.first_index == 8]
BACKWARD = [pair for pair in PAIRS if pair.second_index < pair.first_index]


def named(pair: FlowPair) -> str:
    return f"{pair.first_index}-{pair.second_index}"


def fetched(values: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a map of the second frame holds where the flow says every pixel of the first went."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    there = cv2.remap(values, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
    return np.asarray(there, np.float32)


def errors(pair: FlowPair, flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared difference per pixel between the first frame and the second one warped to it."""
    return np.square(fetched(pair.second.astype(np.float32), flow) - pair.first).mean(axis=-1)


def psnr(squared: NDArray[np.float32]) -> float:
    return float(10 * np.log10(255**2 / squared.mean()))


def test_the_clip_has_108_square_frames_at_24_a_second_and_sound_as_long() -> None:
    with av.open(str(sample_clip_path())) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        shapes = [(frame.width, frame.height) for frame in container.decode(video)]
        seconds = [(s.duration or 0) * (s.time_base or Fraction(0)) for s in (video, audio)]

    assert shapes == [(512, 512)] * 108
    assert video.average_rate == Fraction(24)
    assert (audio.rate, audio.layout.name) == (48_000, "stereo")
    assert seconds == [Fraction(9, 2)] * 2


def test_the_clip_plays_anywhere_and_is_tagged() -> None:
    with av.open(str(sample_clip_path())) as container:
        context = container.streams.video[0].codec_context
        kind = (context.name, context.pix_fmt)
        tags = (context.color_primaries, context.color_trc, context.colorspace)

    bt709 = 1
    assert kind == ("h264", "yuv420p")
    assert tags == (bt709, bt709, bt709)
    assert sample_clip_path().stat().st_size < 2 * 2**20


def test_the_sound_is_neither_silent_nor_clipped() -> None:
    with av.open(str(sample_clip_path())) as container:
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]

    loudness = np.abs(np.concatenate(blocks, axis=1))
    assert 0.3 < loudness.max() < 1.0
    assert np.sqrt(np.square(loudness).mean()) > 0.03


def test_frames_of_the_truth_are_frames_of_the_clip() -> None:
    with av.open(str(sample_clip_path())) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    for pair in PAIRS:
        for index, picture in ((pair.first_index, pair.first), (pair.second_index, pair.second)):
            small = cv2.resize(frames[index], (256, 256), interpolation=cv2.INTER_AREA)
            assert psnr(np.square(small.astype(np.float32) - picture)) > 32


def test_the_truth_covers_neighbours_both_ways_and_distant_pairs() -> None:
    shapes = {(p.first.shape, p.second.shape, p.flow.shape, p.occluded.shape) for p in PAIRS}

    assert (len(NEIGHBOURS), len(BACKWARD), len(DISTANT)) == (8, 2, 2)
    assert shapes == {((256, 256, 3), (256, 256, 3), (256, 256, 2), (256, 256))}
    assert {pair.flow.dtype for pair in PAIRS} == {np.dtype(np.float32)}


@pytest.mark.parametrize("pair", NEIGHBOURS, ids=named)
def test_true_flow_reproduces_what_stays_visible(pair: FlowPair) -> None:
    visible = ~pair.occluded

    assert psnr(errors(pair, pair.flow)[visible]) > 30


@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_the_flow_points_forward_from_the_first_frame(pair: FlowPair) -> None:
    visible = ~pair.occluded
    truth = psnr(errors(pair, pair.flow)[visible])

    for wrong in (-pair.flow, pair.flow * np.array([1, -1], np.float32), np.zeros_like(pair.flow)):
        assert psnr(errors(pair, wrong)[visible]) < truth - 1


@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_the_flow_is_not_shifted_by_part_of_a_pixel(pair: FlowPair) -> None:
    visible = ~pair.occluded
    truth = psnr(errors(pair, pair.flow)[visible])

    for shift in ((0.25, 0), (-0.25, 0), (0, 0.25), (0, -0.25)):
        assert psnr(errors(pair, pair.flow + np.array(shift, np.float32))[visible]) < truth


@pytest.mark.parametrize("backward", BACKWARD, ids=named)
def test_going_there_and_back_ends_where_it_began(backward: FlowPair) -> None:
    (forward,) = [pair for pair in PAIRS if pair.first_index == backward.second_index]

    back = fetched(backward.flow, forward.flow)
    drift = np.linalg.norm(forward.flow + back, axis=-1)[~forward.occluded]

    # On outlines the way back is read between two surfaces, and may be anything.
    assert np.quantile(drift, 0.97) < 0.1


@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_hidden_pixels_fit_far_worse_than_visible_ones(pair: FlowPair) -> None:
    squared = errors(pair, pair.flow)

    assert squared[pair.occluded].mean() > 10 * squared[~pair.occluded].mean()


@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_little_but_something_is_hidden(pair: FlowPair) -> None:
    share = pair.occluded.mean()

    assert 0.003 < share < (0.05 if pair in NEIGHBOURS else 0.2)


@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_motion_stays_gentle(pair: FlowPair) -> None:
    gap = abs(pair.second_index - pair.first_index)
    speed = np.linalg.norm(pair.flow[~pair.occluded], axis=-1) / gap

    assert speed.max() < 5
