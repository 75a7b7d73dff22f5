from collections.abc import Callable

import numpy as np
import pytest
from fresco_engine.correspondence.flow import DisFlow, FlowPreset, chain_flows, track
from fresco_media.types import Image
from numpy.typing import NDArray

Texture = Callable[..., Image]


def _error(flow: NDArray[np.float32], x: float, y: float, margin: int = 24) -> float:
    """Mean distance from (x, y), in pixels, away from the border."""
    inner = flow[margin:-margin, margin:-margin]
    return float(np.linalg.norm(inner - np.array([x, y], np.float32), axis=-1).mean())


@pytest.mark.parametrize("preset", ["fast", "standard", "fine"])
def test_a_known_translation_is_recovered(texture: Texture, preset: FlowPreset) -> None:
    wide = texture(140, 180)
    first, second = wide[10:130, 20:160], wide[6:126, 13:153]

    flow = DisFlow(preset)(first, second)

    assert flow.shape == (120, 140, 2)
    assert flow.dtype == np.float32
    assert _error(flow, 7, 4) < 0.3


def test_a_picture_does_not_move_against_itself(texture: Texture) -> None:
    picture = texture(96, 128)

    flow = DisFlow()(picture, picture)

    assert np.abs(flow).max() < 0.05


def test_pictures_of_different_size_are_refused(texture: Texture) -> None:
    with pytest.raises(ValueError, match="no flow between"):
        DisFlow()(texture(32, 32), texture(32, 40))


def test_tracking_through_the_frames_between_recovers_a_motion_too_wide_for_one_step(
    texture: Texture,
) -> None:
    wide = texture(96, 320)
    frames = [wide[:, 14 * i : 14 * i + 128] for i in range(8)]

    forward, backward = track(iter(frames), DisFlow())
    direct = DisFlow()(frames[0], frames[-1])

    seen = forward[:, 100:120]
    seen_back = backward[:, 8:28]
    assert np.abs(seen - np.array([-98, 0])).mean() < 1
    assert np.abs(seen_back - np.array([98, 0])).mean() < 1
    assert np.abs(direct[:, 100:120] - np.array([-98, 0])).mean() > 1


def test_an_estimator_that_cannot_track_is_asked_for_the_ends(known_flow: type) -> None:
    frames = [np.zeros((8, 8, 3), np.uint8)] * 3

    forward, backward = track(iter(frames), known_flow(2, 1))

    assert (forward == [2, 1]).all()
    assert (backward == [2, 1]).all()


@pytest.mark.parametrize("count", [0, 1])
def test_tracking_needs_two_frames(count: int) -> None:
    frames = [np.zeros((32, 32, 3), np.uint8)] * count

    with pytest.raises(ValueError, match="fewer than two"):
        DisFlow().track(frames)


def test_chaining_follows_each_pixel_from_step_to_step() -> None:
    step = np.zeros((4, 12, 2), np.float32)
    step[:, :6, 0] = 6
    step[:, 6:, 1] = 1

    total = chain_flows([step, step])

    assert (total[:, :5] == [6, 1]).all()
    assert (total[:, 6:] == [0, 2]).all()
